package product

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/go-chi/chi/v5"
	"go.uber.org/zap"
)

// Handler answers GET /v1/products/{id} with what get returns: 200 with the product, 404, or 500 with a line in the
// log.
func Handler(get func(context.Context, string) (Product, error), logger *zap.Logger) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p, err := get(r.Context(), chi.URLParam(r, "id")) // https://pkg.go.dev/github.com/go-chi/chi/v5#URLParam
		w.Header().Set("Content-Type", "application/json")
		switch {
		case errors.Is(err, ErrNotFound):
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"status":404,"title":"Not Found"}`))
			return
		case err != nil:
			logger.Error("product not read", zap.Error(err))
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = w.Write([]byte(`{"status":500,"title":"Internal Server Error"}`))
			return
		}
		w.Header().Set("ETag", p.ETag())
		w.Header().Set("Cache-Control", "public, max-age=30, stale-while-revalidate=60")
		_ = json.NewEncoder(w).Encode(p) // into memory: it cannot fail
	}
}
