package orders

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
)

type orderGetter interface {
	Get(ctx context.Context, id string, reader Reader) (Order, error)
}

// GetOrder answers 200 with the order, or 304; 404 for one that does not exist or is another customer's.
func GetOrder(orders orderGetter) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		o, err := orders.Get(r.Context(), r.PathValue("id"), readerOf(r))
		if err != nil {
			return err
		}
		return api.WriteTagged(w, r, o)
	}
}

// readers returns the roles that may read every order.
func readers() []string { return []string{policy.RoleSupport, policy.RoleFulfilment, policy.RoleAdmin} }

// readerOf returns the caller of a request that reads.
func readerOf(r *http.Request) Reader { return callerWith(r, readers()...) }

// callerWith returns the caller of a request, who is staff with one of the roles.
func callerWith(r *http.Request, roles ...string) Reader {
	caller, _ := identity.From(r.Context())
	return Reader{ID: identity.MustUserID(r.Context()), Staff: caller.HasAnyRole(roles...)}
}
