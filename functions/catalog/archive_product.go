package catalog

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
)

type productArchiver interface {
	Archive(ctx context.Context, id string, version int64) error
}

// ArchiveProduct takes the product out of sale for good and answers 204, also when it is repeated. With
// If-Match it answers 412 when the product has changed.
func ArchiveProduct(products productArchiver) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		var version int64
		// "*" is any version. An empty header is refused, because its sender meant to name a version.
		if tags := r.Header.Values("If-Match"); len(tags) > 0 && (len(tags) > 1 || tags[0] != "*") {
			v, err := api.IfMatch(r)
			if err != nil {
				return err
			}
			version = v
		}
		if err := products.Archive(r.Context(), r.PathValue("id"), version); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
}
