// Package page reads lists page by page: the answer's shape, the limit, and sealed cursors that the
// client can neither read nor change.
package page

import (
	"fmt"
	"net/url"
	"strconv"

	"github.com/tienda-dev/tienda/shared/problem"
)

// The number of items on a page.
const (
	DefaultLimit = 20
	MaxLimit     = 100
)

// Names of the query parameters.
const (
	ParamLimit  = "limit"
	ParamCursor = "cursor"
)

// Page is one page of a list as the client sees it. New and Read return one.
type Page[T any] struct {
	// Data is the page's items, never null.
	Data []T `json:"data"`
	// HasMore reports that NextCursor leads to more.
	HasMore bool `json:"has_more"`
	// NextCursor is the cursor parameter of the next page; absent on the last one.
	NextCursor string `json:"next_cursor,omitempty"`
}

// New returns a page. nextCursor is empty on the last one.
func New[T any](data []T, nextCursor string) Page[T] {
	if data == nil {
		data = []T{}
	}
	return Page[T]{Data: data, HasMore: nextCursor != "", NextCursor: nextCursor}
}

// parseLimit returns the limit parameter: a whole number from 1 to MaxLimit, or DefaultLimit if it is
// absent. Anything else is a 400 that names it.
func parseLimit(query url.Values) (int, error) {
	if !query.Has(ParamLimit) {
		return DefaultLimit, nil
	}
	text := query.Get(ParamLimit)
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > MaxLimit || strconv.Itoa(n) != text {
		return 0, problem.Parameter(ParamLimit, fmt.Sprintf("must be a whole number from 1 to %d", MaxLimit))
	}
	return n, nil
}
