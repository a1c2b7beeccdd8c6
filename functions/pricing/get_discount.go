package pricing

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
)

type discountGetter interface {
	Discount(ctx context.Context, code string) (Discount, error)
}

// GetDiscount answers 200 with the discount and its ETag, and 404.
func GetDiscount(discounts discountGetter) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		d, err := readDiscount(r.Context(), discounts, r.PathValue("code"))
		if err != nil {
			return err
		}
		w.Header().Set(headerETag, api.ETag(d.Version))
		return api.Write(w, http.StatusOK, d)
	}
}

// readDiscount reads a discount by a code in any letter case. A code that cannot exist does not reach the store.
func readDiscount(ctx context.Context, discounts discountGetter, code string) (Discount, error) {
	code = NormalCode(code)
	if !ValidCode(code) {
		return Discount{}, ErrDiscountNotFound
	}
	return discounts.Discount(ctx, code)
}
