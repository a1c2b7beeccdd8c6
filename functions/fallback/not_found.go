// Package fallback answers the requests that match no route.
package fallback

import (
	"net/http"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/problem"
)

// NotFoundRoute serves every request that no other route matches.
var NotFoundRoute = api.Route{Name: "not-found", Path: api.DefaultPath, Auth: api.Public, Rate: policy.RateMeta}

// Routes returns every route of the package.
func Routes() []api.Route { return []api.Route{NotFoundRoute} }

// Documentation is where people read how to use the API.
const Documentation = "https://github.com/tienda-dev/tienda#readme"

// NotFound answers 404 to every request but GET and HEAD of /, which name the documentation. API Gateway's
// own 404 has no request id and is not a problem document.
func NotFound() api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if r.URL.Path == "/" && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			w.Header().Set("Link", "<"+Documentation+`>; rel="service-doc"`) // RFC 8631
			return api.Write(w, http.StatusOK, map[string]string{"name": "Tienda", "documentation": Documentation})
		}
		return problem.RouteNotFound()
	}
}
