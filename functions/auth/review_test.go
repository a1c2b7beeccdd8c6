package auth_test

import (
	"fmt"
	"net/http"
	"sync"
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

// docs/users.md: 20 at once, and 20 in 15 minutes after that, for all accounts.
func TestReviewSprayingAtOnceFromOneAddress(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	const atOnce = 20 // the class login-ip admits 30 at once and 60 a minute
	answered, users := 0, 0
	var mu sync.Mutex
	for range 21 { // each 45 s for 15 minutes
		held := make(chan struct{})
		h.hashes.mu.Lock()
		h.hashes.held, h.hashes.verified = held, 0
		h.hashes.mu.Unlock()
		var guesses sync.WaitGroup
		ended := 0
		for range atOnce {
			users++
			user := fmt.Sprintf("user-%d@example.com", users)
			guesses.Go(func() {
				a := h.loginFrom(attacker, user, wrongPW)
				mu.Lock()
				defer mu.Unlock()
				ended++
				if a.Status == http.StatusUnauthorized {
					answered++
				}
			})
		}
		for { // until every guess is being checked or was refused
			h.hashes.mu.Lock()
			checking := h.hashes.verified
			h.hashes.mu.Unlock()
			mu.Lock()
			all := checking+ended >= atOnce
			mu.Unlock()
			if all {
				break
			}
			time.Sleep(time.Millisecond)
		}
		close(held)
		guesses.Wait()
		h.pass(45 * time.Second)
	}
	if limit := 2*20 + atOnce; answered > limit {
		t.Errorf("%d guesses were answered in 15 minutes, want at most %d: the limit, and once what is in flight", answered, limit)
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
