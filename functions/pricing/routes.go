package pricing

import (
	"net/http"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
)

// maxRules is the largest body of rules in bytes: about 60 for a rate of tax, 4 for a country and 130 for a band, at
// their limits.
const maxRules = 512 << 10

// The routes of the prices and who may use them. Every user may ask what things cost; only staff see and change the
// rules and the discounts.
var (
	CreateQuoteRoute = api.Route{
		Name: "create-quote", Method: http.MethodPost, Path: "/v1/quotes",
		Auth: api.Required, Rate: policy.RateUserWrite, Idempotency: api.KeyOptional,
	}
	GetQuoteRoute = api.Route{
		Name: "get-quote", Method: http.MethodGet, Path: "/v1/quotes/{id}", Auth: api.Required, Rate: policy.RateUserRead,
	}
	GetPricingRulesRoute = api.Route{
		Name: "get-pricing-rules", Method: http.MethodGet, Path: "/v1/pricing/rules",
		Auth: api.Required, Rate: policy.RateStaff, Roles: []string{policy.RoleAdmin},
	}
	PutPricingRulesRoute = api.Route{
		Name: "put-pricing-rules", Method: http.MethodPut, Path: "/v1/pricing/rules",
		Auth: api.Required, Rate: policy.RateStaff, Roles: []string{policy.RoleAdmin}, MaxBody: maxRules,
	}
	CreateDiscountRoute = api.Route{
		Name: "create-discount", Method: http.MethodPost, Path: "/v1/discounts",
		Auth: api.Required, Rate: policy.RateStaff, Roles: []string{policy.RoleCatalog}, Idempotency: api.KeyRequired,
	}
	ListDiscountsRoute = api.Route{
		Name: "list-discounts", Method: http.MethodGet, Path: "/v1/discounts",
		Auth: api.Required, Rate: policy.RateStaff, Roles: []string{policy.RoleCatalog},
	}
	GetDiscountRoute = api.Route{
		Name: "get-discount", Method: http.MethodGet, Path: "/v1/discounts/{code}",
		Auth: api.Required, Rate: policy.RateStaff, Roles: []string{policy.RoleCatalog},
	}
	UpdateDiscountRoute = api.Route{
		Name: "update-discount", Method: http.MethodPatch, Path: "/v1/discounts/{code}",
		Auth: api.Required, Rate: policy.RateStaff, Roles: []string{policy.RoleCatalog},
	}
	DeleteDiscountRoute = api.Route{
		Name: "delete-discount", Method: http.MethodDelete, Path: "/v1/discounts/{code}",
		Auth: api.Required, Rate: policy.RateStaff, Roles: []string{policy.RoleCatalog},
	}
)

// Routes returns every route of the prices.
func Routes() []api.Route {
	return []api.Route{
		CreateQuoteRoute, GetQuoteRoute, GetPricingRulesRoute, PutPricingRulesRoute,
		CreateDiscountRoute, ListDiscountsRoute, GetDiscountRoute, UpdateDiscountRoute, DeleteDiscountRoute,
	}
}
