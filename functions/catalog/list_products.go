package catalog

import (
	"context"
	"net/http"
	"net/url"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/page"
	"github.com/tienda-dev/tienda/shared/problem"
)

type productLister interface {
	List(ctx context.Context, filter Filter, limit int, after []byte) ([]Product, []byte, error)
}

// ListProducts answers 200 with a page of active products, newest first, or 304. Query parameters:
// category, status (active and nothing else: 403), limit (1 to 100, default 20) and cursor.
func ListProducts(products productLister, cursors page.Cursors, cfg Config) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		query, err := page.ParseQuery(r, "category", "status")
		if err != nil {
			return err
		}
		filter, err := listFilter(query)
		if err != nil {
			return err
		}
		if filter.Status != Active {
			return errStatusNotVisible()
		}

		list, err := readList(r.Context(), query, products, cursors, page.Binding{Route: ListProductsRoute.Name}, filter)
		if err != nil {
			return err
		}
		w.Header().Set("Cache-Control", cfg.PublicCache)
		return api.WriteTagged(w, r, list)
	}
}

func errStatusNotVisible() *problem.Error {
	return problem.New(problem.Forbidden, "status_not_visible", "You may list active products only.").
		WithFields(problem.FieldError{Pointer: "status", Detail: "must be active"})
}

// readList reads a page of the products that the filter selects. The cursor is bound to the filter too.
func readList(ctx context.Context, query url.Values, products productLister, cursors page.Cursors, b page.Binding, filter Filter) (page.Page[Product], error) {
	b.Filter = filter.Category + "\n" + string(filter.Status)
	return page.Read(query, cursors.Get(ctx), b, func(limit int, after []byte) ([]Product, []byte, error) {
		return products.List(ctx, filter, limit, after)
	})
}

// listFilter reads category and status from the query. Without a status it is active.
func listFilter(query url.Values) (Filter, error) {
	filter := Filter{Category: query.Get("category"), Status: Active}
	if query.Has("category") {
		var r rules
		r.category(filter.Category)
		if len(r.broken) > 0 {
			return Filter{}, problem.Parameter("category", r.broken[0].Detail)
		}
	}
	if query.Has("status") {
		filter.Status = Status(query.Get("status"))
		if !filter.Status.Valid() {
			return Filter{}, problem.Parameter("status", "must be draft, active or archived")
		}
	}
	return filter, nil
}
