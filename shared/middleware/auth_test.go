package middleware_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/middleware"
	"github.com/tienda-dev/tienda/shared/problem"
)

func TestAuthorize(t *testing.T) {
	t.Parallel()
	annotated := func(a identity.Annotation) map[string]string { return a.Map() }
	valid := identity.Identity{Subject: "u1", Roles: []string{"staff"}, ExpiresAt: startOfTests.Add(time.Minute)}
	expired := valid
	expired.ExpiresAt = startOfTests
	outsider := valid
	outsider.Roles = []string{"other"}
	optional := staffRoute
	optional.Auth, optional.Roles = api.Optional, nil
	anyUser := staffRoute
	anyUser.Roles = nil

	for name, tc := range map[string]struct {
		route      api.Route
		authorizer map[string]string // nil: no authorizer ran
		header     string
		status     int
		code       string
		challenge  string
		subject    string
	}{
		"OK":                  {route: staffRoute, authorizer: annotated(identity.Annotation{Outcome: identity.OK, Identity: valid}), status: 200, subject: "u1"},
		"OKWithoutRoles":      {route: anyUser, authorizer: annotated(identity.Annotation{Outcome: identity.OK, Identity: outsider}), status: 200, subject: "u1"},
		"OtherRole":           {route: staffRoute, authorizer: annotated(identity.Annotation{Outcome: identity.OK, Identity: outsider}), status: 403, code: "insufficient_role", challenge: `Bearer error="insufficient_scope"`},
		"ExpiredSinceChecked": {route: staffRoute, authorizer: annotated(identity.Annotation{Outcome: identity.OK, Identity: expired}), status: 401, code: "token_expired", challenge: `Bearer error="invalid_token"`},
		"Anonymous":           {route: staffRoute, authorizer: annotated(identity.Annotation{Outcome: identity.Anonymous}), status: 401, code: "missing_token", challenge: `Bearer realm="api"`},
		"Expired":             {route: staffRoute, authorizer: annotated(identity.Annotation{Outcome: identity.TokenExpired}), status: 401, code: "token_expired", challenge: `Bearer error="invalid_token"`},
		"Revoked":             {route: staffRoute, authorizer: annotated(identity.Annotation{Outcome: identity.TokenRevoked}), status: 401, code: "token_revoked", challenge: `Bearer error="invalid_token"`},
		"Invalid":             {route: staffRoute, authorizer: annotated(identity.Annotation{Outcome: identity.InvalidToken}), status: 401, code: "invalid_token", challenge: `Bearer error="invalid_token"`},
		"UnknownReason":       {route: staffRoute, authorizer: map[string]string{"auth": "new_reason", "sub": "u1", "roles": "staff"}, status: 401, code: "invalid_token", challenge: `Bearer error="invalid_token"`},
		"OtherScheme":         {route: staffRoute, authorizer: annotated(identity.Annotation{Outcome: identity.UnsupportedScheme}), status: 401, code: "missing_token", challenge: `Bearer realm="api"`},
		"OptionalOtherScheme": {route: optional, authorizer: annotated(identity.Annotation{Outcome: identity.UnsupportedScheme}), status: 401, code: "missing_token", challenge: `Bearer realm="api"`},
		"MalformedHeader":     {route: staffRoute, authorizer: annotated(identity.Annotation{Outcome: identity.InvalidRequest}), status: 400, code: "invalid_request", challenge: `Bearer error="invalid_request"`},
		"Unavailable":         {route: staffRoute, authorizer: annotated(identity.Annotation{Outcome: identity.Unavailable}), status: 503, code: "auth_unavailable"},
		"NoAuthorizer":        {route: staffRoute, status: 401, code: "missing_token", challenge: `Bearer realm="api"`},
		"TokenButNoAuthorizer": {
			route: staffRoute, header: "Bearer x", status: 500, code: "internal",
		},
		"BrokenAnnotation":        {route: staffRoute, authorizer: map[string]string{}, status: 500, code: "internal"},
		"OptionalAnonymous":       {route: optional, authorizer: annotated(identity.Annotation{Outcome: identity.Anonymous}), status: 200},
		"OptionalNoAuthorizer":    {route: optional, status: 200},
		"OptionalKnown":           {route: optional, authorizer: annotated(identity.Annotation{Outcome: identity.OK, Identity: valid}), status: 200, subject: "u1"},
		"OptionalExpired":         {route: optional, authorizer: annotated(identity.Annotation{Outcome: identity.TokenExpired}), status: 401, code: "token_expired", challenge: `Bearer error="invalid_token"`},
		"OptionalUnavailable":     {route: optional, authorizer: annotated(identity.Annotation{Outcome: identity.Unavailable}), status: 503, code: "auth_unavailable"},
		"OptionalButNoAuthorizer": {route: optional, header: "Bearer x", status: 500, code: "internal"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var subject string
			reached := false
			h := chain(t, tc.route, middleware.Config{Authenticator: middleware.GatewayAuthenticator(func() time.Time { return startOfTests })},
				func(w http.ResponseWriter, r *http.Request) error {
					reached = true
					subject, _ = identity.UserID(r.Context())
					return okHandler(w, r)
				})
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			if tc.header != "" {
				r.Header.Set("Authorization", tc.header)
			}
			if tc.authorizer != nil {
				r = r.WithContext(identity.WithAuthorizer(r.Context(), tc.authorizer))
			}

			rec := serve(h, r)

			if rec.Code != tc.status || reached != (tc.status == http.StatusOK) || subject != tc.subject {
				t.Errorf("got %d, reached %t, subject %q; want %d, %q", rec.Code, reached, subject, tc.status, tc.subject)
			}
			if got := rec.Header().Get("WWW-Authenticate"); got != tc.challenge {
				t.Errorf("WWW-Authenticate: got %q, want %q", got, tc.challenge)
			}
			if tc.code != "" && !strings.Contains(rec.Body.String(), `"code":"`+tc.code+`"`) {
				t.Errorf("body: got %s, want code %s", rec.Body, tc.code)
			}
		})
	}
}

