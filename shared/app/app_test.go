package app_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/identity"
)

var route = api.Route{Name: "get-thing", Method: http.MethodGet, Path: "/v1/things", Auth: api.Required, Rate: api.Unlimited}

func build(context.Context, *app.Setup) (api.Handler, error) {
	return func(w http.ResponseWriter, r *http.Request) error {
		return api.Write(w, http.StatusOK, identity.MustUserID(r.Context()))
	}, nil
}

func TestHandlerServesTheChain(t *testing.T) {
	t.Parallel()
	h, err := app.Handler(t.Context(), route, build, map[string]string{"LOG_LEVEL": "FATAL"})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/v1/things", nil)
	caller := identity.Annotation{Outcome: identity.OK, Identity: identity.Identity{Subject: "u1"}}

	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r.WithContext(identity.WithAuthorizer(r.Context(), caller.Map())))
	if rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), "u1") || rec.Header().Get("X-Content-Type-Options") == "" {
		t.Errorf("got %d %s %v", rec.Code, rec.Body, rec.Header())
	}

	rec = httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	if rec.Code != http.StatusUnauthorized {
		t.Errorf("anonymous: got %d, want 401", rec.Code)
	}
}

func TestBuildFillsTheChain(t *testing.T) {
	t.Parallel()
	h, err := app.Handler(t.Context(), route, func(ctx context.Context, s *app.Setup) (api.Handler, error) {
		if s.Route().Name != route.Name {
			t.Errorf("Route is %q, want %q", s.Route().Name, route.Name)
		}
		s.Chain().RateLimitIP = func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) })
		}
		return build(ctx, s)
	}, map[string]string{"LOG_LEVEL": "FATAL"})
	if err != nil {
		t.Fatal(err)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/v1/things", nil))
	if rec.Code != http.StatusTooManyRequests {
		t.Errorf("got %d, want the 429 of the place that Build filled", rec.Code)
	}
}

func TestHandlerRefuses(t *testing.T) {
	t.Parallel()
	undeclared := route
	undeclared.Auth = 0
	for name, tc := range map[string]struct {
		route   api.Route
		build   app.Build
		environ map[string]string
		want    string
	}{
		"FailingBuild": {route: route, build: func(context.Context, *app.Setup) (api.Handler, error) { return nil, errors.New("no table") }, want: "build get-thing: no table"},
		"FailingLoad": {route: route, build: func(ctx context.Context, s *app.Setup) (api.Handler, error) {
			s.Load(func(context.Context) error { return errors.New("no secret") })
			return build(ctx, s)
		}, want: "no secret"},
		"RouteWithoutPolicy": {route: undeclared, build: build, want: "Auth is not declared"},
		"UnknownLogLevel":    {route: route, build: build, environ: map[string]string{"LOG_LEVEL": "LOUD"}, want: "LOG_LEVEL"},
		"BadCORS":            {route: route, build: build, environ: map[string]string{"CORS_ALLOW_ORIGINS": "*", "CORS_ALLOW_CREDENTIALS": "true"}, want: "CORS_ALLOW_CREDENTIALS"},
		"MalformedFlag":      {route: route, build: build, environ: map[string]string{"CORS_ALLOW_CREDENTIALS": "maybe"}, want: "CORS_ALLOW_CREDENTIALS is not a valid bool"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := app.Handler(t.Context(), tc.route, tc.build, tc.environ)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want an error with %q", err, tc.want)
			}
		})
	}
}
