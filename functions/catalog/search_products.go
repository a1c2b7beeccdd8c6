package catalog

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/page"
	"github.com/tienda-dev/tienda/shared/problem"
)

// Limits of a search.
const (
	// MaxQueryWords is the maximum number of words in a query.
	MaxQueryWords = 5
	maxQuery      = 100
)

type productSearcher interface {
	Search(ctx context.Context, words []string, limit int, after []byte) ([]Product, []byte, error)
}

// SearchProducts answers 200 with a page of active products, or 304. A product is found when its name,
// tags or SKU have, for every word of q, a word that starts with it. Query parameters: q (1 to 5 words,
// each of 2 characters or more), limit (1 to 100, default 20) and cursor.
func SearchProducts(products productSearcher, cursors page.Cursors, cfg Config) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		query, err := page.ParseQuery(r, "q")
		if err != nil {
			return err
		}
		words, err := queryWords(query.Get("q"))
		if err != nil {
			return err
		}

		binding := page.Binding{Route: SearchProductsRoute.Name, Filter: strings.Join(words, "\n")}
		found, err := page.Read(query, cursors.Get(r.Context()), binding, func(limit int, after []byte) ([]Product, []byte, error) {
			return products.Search(r.Context(), words, limit, after)
		})
		if err != nil {
			return err
		}
		w.Header().Set("Cache-Control", cfg.PublicCache)
		return api.WriteTagged(w, r, found)
	}
}

func queryWords(q string) ([]string, error) {
	if len(q) > maxQuery {
		return nil, problem.Parameter("q", fmt.Sprintf("must not have more than %d bytes", maxQuery))
	}
	words := Words(q)
	if len(words) == 0 {
		return nil, problem.New(problem.BadRequest, "query_too_short", "The search needs a word of two characters or more.").
			WithFields(problem.FieldError{Pointer: "q", Detail: fmt.Sprintf("must have 1 to %d words of %d characters or more", MaxQueryWords, MinWord)})
	}
	if len(words) > MaxQueryWords {
		return nil, problem.Parameter("q", fmt.Sprintf("must not have more than %d words", MaxQueryWords))
	}
	return words, nil
}
