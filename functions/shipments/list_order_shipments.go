package shipments

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/page"
)

type shipmentLister interface {
	List(ctx context.Context, orderID string, limit int, after []byte) ([]Shipment, []byte, error)
}

// ListOrderShipments answers 200 with a page of an order's shipments, oldest first: to the customer who ordered and to
// staff. For others it is 404, as if there were no such order. Query parameters: limit (1 to 100, default 20) and cursor.
func ListOrderShipments(orders Orders, shipments shipmentLister, cursors page.Cursors) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		query, err := page.ParseQuery(r)
		if err != nil {
			return err
		}
		id, ok := api.ULID(r.PathValue("id"))
		if !ok {
			return ErrOrderNotFound
		}
		order, err := orders.ForShipping(r.Context(), id)
		if err != nil {
			return err
		}
		if !mayRead(r.Context(), order.Customer) {
			return ErrOrderNotFound
		}

		binding := page.Binding{Route: ListOrderShipmentsRoute.Name, Filter: id, Principal: identity.MustUserID(r.Context())}
		list, err := page.Read(query, cursors.Get(r.Context()), binding, func(limit int, after []byte) ([]Shipment, []byte, error) {
			return shipments.List(r.Context(), id, limit, after)
		})
		if err != nil {
			return err
		}
		return api.Write(w, http.StatusOK, list)
	}
}
