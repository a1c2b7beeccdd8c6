package catalog

import (
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/page"
)

// ListStaffProducts answers 200 with a page of the products of one status, newest first. Query
// parameters: status (draft, active or archived, default active), category, limit (1 to 100, default 20)
// and cursor.
func ListStaffProducts(products productLister, cursors page.Cursors) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		query, err := page.ParseQuery(r, "category", "status")
		if err != nil {
			return err
		}
		filter, err := listFilter(query)
		if err != nil {
			return err
		}

		binding := page.Binding{Route: ListStaffProductsRoute.Name, Principal: identity.MustUserID(r.Context())}
		list, err := readList(r.Context(), query, products, cursors, binding, filter)
		if err != nil {
			return err
		}
		return api.Write(w, http.StatusOK, list)
	}
}
