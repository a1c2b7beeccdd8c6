package catalog

import (
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
)

// GetStaffProduct answers 200 with a product of any status and its ETag, 304 when If-None-Match names the
// ETag, and 404.
func GetStaffProduct(products productGetter) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		p, err := byID(r.Context(), r.PathValue("id"), products.Get)
		if err != nil {
			return err
		}
		return writeProduct(w, r, p, "private, no-cache")
	}
}
