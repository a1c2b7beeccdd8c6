package catalog

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/page"
	"github.com/tienda-dev/tienda/shared/problem"
)

// Cursors gives the sealer of the moment: its keys may be rotated while the process lives.
type Cursors interface {
	Get(ctx context.Context) *page.Sealer
}

// parseQuery returns the query parameters. A query that cannot be decoded or that gives a parameter
// twice is a 400; parameters that nobody knows are otherwise ignored.
func parseQuery(r *http.Request) (url.Values, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, problem.New(problem.BadRequest, "malformed_query", "The query string is not well-formed.")
	}
	for name, values := range query {
		if len(values) > 1 {
			return nil, problem.Parameter(name, "must be given once")
		}
	}
	return query, nil
}

// pager cuts a route's answers into pages for one caller and one filter.
type pager struct {
	sealer  *page.Sealer
	binding page.Binding
	limit   int
	after   []byte
}

// newPager reads limit and cursor. The cursor opens for the same route, filter and caller only.
func newPager(r *http.Request, cursors Cursors, query url.Values, route api.Route, filter ...string) (pager, error) {
	caller, _ := identity.UserID(r.Context())
	p := pager{
		sealer:  cursors.Get(r.Context()),
		binding: page.Binding{Route: route.Name, Filter: strings.Join(filter, "\n"), Principal: caller},
	}
	var err error
	if p.limit, err = page.ParseLimit(query, page.DefaultLimit, page.MaxLimit); err != nil {
		return pager{}, err
	}
	if query.Has(page.ParamCursor) {
		if err := p.sealer.Open(p.binding, query.Get(page.ParamCursor), &p.after); err != nil {
			return pager{}, err
		}
	}
	return p, nil
}

// maxPageBytes bounds a page's JSON. Lambda takes 6 MB, in which the text may double by escaping.
const maxPageBytes = 2 << 20

// answer reads a page and writes it. A page of products so large that it would not fit into
// Lambda's response is read again with half as many: clients go by has_more, not by a page's length.
func (p pager) answer(w http.ResponseWriter, read func(limit int, after []byte) ([]Product, []byte, error)) error {
	for limit := p.limit; ; limit = (limit + 1) / 2 {
		products, next, err := read(limit, p.after)
		if err != nil {
			return err
		}
		text, err := json.Marshal(products)
		if err != nil {
			return err
		}
		if len(text) <= maxPageBytes || limit == 1 {
			return p.write(w, products, next)
		}
	}
}

// write answers with the page; next is the position behind it, nil on the last page.
func (p pager) write(w http.ResponseWriter, products []Product, next []byte) error {
	cursor := ""
	if next != nil {
		var err error
		if cursor, err = p.sealer.Seal(p.binding, next); err != nil {
			return err
		}
	}
	return api.Write(w, http.StatusOK, page.New(products, cursor))
}
