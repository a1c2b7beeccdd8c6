package customers

import (
	"net/http"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
)

// The routes of the caller's own profile. Only the token identifies the owner.
var (
	GetMyProfileRoute = api.Route{
		Name: "get-my-profile", Method: http.MethodGet, Path: "/v1/customers/me", Auth: api.Required, Rate: policy.RateUserRead,
	}
	UpdateMyProfileRoute = api.Route{
		Name: "update-my-profile", Method: http.MethodPatch, Path: "/v1/customers/me", Auth: api.Required, Rate: policy.RateUserWrite,
		MaxBody: maxBody,
	}
)

// maxBody is the largest profile in bytes: a name with a pair of \u escapes (12 bytes) for each character.
const maxBody = 4 << 10

// Routes returns every route of the customers.
func Routes() []api.Route {
	return []api.Route{GetMyProfileRoute, UpdateMyProfileRoute}
}
