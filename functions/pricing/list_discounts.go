package pricing

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/page"
)

type discountLister interface {
	Discounts(ctx context.Context, limit int, after []byte) ([]Discount, []byte, error)
}

// ListDiscounts answers 200 with a page of the discounts, newest first. Query parameters: limit (1 to 100, default 20)
// and cursor.
func ListDiscounts(discounts discountLister, cursors page.Cursors) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		query, err := page.ParseQuery(r)
		if err != nil {
			return err
		}
		binding := page.Binding{Route: ListDiscountsRoute.Name, Principal: identity.MustUserID(r.Context())}
		list, err := page.Read(query, cursors.Get(r.Context()), binding, func(limit int, after []byte) ([]Discount, []byte, error) {
			return discounts.Discounts(r.Context(), limit, after)
		})
		if err != nil {
			return err
		}
		return api.Write(w, http.StatusOK, list)
	}
}
