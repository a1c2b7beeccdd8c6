package pricing

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
)

type quoteGetter interface {
	Quote(ctx context.Context, id, customer string) (Quote, error)
}

// GetQuote answers 200 with the caller's quote, or with anybody's to staff that helps customers; 410 after its time,
// and 404 for another customer's as for one that does not exist.
func GetQuote(quotes quoteGetter) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		customer := identity.MustUserID(r.Context())
		caller, _ := identity.From(r.Context())
		if caller.HasAnyRole(policy.RoleSupport, policy.RoleFulfilment, policy.RoleAdmin) {
			customer = ""
		}
		q, err := quotes.Quote(r.Context(), r.PathValue("id"), customer)
		if err != nil {
			return err
		}
		return api.Write(w, http.StatusOK, q)
	}
}