func TestAuthenticatorErrorIsNotSentToTheClient(t *testing.T) {
	t.Parallel()
	h := chain(t, staffRoute, middleware.Config{Authenticator: func(*http.Request) (identity.Annotation, error) {
		return staffCaller, errors.New("private")
	}}, okHandler)
	rec := serve(h, httptest.NewRequest(http.MethodPost, "/", nil))
	if rec.Code != http.StatusInternalServerError || strings.Contains(rec.Body.String(), "private") {
		t.Errorf("got %d %s", rec.Code, rec.Body)
	}
}

// If the store does not answer, the client gets a 503 and may retry.
func TestUnavailableAuthenticatorIs503(t *testing.T) {
	t.Parallel()
	busy := problem.New(problem.Unavailable, "unavailable", "private").WithCause(errors.New("private"))
	h := chain(t, staffRoute, middleware.Config{Authenticator: func(*http.Request) (identity.Annotation, error) {
		return staffCaller, fmt.Errorf("verify: %w", busy)
	}}, okHandler)
	rec := serve(h, httptest.NewRequest(http.MethodPost, "/", nil))
	if rec.Code != http.StatusServiceUnavailable || rec.Header().Get("Retry-After") != "1" ||
		!strings.Contains(rec.Body.String(), "auth_unavailable") || strings.Contains(rec.Body.String(), "private") {
		t.Errorf("got %d %v %s, want 503 auth_unavailable", rec.Code, rec.Header(), rec.Body)
	}
}

func TestClientHeadersNeverMakeAnIdentity(t *testing.T) {
	t.Parallel()
	h := chain(t, staffRoute, middleware.Config{Authenticator: middleware.GatewayAuthenticator(time.Now)}, okHandler)
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	for _, name := range []string{"auth", "sub", "roles", "X-Amzn-Authorizer", "X-GoLambdaProxy-ApiGw-Context"} {
		r.Header.Set(name, `{"authorizer":{"lambda":{"auth":"ok","sub":"u1","roles":"staff"}}}`)
	}
	if rec := serve(h, r); rec.Code != http.StatusUnauthorized {
		t.Errorf("got %d, want 401", rec.Code)
	}
}

