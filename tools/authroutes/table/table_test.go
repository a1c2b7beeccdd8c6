package table_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/tools/authroutes/table"
)

func route(name, method, path string, auth api.Auth, class identity.Revocation) api.Route {
	return api.Route{Name: name, Method: method, Path: path, Auth: auth, Revocation: class}
}

func TestSource(t *testing.T) {
	t.Parallel()
	got, err := table.Source([]api.Route{
		route("create-thing", http.MethodPost, "/v1/things", api.Required, identity.Strict),
		route("list-things", http.MethodGet, "/v1/things", api.Optional, identity.Default),
		route("get-status", http.MethodGet, "/v1/status", api.Required, identity.Strict),
		route("get-health", http.MethodGet, "/v1/health", api.Public, identity.Default),
		route("get-thing", http.MethodGet, "/v1/things/{id}", api.Required, identity.Default),
	})
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(got), "return ")
	want := `map[string]identity.Revocation{
		"GET /v1/status":      identity.Strict,
		"GET /v1/things":      identity.Default,
		"POST /v1/things":     identity.Strict,
		"GET /v1/things/{id}": identity.Default,
	}
}
`
	if diff := cmp.Diff(want, body); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestSourceRefuses(t *testing.T) {
	t.Parallel()
	good := route("get-thing", http.MethodGet, "/v1/things/{id}", api.Required, identity.Default)
	for name, routes := range map[string][]api.Route{
		"UnknownClass": {route("get-thing", http.MethodGet, "/v1/things/{id}", api.Required, 9)},
		"OneKeyTwice":  {good, route("read-thing", http.MethodGet, "/v1/things/{id}", api.Required, identity.Strict)},
		"BrokenRoute":  {route("get-thing", "GOT", "/v1/things/{id}", api.Required, identity.Default)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := table.Source(routes); err == nil {
				t.Errorf("wrote %s", got)
			}
		})
	}
}
