package api

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Parameters returns the known parameters of a query or a form (WHATWG URL,
// application/x-www-form-urlencoded). Only an ampersand separates parameters, so a semicolon is data. Others
// than the known ones are ignored, whatever they hold. An error names a known parameter whose percent-encoding
// is broken, and not its value.
func Parameters(raw string, known ...string) (url.Values, error) {
	values := url.Values{}
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		if err != nil || !slices.Contains(known, name) {
			continue
		}
		if value, err = url.QueryUnescape(value); err != nil {
			return nil, fmt.Errorf("parameter %s: broken percent-encoding", name)
		}
		values.Add(name, value)
	}
	return values, nil
}
