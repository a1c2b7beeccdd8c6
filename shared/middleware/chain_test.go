package middleware_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/middleware"
	"github.com/tienda-dev/tienda/shared/problem"
)

var (
	publicRoute  = api.Route{Name: "get-thing", Method: http.MethodPost, Path: "/v1/things/{id}", Auth: api.Public, Rate: api.Unlimited, MaxBody: 16}
	staffRoute   = api.Route{Name: "edit-thing", Method: http.MethodPost, Path: "/v1/things", Auth: api.Required, Rate: api.Unlimited, Roles: []string{"staff"}}
	okHandler    = func(w http.ResponseWriter, _ *http.Request) error { return api.Write(w, http.StatusOK, "ok") }
	staffCaller  = identity.Annotation{Outcome: identity.OK, Identity: identity.Identity{Subject: "u1", Roles: []string{"staff"}}}
	asStaff      = func(*http.Request) (identity.Annotation, error) { return staffCaller, nil }
	startOfTests = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
)

// chain builds a chain or fails the test.
func chain(t *testing.T, route api.Route, cfg middleware.Config, h api.Handler) http.Handler {
	t.Helper()
	got, err := middleware.Chain(route, cfg, h)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// logger returns a logger and a function that returns its lines.
func logger(t *testing.T) (*zap.Logger, func() []map[string]any) {
	t.Helper()
	var buf bytes.Buffer
	l, err := logging.New(logging.Config{}, &buf)
	if err != nil {
		t.Fatal(err)
	}
	return l, func() []map[string]any {
		var lines []map[string]any
		for line := range strings.Lines(buf.String()) {
			var m map[string]any
			if err := json.Unmarshal([]byte(line), &m); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			lines = append(lines, m)
		}
		return lines
	}
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec
}

// TestChainOrder records a trace of the layers that call code of the test. It detects the other layers by
// their effect on the request and the response at each point of the trace.
func TestChainOrder(t *testing.T) {
	t.Parallel()
	var trace []string
	place := func(name string) middleware.Middleware {
		return func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				seen := name
				if middleware.RequestIDFrom(r.Context()) != "" {
					seen += " +id"
				}
				if w.Header().Get("X-Content-Type-Options") != "" {
					seen += " +headers"
				}
				if w.Header().Get("Access-Control-Allow-Origin") != "" {
					seen += " +cors"
				}
				if _, ok := r.Context().Deadline(); ok {
					seen += " +deadline"
				}
				if _, ok := identity.From(r.Context()); ok {
					seen += " +identity"
				}
				trace = append(trace, seen)
				next.ServeHTTP(w, r)
			})
		}
	}
	route := staffRoute
	route.Idempotency = api.KeyRequired
	h := chain(t, route, middleware.Config{
		Tracing:          place("tracing"),
		Metrics:          place("metrics"),
		CORS:             middleware.CORSConfig{AllowOrigins: []string{"https://shop.example"}},
		Deadline:         middleware.DeadlineConfig{Limit: time.Minute},
		RateLimitIP:      place("rate limit (IP)"),
		RateLimitSubject: place("rate limit (subject)"),
		Authenticator: func(*http.Request) (identity.Annotation, error) {
			trace = append(trace, "authorise")
			return staffCaller, nil
		},
		Idempotency: func(_ api.Route, next api.Handler) api.Handler {
			return func(w http.ResponseWriter, r *http.Request) (err error) {
				place("idempotency")(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { err = next(w, r) })).ServeHTTP(w, r)
				return err
			}
		},
		Now: func() time.Time {
			trace = append(trace, "access log")
			return startOfTests
		},
	}, func(http.ResponseWriter, *http.Request) error {
		trace = append(trace, "handler")
		return nil
	})
	r := httptest.NewRequest(http.MethodPost, "/v1/things", nil)
	r.Header.Set("Origin", "https://shop.example")

	serve(h, r)

	want := []string{
		"tracing +id",
		"metrics +id",
		"access log",
		"rate limit (IP) +id +headers +cors +deadline",
		"authorise",
		"rate limit (subject) +id +headers +cors +deadline +identity",
		"idempotency +id +headers +cors +deadline +identity",
		"handler",
		"access log",
	}
	if diff := cmp.Diff(want, trace); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestChainRefuses(t *testing.T) {
	t.Parallel()
	undeclared := publicRoute
	undeclared.Auth = 0
	withKey := staffRoute
	withKey.Idempotency = api.KeyOptional
	for name, tc := range map[string]struct {
		route   api.Route
		cfg     middleware.Config
		handler api.Handler
		want    string
	}{
		"RouteWithoutPolicy":     {route: undeclared, handler: okHandler, want: "Auth is not declared"},
		"NoHandler":              {route: publicRoute, want: "handler is nil"},
		"NoRecordsOfKeys":        {route: withKey, handler: okHandler, want: "need Idempotency", cfg: middleware.Config{Authenticator: asStaff}},
		"NoAuthenticator":        {route: staffRoute, handler: okHandler, want: "needs an authenticator"},
		"EveryOriginCredentials": {route: publicRoute, handler: okHandler, want: "cannot be combined", cfg: middleware.Config{CORS: middleware.CORSConfig{AllowOrigins: []string{"*"}, AllowCredentials: true}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := middleware.Chain(tc.route, tc.cfg, tc.handler)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want an error with %q", err, tc.want)
			}
		})
	}
}

