package shipments

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
)

type shipmentGetter interface {
	Get(ctx context.Context, id string) (Shipment, error)
}

// GetShipment answers 200 with a shipment and its ETag: to the customer who ordered and to staff. For others it is 404,
// as if there were no such shipment.
func GetShipment(shipments shipmentGetter) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, ok := api.ULID(r.PathValue("id"))
		if !ok {
			return ErrNotFound
		}
		s, err := shipments.Get(r.Context(), id)
		if err != nil {
			return err
		}
		if !mayRead(r.Context(), s.Customer) {
			return ErrNotFound
		}

		w.Header().Set("ETag", api.ETag(s.Version))
		return api.Write(w, http.StatusOK, s)
	}
}

// mayRead reports whether the caller may read what belongs to the customer.
func mayRead(ctx context.Context, customer string) bool {
	caller, known := identity.From(ctx)
	return known && (caller.Subject == customer || caller.HasAnyRole(policy.RoleSupport, policy.RoleFulfilment, policy.RoleAdmin))
}