// The policy of a route runs after authentication. The cases cover each condition, their order, and callers
// that meet every condition.
func TestPolicy(t *testing.T) {
	t.Parallel()
	const (
		scoped = `Bearer error="insufficient_scope", scope="orders:write orders:read"`
		stale  = `Bearer error="insufficient_user_authentication", error_description="A more recent login is needed", max_age="300"`
	)
	route := staffRoute
	route.Scopes, route.MaxAuthAge = []string{"orders:write", "orders:read"}, 5*time.Minute
	good := identity.Identity{
		Subject: "u1", Roles: []string{"staff"}, Scopes: []string{"orders:read", "x", "orders:write"},
		AuthTime: startOfTests.Add(-5 * time.Minute), ExpiresAt: startOfTests.Add(time.Minute),
	}
	for name, tc := range map[string]struct {
		change    func(*identity.Identity)
		status    int
		code      string
		challenge string
	}{
		"OKAtTheLastMoment":     {change: func(*identity.Identity) {}, status: 200},
		"OKClockOfSignerAhead":  {change: func(id *identity.Identity) { id.AuthTime = startOfTests.Add(time.Second) }, status: 200},
		"OneScopeIsMissing":     {change: func(id *identity.Identity) { id.Scopes = []string{"orders:write"} }, status: 403, code: "insufficient_scope", challenge: scoped},
		"NoScopes":              {change: func(id *identity.Identity) { id.Scopes = nil }, status: 403, code: "insufficient_scope", challenge: scoped},
		"ScopeInOtherCase":      {change: func(id *identity.Identity) { id.Scopes = []string{"orders:write", "Orders:read"} }, status: 403, code: "insufficient_scope", challenge: scoped},
		"LoggedInTooLongAgo":    {change: func(id *identity.Identity) { id.AuthTime = id.AuthTime.Add(-time.Second) }, status: 401, code: "insufficient_user_authentication", challenge: stale},
		"LoginInTheFuture":      {change: func(id *identity.Identity) { id.AuthTime = startOfTests.Add(6 * time.Second) }, status: 401, code: "insufficient_user_authentication", challenge: stale},
		"LoginIsNotKnown":       {change: func(id *identity.Identity) { id.AuthTime = time.Time{} }, status: 401, code: "insufficient_user_authentication", challenge: stale},
		"RoleBeforeScope":       {change: func(id *identity.Identity) { id.Roles, id.Scopes = nil, nil }, status: 403, code: "insufficient_role", challenge: `Bearer error="insufficient_scope"`},
		"ScopeBeforeFreshLogin": {change: func(id *identity.Identity) { id.Scopes, id.AuthTime = nil, time.Time{} }, status: 403, code: "insufficient_scope", challenge: scoped},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id := good
			tc.change(&id)
			now := func() time.Time { return startOfTests }
			h := chain(t, route, middleware.Config{Authenticator: middleware.GatewayAuthenticator(now), Now: now}, okHandler)
			a := identity.Annotation{Outcome: identity.OK, Identity: id}
			r := httptest.NewRequest(http.MethodPost, "/", nil)

			rec := serve(h, r.WithContext(identity.WithAuthorizer(r.Context(), a.Map())))

			if rec.Code != tc.status || rec.Header().Get("WWW-Authenticate") != tc.challenge {
				t.Errorf("got %d, %q; want %d, %q", rec.Code, rec.Header().Get("WWW-Authenticate"), tc.status, tc.challenge)
			}
			if tc.code != "" && !strings.Contains(rec.Body.String(), `"code":"`+tc.code+`"`) {
				t.Errorf("body: got %s, want code %s", rec.Body, tc.code)
			}
		})
	}
}

func TestConditionsRefuseWithoutAnIdentity(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return startOfTests }
	for name, tc := range map[string]struct {
		condition middleware.Middleware
		status    int
	}{
		"Role":      {middleware.RequireRole("staff"), http.StatusForbidden},
		"NoRoles":   {middleware.RequireRole(), http.StatusForbidden},
		"Scope":     {middleware.RequireScope("read"), http.StatusForbidden},
		"NoScopes":  {middleware.RequireScope(), http.StatusForbidden},
		"FreshAuth": {middleware.RequireFreshAuth(time.Hour, now), http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := tc.condition(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler was called") }))
			if rec := serve(h, httptest.NewRequest(http.MethodPost, "/", nil)); rec.Code != tc.status {
				t.Errorf("got %d, want %d", rec.Code, tc.status)
			}
		})
	}
}
