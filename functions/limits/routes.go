package limits

import (
	"net/http"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
)

// The routes, for admins. Both are Strict: they show and lift what keeps attackers out.
var (
	GetLimitsRoute = api.Route{
		Name: "get-limits", Method: http.MethodGet, Path: "/v1/limits/{class}",
		Auth: api.Required, Rate: policy.RateStaff, Roles: []string{policy.RoleAdmin}, Revocation: identity.Strict,
	}
	ResetLimitsRoute = api.Route{
		Name: "reset-limits", Method: http.MethodDelete, Path: "/v1/limits/{class}",
		Auth: api.Required, Rate: policy.RateStaff, Roles: []string{policy.RoleAdmin}, Revocation: identity.Strict,
	}
)

// Routes returns every route of the resource.
func Routes() []api.Route { return []api.Route{GetLimitsRoute, ResetLimitsRoute} }