// TestEveryResponseHasRequestIDAndSecurityHeaders covers the responses of the chain itself.
func TestEveryResponseHasRequestIDAndSecurityHeaders(t *testing.T) {
	t.Parallel()
	tooLong := strings.Repeat("x", 17)
	for name, tc := range map[string]struct {
		route   api.Route
		auth    middleware.Authenticator
		handler api.Handler
		body    string
		status  int
		code    string
	}{
		"OK":           {route: publicRoute, handler: okHandler, status: 200},
		"HandlerError": {route: publicRoute, status: 409, code: "taken", handler: func(http.ResponseWriter, *http.Request) error { return problem.New(problem.Conflict, "taken", "") }},
		"Unmapped":     {route: publicRoute, status: 500, code: "internal", handler: func(http.ResponseWriter, *http.Request) error { return errors.New("private") }},
		"Panic":        {route: publicRoute, status: 500, code: "internal", handler: func(http.ResponseWriter, *http.Request) error { panic("private") }},
		"BodyTooLarge": {route: publicRoute, handler: okHandler, body: tooLong, status: 413, code: "body_too_large"},
		"Unauthorized": {
			route: staffRoute, handler: okHandler, status: 401, code: "missing_token",
			auth: func(*http.Request) (identity.Annotation, error) {
				return identity.Annotation{Outcome: identity.Anonymous}, nil
			},
		},
		"DeadlineExceeded": {route: publicRoute, status: 504, code: "timeout", handler: func(http.ResponseWriter, *http.Request) error { return context.DeadlineExceeded }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log, lines := logger(t)
			h := chain(t, tc.route, middleware.Config{Logger: log, Authenticator: tc.auth}, tc.handler)
			r := httptest.NewRequest(http.MethodPost, "/v1/things/secret-path?q=secret", strings.NewReader(tc.body))
			r.Header.Set("X-Request-Id", "my.id:1")

			rec := serve(h, r)

			if rec.Code != tc.status {
				t.Errorf("status: got %d, want %d", rec.Code, tc.status)
			}
			for header, want := range map[string]string{
				"X-Request-Id": "my.id:1", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Cache-Control": "no-store",
			} {
				if got := rec.Header().Get(header); got != want {
					t.Errorf("%s: got %q, want %q", header, got, want)
				}
			}
			if strings.Contains(rec.Body.String(), "private") {
				t.Errorf("the body contains the cause: %s", rec.Body)
			}
			got := lines()
			if len(got) != 1 {
				t.Fatalf("got %d log lines, want 1: %v", len(got), got)
			}
			if got[0]["http_status"] != float64(tc.status) || got[0]["http_route"] != tc.route.Path || got[0]["correlation_id"] != "my.id:1" {
				t.Errorf("access line: %v", got[0])
			}
			if tc.code != "" && got[0]["error_code"] != tc.code {
				t.Errorf("error_code: got %v, want %s", got[0]["error_code"], tc.code)
			}
			cause := "private"
			if name == "Panic" { // its value may quote the request
				cause = "panic with a string"
			}
			if tc.status == 500 && !strings.Contains(toJSON(t, got[0]["error"]), cause) {
				t.Errorf("the log does not contain the cause: %v", got[0])
			}
			if strings.Contains(toJSON(t, got[0]), "secret") {
				t.Errorf("the log contains the path or the query: %v", got[0])
			}
		})
	}
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func BenchmarkChain(b *testing.B) {
	h, err := middleware.Chain(staffRoute, middleware.Config{Authenticator: asStaff}, okHandler)
	if err != nil {
		b.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/v1/things", nil)
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
}
