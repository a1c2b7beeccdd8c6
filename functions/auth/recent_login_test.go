package auth_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// A stolen token must not be enough for these routes: the login may be 15 minutes old, and a refresh does
// not make it younger.
func TestRecentLogin(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		method, path, body string
		roles              string // the caller's
		want               int
	}{
		"change-password": {http.MethodPost, "/v1/auth/password", text(map[string]string{"current_password": rightPW, "new_password": secondPW}), `{"roles":["customer"]}`, http.StatusOK},
		"set-user-roles":  {http.MethodPut, "/v1/users/{id}/roles", `{"roles":["support"]}`, `{"roles":["admin"]}`, http.StatusOK},
		"logout-user":     {http.MethodPost, "/v1/users/{id}/logout", "", `{"roles":["admin"]}`, http.StatusNoContent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newServer(t, nil)
			caller, other := h.register(email), h.register("other@shop.example")
			h.setRoles(caller.ID, tc.roles).want(http.StatusOK)
			path := strings.Replace(tc.path, "{id}", other.ID, 1)

			pair := h.login(email)
			h.pass(15*time.Minute + time.Second)
			pair = decode[tokens](h.refresh(pair.Refresh).want(http.StatusOK))
			refused := h.do(pair.Access, tc.method, path, tc.body)
			refused.wantProblem(http.StatusUnauthorized, "insufficient_user_authentication")
			const challenge = `Bearer error="insufficient_user_authentication", error_description="A more recent login is needed", max_age="900"`
			if got := refused.Header.Get("WWW-Authenticate"); got != challenge {
				t.Errorf("challenge %q, want %q", got, challenge)
			}

			pair = h.login(email)
			h.pass(15*time.Minute - time.Second)
			pair = decode[tokens](h.refresh(pair.Refresh).want(http.StatusOK))
			h.do(pair.Access, tc.method, path, tc.body).want(tc.want)
		})
	}
}
