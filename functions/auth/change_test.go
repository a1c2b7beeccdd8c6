package auth_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/functions/auth"
)

// choose puts a password in place of the user's, as a change does that ends no sessions.
func (h *house) choose(id, pw string) {
	h.t.Helper()
	before, err := h.users.Credentials(h.t.Context(), id)
	must(h.t, err)
	after := before
	after.PasswordChangedAt = h.clock()
	after.PasswordHash, err = h.hashes.Hash(h.t.Context(), pw)
	must(h.t, err)
	must(h.t, h.users.ReplacePassword(h.t.Context(), before, after))
}

// Whoever holds a token has one guess per counted attempt. The new password is looked at only where a change
// may have broken off: in a session that is older than the stored password.
func TestNewPasswordIsNoSecondGuess(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	u := h.register(email)
	change := func(token, current, next string) answer {
		return h.do(token, http.MethodPost, "/v1/auth/password", text(map[string]string{"current_password": current, "new_password": next}))
	}
	guess := func(token string, verified int) {
		t.Helper()
		h.hashes.counts()
		change(token, wrongPW, rightPW).wantProblem(http.StatusUnprocessableEntity, "wrong_password", "/current_password")
		if hashed, n := h.hashes.counts(); n != verified || hashed != 0 {
			t.Errorf("%d passwords were checked and %d hashed, want %d and 0", n, hashed, verified)
		}
	}
	h.pass(300 * time.Millisecond)
	pair := h.login(email) // within the second of the registration
	guess(pair.Access, 1)
	h.pass(time.Hour)
	pair = h.login(email)
	guess(pair.Access, 1)
	next := decode[tokens](change(pair.Access, rightPW, secondPW).want(http.StatusOK))
	next = decode[tokens](change(next.Access, secondPW, rightPW).want(http.StatusOK))
	guess(next.Access, 1) // its session began at the change, and is not older
	h.pass(10 * time.Minute)
	next = decode[tokens](h.refresh(next.Refresh).want(http.StatusOK))
	guess(next.Access, 1)

	// A session that is left over from a change may repeat it, and nothing but it.
	h.choose(u.ID, secondPW)
	guess(next.Access, 2)
	change(next.Access, rightPW, secondPW).want(http.StatusOK)
	h.wantStands(next.Access, false)
}

func TestChangeOfThePasswordForgivesTheFailuresBefore(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	h.register(email)
	token := h.login(email).Access
	current, next := rightPW, secondPW
	for range 3 { // more often than failures cost nothing
		for range auth.FreeAttempts - 1 {
			h.do(token, http.MethodPost, "/v1/auth/password", text(map[string]string{"current_password": wrongPW, "new_password": "another " + next})).
				want(http.StatusUnprocessableEntity)
		}
		token = decode[tokens](h.do(token, http.MethodPost, "/v1/auth/password",
			text(map[string]string{"current_password": current, "new_password": next})).want(http.StatusOK)).Access
		current, next = next, current
	}
}

func TestNewPasswordIsNotTheOwnAddress(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	h.register(email)
	h.register("other@shop.example")
	token := h.login(email).Access
	change := func(current, next string) answer {
		return h.do(token, http.MethodPost, "/v1/auth/password", text(map[string]string{"current_password": current, "new_password": next}))
	}
	for _, own := range []string{email, strings.ToUpper(email), " " + email} {
		change(rightPW, own).wantProblem(http.StatusUnprocessableEntity, "validation_failed", "/new_password")
		change(wrongPW, own).wantProblem(http.StatusUnprocessableEntity, "wrong_password", "/current_password") // it tells no address
		h.pass(auth.Quiet - time.Second)
		token = h.login(email).Access
		h.pass(time.Second)
	}
	change(rightPW, "other@shop.example").want(http.StatusOK)
}
