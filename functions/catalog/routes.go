package catalog

import (
	"net/http"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
)

// maxProduct is the largest product in bytes. All of its texts at their limits, with a pair of \u escapes (12 bytes)
// for each character, have 260 KiB; a patch may also name as many attributes to remove as it adds.
const maxProduct = 320 << 10

// The routes of the catalogue and who may use them. The public ones show active products only, the same to
// everybody, so that caches may keep their answers. Staff read products of every status by routes of their
// own.
var (
	ListProductsRoute = api.Route{
		Name: "list-products", Method: http.MethodGet, Path: "/v1/products", Auth: api.Public, Rate: policy.RatePublicRead,
	}
	SearchProductsRoute = api.Route{
		Name: "search-products", Method: http.MethodGet, Path: "/v1/products/search", Auth: api.Public, Rate: policy.RatePublicRead,
	}
	GetProductRoute = api.Route{
		Name: "get-product", Method: http.MethodGet, Path: "/v1/products/{id}", Auth: api.Public, Rate: policy.RatePublicRead,
	}
	ListCategoriesRoute = api.Route{
		Name: "list-categories", Method: http.MethodGet, Path: "/v1/categories", Auth: api.Public, Rate: policy.RatePublicRead,
	}
	ListStaffProductsRoute = api.Route{
		Name: "list-staff-products", Method: http.MethodGet, Path: "/v1/staff/products",
		Auth: api.Required, Rate: policy.RateStaff, Roles: policy.Staff(),
	}
	GetStaffProductRoute = api.Route{
		Name: "get-staff-product", Method: http.MethodGet, Path: "/v1/staff/products/{id}",
		Auth: api.Required, Rate: policy.RateStaff, Roles: policy.Staff(),
	}
	CreateProductRoute = api.Route{
		Name: "create-product", Method: http.MethodPost, Path: "/v1/products",
		Auth: api.Required, Rate: policy.RateStaff, Roles: []string{policy.RoleCatalog}, MaxBody: maxProduct,
	}
	UpdateProductRoute = api.Route{
		Name: "update-product", Method: http.MethodPatch, Path: "/v1/products/{id}",
		Auth: api.Required, Rate: policy.RateStaff, Roles: []string{policy.RoleCatalog}, MaxBody: maxProduct,
	}
	ArchiveProductRoute = api.Route{
		Name: "archive-product", Method: http.MethodDelete, Path: "/v1/products/{id}",
		Auth: api.Required, Rate: policy.RateStaff, Roles: []string{policy.RoleCatalog},
	}
	GetInventoryRoute = api.Route{
		Name: "get-inventory", Method: http.MethodGet, Path: "/v1/products/{id}/inventory",
		Auth: api.Required, Rate: policy.RateStaff, Roles: []string{policy.RoleCatalog, policy.RoleFulfilment},
	}
	AdjustInventoryRoute = api.Route{
		Name: "adjust-inventory", Method: http.MethodPost, Path: "/v1/products/{id}/inventory/adjustments",
		Auth: api.Required, Rate: policy.RateStaff, Roles: []string{policy.RoleFulfilment}, Idempotency: api.KeyRequired,
	}
)

// Routes returns every route of the catalogue.
func Routes() []api.Route {
	return []api.Route{
		ListProductsRoute, SearchProductsRoute, GetProductRoute, ListCategoriesRoute,
		ListStaffProductsRoute, GetStaffProductRoute,
		CreateProductRoute, UpdateProductRoute, ArchiveProductRoute, GetInventoryRoute, AdjustInventoryRoute,
	}
}
