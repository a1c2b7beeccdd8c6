package auth_test

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/shared/ddb"
)

func TestLockout(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	h.register(email)
	try := func(pw string) answer { return h.post("/v1/auth/login", credentials(email, pw)) }
	for range auth.FreeAttempts {
		try(wrongPW).wantProblem(http.StatusUnauthorized, "invalid_credentials")
	}
	for _, wait := range []int{1, 2, 4, 8} {
		// Trying during the wait, also with the right password, changes nothing.
		for _, pw := range []string{wrongPW, rightPW} {
			a := try(pw)
			a.wantProblem(http.StatusTooManyRequests, "too_many_attempts")
			if got := a.Header.Get("Retry-After"); got != strconv.Itoa(wait) {
				t.Errorf("Retry-After %s, want %d", got, wait)
			}
		}
		h.pass(time.Duration(wait) * time.Second)
		try(wrongPW).wantProblem(http.StatusUnauthorized, "invalid_credentials")
	}
	h.pass(16*time.Second - time.Millisecond)
	if got := try(rightPW).Header.Get("Retry-After"); got != "1" {
		t.Errorf("Retry-After %s for a rest of a millisecond, want 1", got)
	}
	h.pass(time.Millisecond)
	try(rightPW).want(http.StatusOK)
	for range auth.FreeAttempts {
		try(wrongPW).wantProblem(http.StatusUnauthorized, "invalid_credentials")
	}
	try(rightPW).wantProblem(http.StatusTooManyRequests, "too_many_attempts")
	h.pass(auth.Quiet)
	try(rightPW).want(http.StatusOK)
}

func TestParallelGuessesAreCounted(t *testing.T) {
	t.Parallel()
	h, a := newAskingServer(t)
	h.register(email)
	const guesses = 200
	count, held := atOnce(t, h, a, guesses, wrongPW)
	_, verified := h.hashes.counts()
	if count[http.StatusUnauthorized] != auth.FreeAttempts || count[http.StatusOK] != 0 || held+verified != auth.FreeAttempts {
		t.Errorf("statuses %v, %d passwords were checked, want %d", count, held+verified, auth.FreeAttempts)
	}
	h.pass(time.Second)
	count, held = atOnce(t, h, a, guesses, wrongPW)
	if count[http.StatusUnauthorized] != 1 || held > 1 {
		t.Errorf("after the wait: statuses %v, %d passwords were checked, want 1", count, held)
	}
}

func TestRightPasswordsAtOnceAllLogIn(t *testing.T) {
	t.Parallel()
	h, a := newAskingServer(t)
	h.register(email)
	for range auth.FreeAttempts - 1 { // so that there is one place only
		h.post("/v1/auth/login", credentials(email, wrongPW)).want(http.StatusUnauthorized)
	}
	if count, held := atOnce(t, h, a, 16, rightPW); count[http.StatusOK] != 16 || held > 1 {
		t.Errorf("statuses %v, %d passwords were checked at once, want 1", count, held)
	}
}

// A guess whose failure cannot be written stays in flight, so a partial outage gives nobody more guesses.
func TestFailureThatCannotBeWrittenKeepsItsPlace(t *testing.T) {
	t.Parallel()
	h, f := newFailingServer(t)
	u := h.register(email)
	f.fails("EndAttempt", ddb.ErrUnavailable)
	for range auth.FreeAttempts {
		h.post("/v1/auth/login", credentials(email, wrongPW)).wantProblem(http.StatusUnauthorized, "invalid_credentials")
	}
	f.fails("", nil)
	identifier := auth.Identifier(key(t.Context()), email)
	again := func() auth.Admission {
		_, got, err := h.users.Attempt(t.Context(), auth.Attempt{Name: identifier, Address: auth.AddressKey(key(t.Context()), identifier, "203.0.113.7"), ID: "another", At: h.clock()})
		must(t, err)
		return got
	}
	if got := again(); got != auth.Busy {
		t.Errorf("another guess is answered %d, want %d", got, auth.Busy)
	}
	h.pass(auth.AttemptLife) // longer than the wait after the failures that they become
	h.login(email)
	if again() != auth.Admitted {
		t.Error("the login has not reset the failures")
	}
	h.do(h.as("admin"), http.MethodPost, "/v1/users/"+u.ID+"/unlock", "").want(http.StatusNoContent)
}

func TestWait(t *testing.T) {
	t.Parallel()
	last := time.Duration(0)
	for n := range int64(100) {
		wait := auth.Wait(n)
		if wait < last || wait > auth.MaxLock || n < auth.FreeAttempts && wait != 0 {
			t.Errorf("after %d attempts: %s", n, wait)
		}
		last = wait
	}
	if last != auth.MaxLock {
		t.Errorf("the longest wait is %s, want %s", last, auth.MaxLock)
	}
	for n, seconds := range map[int64]float64{5: 1, 6: 2, 10: 32, 14: 512, 15: 900, 1 << 62: 900} {
		if got := auth.Wait(n).Seconds(); got != seconds {
			t.Errorf("Wait(%d) is %g s, want %g s", n, got, seconds)
		}
	}
}

func ExampleWait() {
	for _, failures := range []int64{4, 5, 6, 7, 15} {
		fmt.Println(failures, auth.Wait(failures))
	}
	// Output:
	// 4 0s
	// 5 1s
	// 6 2s
	// 7 4s
	// 15 15m0s
}
