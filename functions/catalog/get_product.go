package catalog

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/shared/tracing"
)

type productGetter interface {
	Get(ctx context.Context, id string) (Product, error)
}

// GetProduct answers 200 with an active product and its ETag, 304 when If-None-Match names the ETag, 410
// when the product is archived, and 404 when it is a draft.
func GetProduct(products productGetter, cfg Config) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		p, err := byID(r.Context(), r.PathValue("id"), products.Get)
		if err != nil {
			return err
		}
		switch p.Status {
		case Active:
			metrics.From(r.Context()).ProductViewed(r.Context())
			return writeProduct(w, r, p, cfg.PublicCache)
		case Archived:
			return ErrGone
		default:
			return ErrNotFound
		}
	}
}

// byID calls read with the id of a product. An id that is not a ULID does not reach the store.
func byID[T any](ctx context.Context, id string, read func(ctx context.Context, id string) (T, error)) (T, error) {
	id, ok := api.ULID(id)
	if !ok {
		var none T
		return none, ErrNotFound
	}
	tracing.SetAttributes(ctx, tracing.KeyProductID.String(id))
	return read(ctx, id)
}

// writeProduct answers a read with the product, or with 304 when the client has this version.
func writeProduct(w http.ResponseWriter, r *http.Request, p Product, cacheControl string) error {
	etag := api.ETag(p.Version)
	w.Header().Set("ETag", etag)
	w.Header().Set("Cache-Control", cacheControl)
	if api.NotModified(r, etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return api.Write(w, http.StatusOK, p)
}
