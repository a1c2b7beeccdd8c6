package api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/tienda-dev/tienda/shared/problem"
)

// ETag returns the strong entity tag of a version (RFC 9110 section 8.8.3): "7" in quotes.
func ETag(version int64) string {
	return `"` + strconv.FormatInt(version, 10) + `"`
}

// NotModified reports whether If-None-Match names etag, so that a GET or HEAD is answered with 304
// (RFC 9110 section 13.1.2: weak comparison, "*" matches).
func NotModified(r *http.Request, etag string) bool {
	tags := entityTags(r.Header.Values("If-None-Match"))
	return isAny(tags) || slices.ContainsFunc(tags, func(tag string) bool { return strings.TrimPrefix(tag, "W/") == etag })
}

// IfMatch returns the condition of the request's If-Match header (RFC 9110 section 13.1.1): a function that
// reports whether a change may replace a version. A list names several versions and "*" every one; a weak tag
// names none. Without the header it is 428 precondition_required, with an empty list 400.
func IfMatch(r *http.Request) (func(version int64) bool, error) {
	values := r.Header.Values("If-Match")
	if len(values) == 0 {
		return nil, problem.New(problem.PreconditionRequired, "precondition_required",
			"Send the entity tag that you read in an If-Match header.").
			WithFields(problem.FieldError{Pointer: "If-Match", Detail: "is required"})
	}
	tags := entityTags(values)
	if len(tags) == 0 {
		return nil, problem.Parameter("If-Match", "must name an entity tag")
	}
	return func(version int64) bool { return isAny(tags) || slices.Contains(tags, ETag(version)) }, nil
}

func isAny(tags []string) bool { return len(tags) == 1 && tags[0] == "*" }

// entityTags returns the members of a list of entity tags (RFC 9110 section 8.8.3). A comma within the quotes
// is part of a tag. A member that is not an entity tag is returned as it is, and equals none.
func entityTags(values []string) []string {
	var tags []string
	rest := strings.Join(values, ",")
	for {
		rest = strings.TrimLeft(rest, ", \t")
		if rest == "" {
			return tags
		}
		quoted := false
		end := strings.IndexFunc(rest, func(c rune) bool {
			quoted = quoted != (c == '"')
			return c == ',' && !quoted
		})
		if end < 0 {
			end = len(rest)
		}
		tags = append(tags, strings.TrimRight(rest[:end], " \t"))
		rest = rest[end:]
	}
}
