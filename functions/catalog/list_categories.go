package catalog

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/page"
)

type categoryLister interface {
	Categories(ctx context.Context) ([]Category, error)
}

// ListCategories answers 200 with every category that has active products, by name, or 304.
func ListCategories(categories categoryLister, cfg Config) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		all, err := categories.Categories(r.Context())
		if err != nil {
			return err
		}
		w.Header().Set("Cache-Control", cfg.PublicCache)
		return api.WriteTagged(w, r, page.New(all, ""))
	}
}
