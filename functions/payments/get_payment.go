package payments

import (
	"context"
	"net/http"
	"slices"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
)

type paymentReader interface {
	Get(ctx context.Context, id string) (Payment, error)
}

// GetPayment answers with the payment. Another customer's payment looks like one that does not exist.
func GetPayment(payments paymentReader) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, ok := api.ULID(r.PathValue("id"))
		if !ok {
			return ErrNotFound
		}
		p, err := payments.Get(r.Context(), id)
		if err != nil {
			return err
		}
		if p.Customer != identity.MustUserID(r.Context()) && !mayReadAll(r.Context()) {
			return ErrNotFound
		}
		return api.Write(w, http.StatusOK, p)
	}
}

// mayReadAll reports whether the caller may read the payments of every customer.
func mayReadAll(ctx context.Context) bool {
	caller, _ := identity.From(ctx)
	return slices.ContainsFunc([]string{policy.RoleSupport, policy.RoleFulfilment, policy.RoleAdmin}, func(role string) bool {
		return slices.Contains(caller.Roles, role)
	})
}
