package orders

import (
	"net/http"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
)

// The routes of orders. Every user has own orders and sees no others; an order of somebody else answers as one that does
// not exist. Staff who help customers read all of them.
var (
	CreateOrderRoute = api.Route{
		Name: "create-order", Method: http.MethodPost, Path: "/v1/orders",
		Auth: api.Required, Revocation: identity.Strict, Rate: policy.RateCheckout, Idempotency: api.KeyRequired,
	}
	ListOrdersRoute = api.Route{
		Name: "list-orders", Method: http.MethodGet, Path: "/v1/orders", Auth: api.Required, Rate: policy.RateUserRead,
	}
	GetOrderRoute = api.Route{
		Name: "get-order", Method: http.MethodGet, Path: "/v1/orders/{id}", Auth: api.Required, Rate: policy.RateUserRead,
	}
	ListOrderEventsRoute = api.Route{
		Name: "list-order-events", Method: http.MethodGet, Path: "/v1/orders/{id}/events", Auth: api.Required, Rate: policy.RateUserRead,
	}
	CancelOrderRoute = api.Route{
		Name: "cancel-order", Method: http.MethodPost, Path: "/v1/orders/{id}/cancel",
		Auth: api.Required, Revocation: identity.Strict, Rate: policy.RateCheckout, Idempotency: api.KeyRequired,
	}
)

// Routes returns every route of orders.
func Routes() []api.Route {
	return []api.Route{CreateOrderRoute, ListOrdersRoute, GetOrderRoute, ListOrderEventsRoute, CancelOrderRoute}
}
