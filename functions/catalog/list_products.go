package catalog

import (
	"context"
	"net/http"
	"net/url"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/problem"
)

type productLister interface {
	List(ctx context.Context, filter Filter, limit int, after []byte) ([]Product, []byte, error)
}

// ListProducts answers 200 with a page of products, newest first. Query parameters: category,
// status, limit (1 to 100, default 20) and cursor. Callers who are not staff see active products
// only and may not ask for others: 403.
func ListProducts(products productLister, cursors Cursors) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		query, err := parseQuery(r)
		if err != nil {
			return err
		}
		filter, err := listFilter(r.Context(), query)
		if err != nil {
			return err
		}
		pager, err := newPager(r, cursors, query, ListProductsRoute, filter.Category, string(filter.Status))
		if err != nil {
			return err
		}

		return pager.answer(w, func(limit int, after []byte) ([]Product, []byte, error) {
			return products.List(r.Context(), filter, limit, after)
		})
	}
}

// listFilter reads the filter and narrows it to what the caller may see.
func listFilter(ctx context.Context, query url.Values) (Filter, error) {
	filter := Filter{Category: query.Get("category"), Status: Status(query.Get("status"))}
	var r rules
	if query.Has("category") {
		r.category(filter.Category)
	}
	if len(r.broken) > 0 {
		return Filter{}, problem.Parameter("category", r.broken[0].Detail)
	}
	if query.Has("status") && !filter.Status.Valid() {
		return Filter{}, problem.Parameter("status", "must be draft, active or archived")
	}
	if isStaff(ctx) {
		return filter, nil
	}
	if filter.Status != "" && filter.Status != Active {
		return Filter{}, problem.New(problem.Forbidden, "status_not_visible", "You may list active products only.").
			WithFields(problem.FieldError{Pointer: "status", Detail: "must be active"})
	}
	filter.Status = Active
	return filter, nil
}
