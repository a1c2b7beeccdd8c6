package page

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"unicode/utf8"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/problem"
)

// Cursors returns the current sealer: its keys may be rotated while the process runs.
type Cursors interface {
	Get(ctx context.Context) *Sealer
}

// ParseQuery returns limit, cursor and the other known query parameters. One that cannot be decoded, is not
// UTF-8 or is given twice is a 400. Unknown parameters are ignored (api.Parameters).
func ParseQuery(r *http.Request, known ...string) (url.Values, error) {
	query, broken := api.Parameters(r.URL.RawQuery, append(known, ParamLimit, ParamCursor)...)
	if broken != nil {
		return nil, api.MalformedQuery(*broken)
	}
	for name, values := range query {
		if len(values) > 1 {
			return nil, problem.Parameter(name, "must be given once")
		}
		if !utf8.ValidString(values[0]) {
			return nil, problem.Parameter(name, "must be UTF-8")
		}
	}
	return query, nil
}

// size returns the bytes that api.Write makes of v, which does not escape HTML.
func size(v any) (int, error) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return body.Len(), err
}

// maxPageBytes bounds a page's JSON. Lambda accepts 6 MB, and escaping may double the text.
const maxPageBytes = 2 << 20

// Read returns the page that the query parameters limit and cursor ask for. read returns at most limit
// items after a position, nil for the first page, and the position of the next page, nil on the last one.
// A page that would not fit into Lambda's response is read again with half the limit: clients rely on
// has_more, not on a page's length.
func Read[T any](query url.Values, sealer *Sealer, b Binding, read func(limit int, after []byte) ([]T, []byte, error)) (Page[T], error) {
	limit, err := parseLimit(query)
	if err != nil {
		return Page[T]{}, err
	}
	var after []byte
	if query.Has(ParamCursor) {
		if err := sealer.Open(b, query.Get(ParamCursor), &after); err != nil {
			return Page[T]{}, err
		}
	}
	for ; ; limit = (limit + 1) / 2 {
		items, next, err := read(limit, after)
		if err != nil {
			return Page[T]{}, err
		}
		if limit > 1 {
			size, err := size(items)
			if err != nil {
				return Page[T]{}, err
			}
			if size > maxPageBytes {
				continue
			}
		}
		cursor := ""
		if next != nil {
			if cursor, err = sealer.Seal(b, next); err != nil {
				return Page[T]{}, err
			}
		}
		return New(items, cursor), nil
	}
}
