package health

import (
	"net/http"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
)

// The probes are public and show no internals. The metrics show how the shop does, so they are for admins.
var (
	GetHealthRoute = api.Route{
		Name: "get-health", Method: http.MethodGet, Path: "/health", Auth: api.Public, Rate: policy.RateMeta,
	}
	GetLivenessRoute = api.Route{
		Name: "get-liveness", Method: http.MethodGet, Path: "/health/live", Auth: api.Public, Rate: policy.RateMeta,
	}
	GetReadinessRoute = api.Route{
		Name: "get-readiness", Method: http.MethodGet, Path: "/health/ready", Auth: api.Public, Rate: policy.RateMeta,
	}
	GetMetricsRoute = api.Route{
		Name: "get-metrics", Method: http.MethodGet, Path: "/v1/metrics", Auth: api.Required, Rate: policy.RateStaff,
		Roles: []string{policy.RoleAdmin},
	}
)

// Routes returns every route of the package.
func Routes() []api.Route {
	return []api.Route{GetHealthRoute, GetLivenessRoute, GetReadinessRoute, GetMetricsRoute}
}
