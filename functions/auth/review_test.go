package auth_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// An attacker at one address alone uses up what an account has for all unknown addresses.
func TestReviewAttackerFromOneAddressKeepsNoNewAddressOut(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	h.register(email)
	kept, first := 0, -1
	for minute := range 24 * 60 {
		for h.loginFrom(attacker, email, wrongPW).Status == http.StatusUnauthorized { //nolint:revive // as many as are answered
		}
		// The owner, on the way, at another address each minute: none of them is known.
		if h.loginFrom(fmt.Sprintf("100.64.%d.%d:1", minute/250, minute%250), email, rightPW).Status != http.StatusOK {
			kept++
			if first < 0 {
				first = minute
			}
		}
		h.pass(time.Minute)
	}
	if kept > 0 {
		t.Errorf("one attacker's address kept the owner out of %d of 1440 new addresses, the first time after %d min", kept, first)
	}
}

// While an account's limit is used up, a wrong password from an address that the account knows is answered and one from
// other addresses is not. Whoever shares an address with users must not learn by that who they are.
func TestReviewSharedAddressDoesNotTellWhoLogsInThere(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	h.register(email)
	const office = "192.0.2.99:1"
	h.loginFrom(office, email, rightPW).want(http.StatusOK)
	var got []int
	for _, target := range []string{email, "nobody@example.com"} {
		for i := range 60 {
			h.loginFrom(fmt.Sprintf("198.18.0.%d:1", i), target, wrongPW)
		}
		got = append(got, h.loginFrom(office, target, wrongPW).Status)
	}
	if got[0] != got[1] {
		t.Errorf("a user who logs in at this address: %d, nobody: %d", got[0], got[1])
	}
}
