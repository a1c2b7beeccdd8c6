package catalog

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
)

type categoryLister interface {
	Categories(ctx context.Context) ([]Category, error)
}

type categoriesResponse struct {
	Data    []Category `json:"data"`
	HasMore bool       `json:"has_more"`
}

// ListCategories answers 200 with every category that has products for sale, by name.
func ListCategories(categories categoryLister) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		all, err := categories.Categories(r.Context())
		if err != nil {
			return err
		}
		return api.Write(w, http.StatusOK, categoriesResponse{Data: all})
	}
}
