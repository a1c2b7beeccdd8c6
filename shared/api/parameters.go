package api

import (
	"net/url"
	"slices"
	"strings"

	"github.com/tienda-dev/tienda/shared/problem"
)

// MalformedQuery returns the 400 problem for a query with a parameter that is broken (Parameters).
func MalformedQuery(broken problem.FieldError) *problem.Error {
	return problem.New(problem.BadRequest, "malformed_query", "The query string is not well-formed.").WithFields(broken)
}

// Parameters returns the known parameters of a query or a form (WHATWG URL,
// application/x-www-form-urlencoded). Only an ampersand separates parameters, so a semicolon is data. Others
// than the known ones are ignored, whatever they hold. If the percent-encoding of a known parameter's value is broken,
// broken names it, and not its value, and there are no values.
func Parameters(raw string, known ...string) (values url.Values, broken *problem.FieldError) {
	values = url.Values{}
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err != nil || !slices.Contains(known, name) {
			continue
		}
		if value, err = url.QueryUnescape(value); err != nil {
			return nil, &problem.FieldError{Pointer: name, Detail: "has a broken percent-encoding"}
		}
		values.Add(name, value)
	}
	return values, nil
}
