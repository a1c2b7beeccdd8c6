// Package apitest calls the routes of a resource in its tests, through their real chains.
package apitest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/idempotency/idempotencymem"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/shared/middleware"
)

// API serves routes.
type API struct {
	t   *testing.T
	mux *http.ServeMux
}

// New serves each route with the handler of its name. config fills the chain of a route; nil takes the
// caller from the gateway, see As. Idempotency keys without a store of their own have an empty one, so that what a
// handler's store has decides.
func New(t *testing.T, routes []api.Route, handlers map[string]api.Handler, config func(api.Route) middleware.Config) *API {
	t.Helper()
	if config == nil {
		config = func(api.Route) middleware.Config {
			return middleware.Config{Authenticator: middleware.GatewayAuthenticator(time.Now)}
		}
	}
	mux := http.NewServeMux()
	for _, route := range routes {
		cfg := config(route)
		if cfg.RateLimitIP == nil && cfg.RateLimitSubject == nil { // the tests of a resource are not about its classes
			cfg.RateLimitIP = func(next http.Handler) http.Handler { return next }
		}
		if cfg.Idempotency == nil {
			cfg.Idempotency = idempotency.Middleware(&idempotencymem.Store{}, time.Now)
		}
		chain, err := middleware.Chain(route, cfg, handlers[route.Name])
		if err != nil {
			t.Fatal(err)
		}
		mux.Handle(route.Key(), chain)
	}
	return &API{t: t, mux: mux}
}

// In returns the same API, which reports to a sub-test.
func (a *API) In(t *testing.T) *API {
	t.Helper()
	return &API{t: t, mux: a.mux}
}

// Option changes a request.
type Option func(*http.Request) *http.Request

// As sends the request as a caller whom the gateway's authorizer has accepted.
func As(subject string, roles ...string) Option {
	caller := identity.Annotation{Outcome: identity.OK, Identity: identity.Identity{Subject: subject, Roles: roles}}
	return func(r *http.Request) *http.Request {
		return r.WithContext(identity.WithAuthorizer(r.Context(), caller.Map()))
	}
}

// Header sets a header.
func Header(name, value string) Option {
	return func(r *http.Request) *http.Request {
		r.Header.Set(name, value)
		return r
	}
}

// Measured records the request in m.
func Measured(m *metrics.Metrics) Option {
	return func(r *http.Request) *http.Request { return r.WithContext(metrics.With(r.Context(), m)) }
}

// Do sends a request and returns the answer. A body is JSON unless an option says otherwise.
func (a *API) Do(method, target, body string, options ...Option) Answer {
	a.t.Helper()
	r := httptest.NewRequestWithContext(a.t.Context(), method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", api.ContentTypeJSON)
	}
	for _, option := range options {
		r = option(r)
	}
	rec := httptest.NewRecorder()
	a.mux.ServeHTTP(rec, r)
	return Answer{t: a.t, Status: rec.Code, Header: rec.Header(), Body: rec.Body.String()}
}

// Answer is what came back.
type Answer struct {
	t      *testing.T
	Status int
	Header http.Header
	Body   string
}

// In returns the same answer, which reports to a sub-test.
func (a Answer) In(t *testing.T) Answer {
	a.t = t
	return a
}

// Want ends the test when the answer has another status.
func (a Answer) Want(status int) Answer {
	a.t.Helper()
	if a.Status != status {
		a.t.Fatalf("got %d %s, want %d", a.Status, a.Body, status)
	}
	return a
}

// WantProblem reports another status, another code or, if pointers are given, other pointers.
func (a Answer) WantProblem(status int, code string, pointers ...string) {
	a.t.Helper()
	var got struct {
		Code   string
		Errors []struct{ Pointer string }
	}
	if err := json.Unmarshal([]byte(a.Body), &got); err != nil || a.Status != status || got.Code != code {
		a.t.Errorf("got %d %s, want %d %s", a.Status, a.Body, status, code)
	}
	named := []string{}
	for _, e := range got.Errors {
		named = append(named, e.Pointer)
	}
	if len(pointers) > 0 && !slices.Equal(named, pointers) {
		a.t.Errorf("%s names %q, want %q", a.Body, named, pointers)
	}
}

// Decode reads the body strictly into a T: an unknown member ends the test.
func Decode[T any](a Answer) T {
	a.t.Helper()
	var v T
	d := json.NewDecoder(strings.NewReader(a.Body))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		a.t.Fatalf("%s: %v", a.Body, err)
	}
	return v
}
