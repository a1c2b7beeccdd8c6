package catalog

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
)

type productArchiver interface {
	Archive(ctx context.Context, id string, matches func(version int64) bool) error
}

// ArchiveProduct takes the product out of sale for good and answers 204, also when it is repeated. With
// If-Match it answers 412 when the product has changed.
func ArchiveProduct(products productArchiver) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		var matches func(version int64) bool
		if len(r.Header.Values("If-Match")) > 0 {
			m, err := api.IfMatch(r)
			if err != nil {
				return err
			}
			matches = m
		}
		if err := products.Archive(r.Context(), r.PathValue("id"), matches); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
}
