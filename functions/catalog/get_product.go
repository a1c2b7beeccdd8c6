package catalog

import (
	"context"
	"net/http"

	"github.com/oklog/ulid/v2"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
)

type productGetter interface {
	Get(ctx context.Context, id string) (Product, error)
}

// GetProduct answers 200 with the product and its ETag, 304 when If-None-Match names it, 410 when
// it is archived, and 404 when the caller may not see it.
func GetProduct(products productGetter) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		p, err := get(r.Context(), products, r.PathValue("id"))
		if err != nil {
			return err
		}
		if p.Status == Archived {
			return ErrGone
		}
		if p.Status != Active && !isStaff(r.Context()) {
			return ErrNotFound
		}

		etag := api.ETag(p.Version)
		w.Header().Set("ETag", etag)
		w.Header().Set("Cache-Control", "private, no-cache")
		if api.NotModified(r, etag) {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
		return api.Write(w, http.StatusOK, p)
	}
}

// get reads a product; an id that cannot be one of ours does not reach the store.
func get(ctx context.Context, products productGetter, id string) (Product, error) {
	if _, err := ulid.ParseStrict(id); err != nil {
		return Product{}, ErrNotFound
	}
	return products.Get(ctx, id)
}

// isStaff reports whether the caller may see what is not public.
func isStaff(ctx context.Context) bool {
	id, ok := identity.From(ctx)
	return ok && id.HasAnyRole(policy.Staff()...)
}
