package catalog

import (
	"context"
	"net/http"
	"strings"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/shared/page"
	"github.com/tienda-dev/tienda/shared/problem"
)

type productSearcher interface {
	Search(ctx context.Context, q Query, limit int, after []byte) ([]Product, []byte, error)
}

// SearchProducts answers 200 with a page of active products, or 304. A product is found when its name,
// tags or SKU have, for every word of q, a word that starts with it; letter case, accents and invisible
// characters do not count, and neither do words of a product after its first MaxWords and words shorter than MinWord.
// The product whose SKU or name is q comes first. Query parameters: q (any text with a letter or number; the words
// after the first MaxQueryWords are not looked for), limit (1 to 100, default 20) and cursor.
func SearchProducts(products productSearcher, cursors page.Cursors, cfg Config) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		query, err := page.ParseQuery(r, "q")
		if err != nil {
			return err
		}
		q := NewQuery(query.Get("q"))
		if q.Phrase == "" {
			return errQueryTooShort()
		}

		binding := page.Binding{Route: SearchProductsRoute.Name, Filter: q.Phrase + "\n" + strings.Join(q.Words, "\n")}
		searched := metrics.From(r.Context()).Search(r.Context())
		found, err := page.Read(query, cursors.Get(r.Context()), binding, func(limit int, after []byte) ([]Product, []byte, error) {
			return products.Search(r.Context(), q, limit, after)
		})
		if err != nil {
			return err
		}
		searched(len(found.Data))
		w.Header().Set("Cache-Control", cfg.PublicCache)
		return api.WriteTagged(w, r, found)
	}
}

func errQueryTooShort() *problem.Error {
	return problem.New(problem.BadRequest, "query_too_short", "The search needs a letter or a number.").
		WithFields(problem.FieldError{Pointer: "q", Detail: "must have a letter or a number"})
}
