package shipments

import (
	"net/http"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
)

// maxReport is the largest report of a carrier in bytes: the reader of an unsigned request reads no more.
const maxReport = 4 << 10

// The routes of shipments. Their staff makes shipments and may report about them; carriers report through a route of
// their own. Customers see the shipments of their own orders; a tracking token shows its parcel to everybody.
var (
	CreateShipmentRoute = api.Route{
		Name: "create-shipment", Method: http.MethodPost, Path: "/v1/orders/{id}/shipments",
		Auth: api.Required, Rate: policy.RateStaff, Roles: []string{policy.RoleFulfilment}, Idempotency: api.KeyRequired,
	}
	ListOrderShipmentsRoute = api.Route{
		Name: "list-order-shipments", Method: http.MethodGet, Path: "/v1/orders/{id}/shipments",
		Auth: api.Required, Rate: policy.RateUserRead,
	}
	GetShipmentRoute = api.Route{
		Name: "get-shipment", Method: http.MethodGet, Path: "/v1/shipments/{id}", Auth: api.Required, Rate: policy.RateUserRead,
	}
	AddShipmentEventRoute = api.Route{
		Name: "add-shipment-event", Method: http.MethodPost, Path: "/v1/shipments/{id}/events",
		Auth: api.Required, Rate: policy.RateStaff, Roles: []string{policy.RoleFulfilment}, MaxBody: maxReport,
	}
	ReceiveCarrierEventRoute = api.Route{
		Name: "receive-carrier-event", Method: http.MethodPost, Path: "/v1/webhooks/carrier",
		Auth: api.Public, Rate: policy.RateWebhook, MaxBody: maxReport,
	}
	TrackShipmentRoute = api.Route{
		Name: "track-shipment", Method: http.MethodGet, Path: "/v1/track/{token}", Auth: api.Public, Rate: policy.RateTrack,
	}
)

// Routes returns every route of the shipments.
func Routes() []api.Route {
	return []api.Route{
		CreateShipmentRoute, ListOrderShipmentsRoute, GetShipmentRoute, AddShipmentEventRoute, ReceiveCarrierEventRoute, TrackShipmentRoute,
	}
}
