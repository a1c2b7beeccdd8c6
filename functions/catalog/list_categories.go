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

// ListCategories answers 200 with every category that has products for sale, by name.
func ListCategories(categories categoryLister) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		all, err := categories.Categories(r.Context())
		if err != nil {
			return err
		}
		return api.Write(w, http.StatusOK, page.New(all, ""))
	}
}
