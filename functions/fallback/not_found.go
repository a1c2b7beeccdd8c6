// Package fallback answers the requests that match no route.
package fallback

import (
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/problem"
)

// NotFoundRoute serves every request that no other route matches.
var NotFoundRoute = api.Route{Name: "not-found", Path: api.DefaultPath, Auth: api.Public}

// Routes returns every route of the package.
func Routes() []api.Route { return []api.Route{NotFoundRoute} }

// NotFound answers 404 to every request. API Gateway's own 404 has no request id and is not a problem
// document.
func NotFound() api.Handler {
	return func(http.ResponseWriter, *http.Request) error {
		return problem.New(problem.NotFound, "route_not_found", "There is no such route.")
	}
}
