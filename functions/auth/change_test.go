package auth_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/functions/auth"
)

// choose replaces the user's password and ends no sessions, like a change that failed halfway.
func (h *server) choose(id, pw string) {
	h.t.Helper()
	before, err := h.users.Credentials(h.t.Context(), id)
	must(h.t, err)
	after := before
	after.PasswordChangedAt = h.clock()
	after.PasswordHash, err = h.hashes.Hash(h.t.Context(), pw)
	must(h.t, err)
	must(h.t, h.users.ReplacePassword(h.t.Context(), before, after))
}

// The holder of a token has one guess per counted attempt. The new password is compared only where an earlier
// change may have failed halfway: in a session that is older than the stored password.
func TestNewPasswordIsNotASecondGuess(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
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
	guess(next.Access, 1) // its session began at the change, so it is not older than the password
	h.pass(10 * time.Minute)
	next = decode[tokens](h.refresh(next.Refresh).want(http.StatusOK))
	guess(next.Access, 1)

	// A session that is left over from a change may repeat this change and no other.
	h.choose(u.ID, secondPW)
	guess(next.Access, 2)
	change(next.Access, rightPW, secondPW).want(http.StatusOK)
	h.wantAccepted(next.Access, false)
}

func TestPasswordChangeResetsEarlierFailures(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	h.register(email)
	token := h.login(email).Access
	current, next := rightPW, secondPW
	for range 3 { // more often than failures are free
		for range auth.FreeAttempts - 1 {
			h.do(token, http.MethodPost, "/v1/auth/password", text(map[string]string{"current_password": wrongPW, "new_password": "another " + next})).
				want(http.StatusUnprocessableEntity)
		}
		token = decode[tokens](h.do(token, http.MethodPost, "/v1/auth/password",
			text(map[string]string{"current_password": current, "new_password": next})).want(http.StatusOK)).Access
		current, next = next, current
	}
}

func TestNewPasswordIsNotWhatOthersKnow(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	const name = "María López"
	h.post("/v1/auth/register", text(map[string]string{"email": email, "password": rightPW, "name": name})).want(http.StatusCreated)
	h.register("other@shop.example")
	token := h.login(email).Access
	change := func(current, next string) answer {
		return h.do(token, http.MethodPost, "/v1/auth/password", text(map[string]string{"current_password": current, "new_password": next}))
	}
	local, _, _ := strings.Cut(email, "@")
	for _, own := range []string{email, strings.ToUpper(email), " " + email, local, strings.ToUpper(name)} {
		change(rightPW, own).wantProblem(http.StatusUnprocessableEntity, "validation_failed", "/new_password")
		change(wrongPW, own).wantProblem(http.StatusUnprocessableEntity, "wrong_password", "/current_password") // the response does not reveal the address
		h.pass(auth.Quiet - time.Second)
		token = h.login(email).Access
		h.pass(time.Second)
	}
	change(rightPW, "other@shop.example").want(http.StatusOK)
}
