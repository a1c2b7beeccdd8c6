package session_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/jwt"
	"github.com/tienda-dev/tienda/shared/middleware"
	"github.com/tienda-dev/tienda/shared/problem"
	"github.com/tienda-dev/tienda/shared/session"
	"github.com/tienda-dev/tienda/shared/session/sessiontest"
)

// A function without an authorizer verifies the token in its middleware and calls a Checker. The client
// must get the same responses as through an authorizer.
func TestRequireAuthWithChecker(t *testing.T) {
	t.Parallel()
	revoked := liveState()
	revoked.Session.RevokedAt = sessiontest.Time(50)
	for name, c := range map[string]struct {
		state  session.State
		err    error
		status int
		code   string
		header string // a header of the response
		value  string
	}{
		"Valid":              {state: liveState(), status: http.StatusNoContent},
		"Revoked":            {state: revoked, status: http.StatusUnauthorized, code: "token_revoked", header: problem.HeaderWWWAuthenticate, value: `Bearer error="invalid_token"`},
		"Unavailable":        {err: session.ErrUnavailable.WithCause(errors.New("private")), status: http.StatusServiceUnavailable, code: "auth_unavailable", header: "Retry-After", value: "1"},
		"OutOfTime":          {err: fmt.Errorf("read: %w", context.DeadlineExceeded), status: http.StatusGatewayTimeout, code: "timeout"},
		"OtherKind":          {err: session.ErrNotFound, status: http.StatusInternalServerError, code: "internal"},
		"OtherKindOutOfTime": {err: session.ErrNotFound.WithCause(context.DeadlineExceeded), status: http.StatusInternalServerError, code: "internal"},
		"Fault":              {err: errors.New("private"), status: http.StatusInternalServerError, code: "internal"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.both(c.state)
			b.err = c.err
			verify := func(context.Context, string) (identity.Identity, error) { return b.id, nil }
			verifyAndCheck := func(ctx context.Context, _ string) (identity.Identity, error) {
				return b.id, b.Check(ctx, b.id, identity.Default)
			}
			check := func(ctx context.Context, id identity.Identity) error { return b.Check(ctx, id, identity.Default) }
			for name, authenticate := range map[string]middleware.Authenticator{
				"in one step":  jwt.Authenticate(verifyAndCheck),
				"in two steps": middleware.Confirm(jwt.Authenticate(verify), check),
			} {
				h := middleware.RequireAuth(authenticate)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.WriteHeader(http.StatusNoContent)
				}))
				r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
				r.Header.Set("Authorization", "Bearer token")
				rec := httptest.NewRecorder()
				h.ServeHTTP(rec, r)
				if rec.Code != c.status || !strings.Contains(rec.Body.String(), c.code) || strings.Contains(rec.Body.String(), "private") {
					t.Errorf("%s: got %d %s, want %d %s", name, rec.Code, rec.Body, c.status, c.code)
				}
				if c.header != "" && rec.Header().Get(c.header) != c.value {
					t.Errorf("%s: %s: got %q, want %q", name, c.header, rec.Header().Get(c.header), c.value)
				}
			}
		})
	}
}
