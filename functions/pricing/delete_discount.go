package pricing

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
)

type discountDeleter interface {
	DeleteDiscount(ctx context.Context, code string, matches func(version int64) bool) error
}

// DeleteDiscount deletes a version that If-Match names and answers 204; 428 without If-Match, 412 when the discount has
// changed. Orders that used the code keep their discount.
func DeleteDiscount(discounts discountDeleter) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		matches, err := api.IfMatch(r)
		if err != nil {
			return err
		}
		if err := discounts.DeleteDiscount(r.Context(), r.PathValue("code"), matches); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
}
