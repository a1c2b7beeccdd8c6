package auth_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/session"
)

// A failed revocation must not look done: the response is 503, the tokens are still valid, and the same
// request succeeds once the store answers again.
func TestFailedRevocationIs503(t *testing.T) {
	t.Parallel()
	type people struct {
		user  user
		pair  tokens
		admin string
	}
	for name, tc := range map[string]struct {
		method string
		path   func(h *server, p people) string
		body   func(p people) string
		token  func(p people) string
		status int
	}{
		"Logout": {
			path: func(*server, people) string { return "/v1/auth/logout" }, token: func(p people) string { return p.pair.Access }, status: http.StatusNoContent,
		},
		"LogoutAll": {
			path: func(*server, people) string { return "/v1/auth/logout-all" }, token: func(p people) string { return p.pair.Access }, status: http.StatusNoContent,
		},
		"LogoutUser": {
			path:  func(_ *server, p people) string { return "/v1/users/" + p.user.ID + "/logout" },
			token: func(p people) string { return p.admin }, status: http.StatusNoContent,
		},
		"RevokeSession": {
			method: http.MethodDelete, path: func(h *server, p people) string { return "/v1/auth/sessions/" + h.session(p.pair.Access) },
			token: func(p people) string { return p.pair.Access }, status: http.StatusNoContent,
		},
		"RevokeAccessToken": {
			path: func(*server, people) string { return "/v1/auth/revoke" }, body: func(p people) string { return form(p.pair.Access) }, status: http.StatusOK,
		},
		"RevokeRefreshToken": {
			path: func(*server, people) string { return "/v1/auth/revoke" }, body: func(p people) string { return form(p.pair.Refresh) }, status: http.StatusOK,
		},
		"ChangePassword": {
			path: func(*server, people) string { return "/v1/auth/password" },
			body: func(people) string {
				return text(map[string]string{"current_password": rightPW, "new_password": secondPW})
			},
			token: func(p people) string { return p.pair.Access }, status: http.StatusOK,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newServer(t, nil)
			p := people{user: h.register(email), admin: h.as("admin")}
			p.pair = h.login(email)
			h.pass(time.Second)
			do := func() answer {
				var token, body string
				if tc.token != nil {
					token = tc.token(p)
				}
				if tc.body != nil {
					body = tc.body(p)
				}
				method := tc.method
				if method == "" {
					method = http.MethodPost
				}
				return h.do(token, method, tc.path(h, p), body)
			}
			h.line.cut("Revoke", "RevokeSubject", "RevokeToken")
			wantUnavailable(t, do())
			h.wantAccepted(p.pair.Access, true)
			h.line.cut()
			do().want(tc.status)
			h.wantAccepted(p.pair.Access, false)
		})
	}
}

// wantUnavailable checks that the response is a 503 with Retry-After.
func wantUnavailable(t *testing.T, a answer) {
	t.Helper()
	a.Answer = a.In(t)
	a.wantProblem(http.StatusServiceUnavailable, "unavailable")
	if a.Header.Get("Retry-After") == "" {
		t.Error("503 without Retry-After")
	}
}

func TestFailedRevocationKeepsAMachineToken(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	machine := h.as("catalog")
	h.line.cut("Revoke", "RevokeSubject", "RevokeToken")
	wantUnavailable(t, h.do(machine, http.MethodPost, "/v1/auth/logout", ""))
	h.line.cut()
	h.wantAccepted(machine, true)
}

func TestFailedUnlockIs503(t *testing.T) {
	t.Parallel()
	h, f := newFailingServer(t)
	u := h.register(email)
	for range auth.FreeAttempts {
		h.post("/v1/auth/login", credentials(email, wrongPW)).want(http.StatusUnauthorized)
	}
	unlock := func() answer { return h.do(h.as("admin"), http.MethodPost, "/v1/users/"+u.ID+"/unlock", "") }
	for _, call := range []string{"User", "KnownAddresses", "TriedAddresses", "ResetAttempts"} {
		f.fails(call, ddb.ErrUnavailable)
		wantUnavailable(t, unlock())
	}
	h.post("/v1/auth/login", credentials(email, rightPW)).want(http.StatusTooManyRequests)
	f.fails("", nil)
	unlock().want(http.StatusNoContent)
	h.login(email)
}

func TestFailedChangeOfRolesIs503(t *testing.T) {
	t.Parallel()
	h, f := newFailingServer(t)
	u := h.register(email)
	for _, call := range []string{"User", "ReplaceRoles"} {
		f.fails(call, ddb.ErrUnavailable)
		wantUnavailable(t, h.setRoles(u.ID, `{"roles":["admin"]}`))
	}
	if got, err := h.users.User(t.Context(), u.ID); err != nil || got.AuthzVersion != 1 {
		t.Errorf("user %+v, %v", got, err)
	}
}

// A change of roles with a lost response is logged: a repeated request finds the roles set and logs nothing,
// so otherwise a user could become an admin without a log line.
func TestChangeOfRolesWithLostResponseIsLogged(t *testing.T) {
	t.Parallel()
	h := newServer(t, func(s auth.Store) auth.Store { return &forgetful{Store: s, err: ddb.ErrUnavailable} })
	u := h.register(email)
	wantUnavailable(t, h.setRoles(u.ID, `{"roles":["admin"]}`))
	h.setRoles(u.ID, `{"roles":["admin"]}`).want(http.StatusOK)
	want := []map[string]any{{
		"account_event": "account_roles_set", "subject": u.ID, "by": "machine-admin", "outcome": "unknown",
		"roles_before": []any{"customer"}, "roles": []any{"admin"},
	}}
	if diff := cmp.Diff(want, h.accountEvents()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// A login that could not write its session returns no tokens.
func TestLoginThatCannotWriteItsSession(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	h.register(email)
	h.line.cut("Create")
	wantUnavailable(t, h.post("/v1/auth/login", credentials(email, rightPW)))
}

// checking is a revocation checker with one fixed result.
type checking struct {
	err   error
	class identity.Revocation
}

func (c *checking) Check(_ context.Context, _ identity.Identity, class identity.Revocation) error {
	c.class = class
	return c.err
}

func TestIntrospectionDependsOnAConsistentRead(t *testing.T) {
	t.Parallel()
	verify := func(context.Context, string) (identity.Identity, error) { return identity.Identity{Subject: "u1"}, nil }
	for name, tc := range map[string]struct{ found, err error }{
		"Stands":      {nil, nil},
		"Revoked":     {session.ErrRevoked, nil},
		"Unavailable": {session.ErrUnavailable, session.ErrUnavailable}, // not "inactive"
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &checking{err: tc.found}
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/auth/introspect", strings.NewReader(form("x")))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			rec := httptest.NewRecorder()
			if err := auth.IntrospectToken(verify, c)(rec, r); !errors.Is(err, tc.err) {
				t.Errorf("got %v, want %v", err, tc.err)
			}
			if active := strings.Contains(rec.Body.String(), `"active":true`); active != (tc.found == nil) || (tc.err == nil) != (rec.Body.Len() > 0) {
				t.Errorf("answered %s", rec.Body)
			}
			if c.class != identity.Strict {
				t.Errorf("the check is of class %v, want %v", c.class, identity.Strict)
			}
		})
	}
}
