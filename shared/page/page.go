// Package page pages through lists: the answer's shape, the limit, and cursors that tell the client
// nothing and take it nowhere it may not go.
package page

import (
	"fmt"
	"net/url"
	"strconv"

	"github.com/tienda-dev/tienda/shared/problem"
)

// The usual page sizes for ParseLimit.
const (
	DefaultLimit = 20
	MaxLimit     = 100
)

// Names of the query parameters.
const (
	ParamLimit  = "limit"
	ParamCursor = "cursor"
)

// Page is one page of a list as the client sees it. Make it with New.
type Page[T any] struct {
	// Data is the page's items, never null.
	Data []T `json:"data"`
	// HasMore reports that NextCursor leads to more.
	HasMore bool `json:"has_more"`
	// NextCursor is the value of the cursor parameter for the next page; absent on the last one.
	NextCursor string `json:"next_cursor,omitempty"`
}

// New returns a page. nextCursor is empty on the last one.
func New[T any](data []T, nextCursor string) Page[T] {
	if data == nil {
		data = []T{}
	}
	return Page[T]{Data: data, HasMore: nextCursor != "", NextCursor: nextCursor}
}

// ParseLimit returns the limit parameter of a query: a whole number from 1 to most, or byDefault when
// it is absent. Anything else is a 400 that names it.
func ParseLimit(query url.Values, byDefault, most int) (int, error) {
	values, ok := query[ParamLimit]
	if !ok {
		return byDefault, nil
	}
	wrong := problem.Parameter(ParamLimit, fmt.Sprintf("must be a whole number from 1 to %d, once", most))
	if len(values) != 1 {
		return 0, wrong
	}
	n, err := strconv.Atoi(values[0])
	if err != nil || n < 1 || n > most || strconv.Itoa(n) != values[0] {
		return 0, wrong
	}
	return n, nil
}
