package catalog

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/page"
)

type categoryLister interface {
	Categories(ctx context.Context, limit int, after []byte) ([]Category, []byte, error)
}

// ListCategories answers 200 with a page of the categories that have active products, by name, or 304. Query
// parameters: limit (1 to 100, default 20) and cursor.
func ListCategories(categories categoryLister, cursors page.Cursors, cfg Config) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		query, err := page.ParseQuery(r)
		if err != nil {
			return err
		}
		binding := page.Binding{Route: ListCategoriesRoute.Name}
		list, err := page.Read(query, cursors.Get(r.Context()), binding, func(limit int, after []byte) ([]Category, []byte, error) {
			return categories.Categories(r.Context(), limit, after)
		})
		if err != nil {
			return err
		}
		w.Header().Set("Cache-Control", cfg.PublicCache)
		return api.WriteTagged(w, r, list)
	}
}
