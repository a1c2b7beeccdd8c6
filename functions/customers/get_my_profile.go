package customers

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
)

type customerGetter interface {
	Get(ctx context.Context, id string) (Customer, error)
}

// GetMyProfile answers 200 with the caller's profile and its ETag.
func GetMyProfile(customers customerGetter) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		c, err := customers.Get(r.Context(), identity.MustUserID(r.Context()))
		if err != nil {
			return err
		}
		w.Header().Set("ETag", api.ETag(c.Version))
		return api.Write(w, http.StatusOK, c)
	}
}
