// Package apidocs publishes the description of the API.
package apidocs

import (
	"net/http"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
)

// GetOpenapiRoute is the route of the OpenAPI document. It is public: it has no data.
var GetOpenapiRoute = api.Route{
	Name: "get-openapi", Method: http.MethodGet, Path: "/openapi.json", Auth: api.Public, Rate: policy.RateMeta,
}

// Routes returns every route of the package.
func Routes() []api.Route { return []api.Route{GetOpenapiRoute} }
