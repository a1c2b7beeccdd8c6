package middleware_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/middleware"
)

func route(name, method, path string) api.Route {
	return api.Route{Name: name, Method: method, Path: path, Auth: api.Public, Rate: api.Unlimited}
}

// says answers with the name and the path parameters.
func says(name string, parameters ...string) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		answer := []string{name}
		for _, p := range parameters {
			answer = append(answer, r.PathValue(p))
		}
		return api.Write(w, http.StatusOK, strings.Join(answer, " "))
	}
}

func TestMux(t *testing.T) {
	t.Parallel()
	log, lines := logger(t)
	mux, err := middleware.Mux(middleware.Config{
		Logger: log,
		CORS:   middleware.CORSConfig{AllowOrigins: []string{"https://shop.example"}, AllowMethods: []string{"GET", "DELETE"}},
	},
		middleware.Endpoint{Route: route("get-thing", http.MethodGet, "/things/{id}"), Handler: says("get", "id")},
		middleware.Endpoint{Route: route("delete-thing", http.MethodDelete, "/things/{id}"), Handler: says("delete", "id")},
		middleware.Endpoint{Route: route("get-file", http.MethodGet, "/files/{path+}"), Handler: says("file", "path")},
	)
	if err != nil {
		t.Fatal(err)
	}
	preflight := http.Header{"Origin": {"https://shop.example"}, "Access-Control-Request-Method": {"DELETE"}}
	for name, tc := range map[string]struct {
		method, target string
		header         http.Header
		status         int
		body           string
		want           http.Header
	}{
		"Get":           {"GET", "/things/7", nil, 200, `"get 7"`, nil},
		"Escaped":       {"GET", "/things/a%20b", nil, 200, `"get a b"`, nil},
		"OtherMethod":   {"DELETE", "/things/7", nil, 200, `"delete 7"`, nil},
		"Greedy":        {"GET", "/files/a/b", nil, 200, `"file a/b"`, nil},
		"GreedyNothing": {"GET", "/files", nil, 404, `"code":"route_not_found"`, nil},
		"NoRoute":       {"GET", "/nothing", nil, 404, `"code":"route_not_found"`, nil},
		"Root":          {"GET", "/", nil, 404, `"code":"route_not_found"`, nil},
		"DoubledSlash":  {"GET", "//things/7", nil, 404, `"code":"route_not_found"`, nil},
		"Dots":          {"GET", "/things/../things/7", nil, 404, `"code":"route_not_found"`, nil},
		"NoMethod":      {"PATCH", "/things/7", nil, 405, `"code":"method_not_allowed"`, http.Header{"Allow": {"DELETE, GET, HEAD"}}},
		"Preflight":     {"OPTIONS", "/things/7", preflight, 204, "", http.Header{"Access-Control-Allow-Methods": {"DELETE"}}},
		"OptionsAlone":  {"OPTIONS", "/things/7", nil, 405, `"code":"method_not_allowed"`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(tc.method, tc.target, nil)
			r.Header = tc.header
			rec := serve(mux, r)
			if rec.Code != tc.status || !strings.Contains(rec.Body.String(), tc.body) {
				t.Errorf("got %d %s, want %d with %s", rec.Code, rec.Body, tc.status, tc.body)
			}
			for name := range tc.want {
				if got := rec.Header().Get(name); got != tc.want.Get(name) {
					t.Errorf("%s: %q, want %q", name, got, tc.want.Get(name))
				}
			}
			if rec.Header().Get("X-Request-Id") == "" || rec.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("headers %v", rec.Header())
			}
			all := lines()
			if got := all[len(all)-1]["http_status"]; got != float64(tc.status) {
				t.Errorf("the access line has status %v, want %d", got, tc.status)
			}
		})
	}
}

func TestMuxWithADefaultRoute(t *testing.T) {
	t.Parallel()
	mux, err := middleware.Mux(middleware.Config{},
		middleware.Endpoint{Route: api.Route{Name: "other", Path: api.DefaultPath, Auth: api.Public, Rate: api.Unlimited}, Handler: says("other")})
	if err != nil {
		t.Fatal(err)
	}
	if rec := serve(mux, httptest.NewRequest(http.MethodPut, "/anything", nil)); rec.Code != http.StatusOK {
		t.Errorf("got %d %s", rec.Code, rec.Body)
	}
}

func TestMuxAuthenticatorOfOneRoute(t *testing.T) {
	t.Parallel()
	nobody := func(*http.Request) (identity.Annotation, error) {
		return identity.Annotation{Outcome: identity.Anonymous}, nil
	}
	other := staffRoute
	other.Name, other.Path = "edit-other", "/v1/others"
	mux, err := middleware.Mux(middleware.Config{Authenticator: nobody},
		middleware.Endpoint{Route: staffRoute, Handler: okHandler},
		middleware.Endpoint{Route: other, Handler: okHandler, Authenticator: asStaff})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{"/v1/things": http.StatusUnauthorized, "/v1/others": http.StatusOK} {
		if rec := serve(mux, httptest.NewRequest(http.MethodPost, path, nil)); rec.Code != want {
			t.Errorf("%s: got %d %s, want %d", path, rec.Code, rec.Body, want)
		}
	}
}

func TestMuxRefuses(t *testing.T) {
	t.Parallel()
	things, conflict := route("get-thing", http.MethodGet, "/things/{id}"), route("get-any", http.MethodGet, "/{kind}/new")
	for name, tc := range map[string]struct {
		routes []api.Route
		want   string
	}{
		"Twice":     {[]api.Route{things, things}, "conflicts"},
		"Ambiguous": {[]api.Route{things, conflict}, `route "get-any"`},
		"TwoDefaults": {[]api.Route{
			{Name: "one", Path: api.DefaultPath, Auth: api.Public, Rate: api.Unlimited}, {Name: "two", Path: api.DefaultPath, Auth: api.Public, Rate: api.Unlimited},
		}, `"one" is the default route already`},
		"Undeclared": {[]api.Route{{Name: "get-thing", Method: http.MethodGet, Path: "/things"}}, "Auth is not declared"},
		"NoCaller":   {[]api.Route{staffRoute}, "needs an authenticator"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var endpoints []middleware.Endpoint
			for _, r := range tc.routes {
				endpoints = append(endpoints, middleware.Endpoint{Route: r, Handler: okHandler})
			}
			if _, err := middleware.Mux(middleware.Config{}, endpoints...); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want an error with %q", err, tc.want)
			}
		})
	}
}
