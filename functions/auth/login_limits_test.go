package auth_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/internal/policy"
)

// loginsAtOnce logs the users in from the address, and checks no password before every login was refused or is about
// to be checked. It returns how many logins got each status.
func (h *server) loginsAtOnce(address string, users []string, pw string) map[int]int {
	h.t.Helper()
	held := make(chan struct{})
	h.hashes.mu.Lock()
	h.hashes.held, h.hashes.verified = held, 0
	h.hashes.mu.Unlock()
	var (
		mu     sync.Mutex
		count  = map[int]int{}
		ended  int
		logins sync.WaitGroup
	)
	for _, user := range users {
		logins.Go(func() {
			a := h.loginFrom(address, user, pw)
			mu.Lock()
			defer mu.Unlock()
			ended++
			count[a.Status]++
		})
	}
	for all := false; !all; time.Sleep(time.Millisecond) {
		h.hashes.mu.Lock()
		checking := h.hashes.verified
		h.hashes.mu.Unlock()
		mu.Lock()
		all = checking+ended >= len(users)
		mu.Unlock()
	}
	close(held)
	logins.Wait()
	return count
}

func TestSprayingAtOnceFromOneAddress(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	const atOnce = 20 // the class login-ip admits 30 at once and 60 a minute
	answered, n := 0, 0
	for range 21 { // each 45 s for 15 minutes
		users := make([]string, atOnce)
		for i := range users {
			n++
			users[i] = fmt.Sprintf("user-%d@example.com", n)
		}
		answered += h.loginsAtOnce(attacker, users, wrongPW)[http.StatusUnauthorized]
		h.pass(45 * time.Second)
	}
	limit := policy.LoginAddress()[0]
	if most := int(limit.Capacity() + limit.Limit); answered > most || answered < int(limit.Capacity()) {
		t.Errorf("%d guesses were answered in 15 minutes, want %d to %d", answered, limit.Capacity(), most)
	}
}

func TestOfficeLogsInAtOnce(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	const office, atOnce = "192.0.2.99:1", 20
	users := make([]string, atOnce)
	for i := range users {
		users[i] = fmt.Sprintf("user-%d@example.com", i)
		h.register(users[i])
		h.loginFrom(office, users[i], wrongPW).want(http.StatusUnauthorized)
	}
	for range 3 {
		if got := h.loginsAtOnce(office, users, rightPW); got[http.StatusOK] != atOnce {
			t.Errorf("statuses %v, want %d times 200", got, atOnce)
		}
	}
}

// One attacker at one address must not use up what an account has for all unknown addresses.
func TestAttackerFromOneAddressKeepsNoNewAddressOut(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	h.register(email)
	kept, first := 0, -1
	for minute := range 24 * 60 {
		for h.loginFrom(attacker, email, wrongPW).Status == http.StatusUnauthorized {
		}
		// The owner, on the way, at another address each minute: none of them is known.
		owner := fmt.Sprintf("100.64.%d.%d:1", minute/250, minute%250)
		if h.loginFrom(owner, email, rightPW).Status != http.StatusOK {
			kept++
			if first < 0 {
				first = minute
			}
		}
		h.pass(time.Minute)
	}
	if kept > 0 {
		t.Errorf("the owner was kept out of %d of 1440 new addresses, the first time after %d min", kept, first)
	}
}

// An owner at an unknown address who has used up its units gets in when an admin unlocks.
func TestUnlockResetsUnknownAddresses(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	u := h.register(email)
	const owner = "192.0.2.44:1"
	for range policy.LoginAccountAddress()[0].Capacity() {
		h.loginFrom(owner, email, wrongPW).want(http.StatusUnauthorized)
		h.pass(time.Minute)
	}
	h.wantLimited(h.loginFrom(owner, email, rightPW), "login-account-address")
	h.do(h.as("admin"), http.MethodPost, "/v1/users/"+u.ID+"/unlock", "").want(http.StatusNoContent)
	h.loginFrom(owner, email, rightPW).want(http.StatusOK)
}
