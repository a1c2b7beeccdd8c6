package catalog

import (
	"net/http"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
)

// The routes of the catalogue and who may use them. Where a route is Optional, anonymous callers
// and customers see active products only.
var (
	ListProductsRoute = api.Route{
		Name: "list-products", Method: http.MethodGet, Path: "/v1/products", Auth: api.Optional,
	}
	SearchProductsRoute = api.Route{
		Name: "search-products", Method: http.MethodGet, Path: "/v1/products/search", Auth: api.Optional,
	}
	GetProductRoute = api.Route{
		Name: "get-product", Method: http.MethodGet, Path: "/v1/products/{id}", Auth: api.Optional,
	}
	CreateProductRoute = api.Route{
		Name: "create-product", Method: http.MethodPost, Path: "/v1/products",
		Auth: api.Required, Roles: []string{policy.RoleCatalog},
	}
	UpdateProductRoute = api.Route{
		Name: "update-product", Method: http.MethodPatch, Path: "/v1/products/{id}",
		Auth: api.Required, Roles: []string{policy.RoleCatalog},
	}
	ArchiveProductRoute = api.Route{
		Name: "archive-product", Method: http.MethodDelete, Path: "/v1/products/{id}",
		Auth: api.Required, Roles: []string{policy.RoleCatalog},
	}
	ListCategoriesRoute = api.Route{
		Name: "list-categories", Method: http.MethodGet, Path: "/v1/categories", Auth: api.Public,
	}
	GetInventoryRoute = api.Route{
		Name: "get-inventory", Method: http.MethodGet, Path: "/v1/products/{id}/inventory",
		Auth: api.Required, Roles: []string{policy.RoleCatalog, policy.RoleFulfilment},
	}
	AdjustInventoryRoute = api.Route{
		Name: "adjust-inventory", Method: http.MethodPost, Path: "/v1/products/{id}/inventory/adjustments",
		Auth: api.Required, Roles: []string{policy.RoleFulfilment},
	}
)

// Routes returns every route of the catalogue.
func Routes() []api.Route {
	return []api.Route{
		ListProductsRoute, SearchProductsRoute, GetProductRoute, CreateProductRoute, UpdateProductRoute,
		ArchiveProductRoute, ListCategoriesRoute, GetInventoryRoute, AdjustInventoryRoute,
	}
}
