package api

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/tienda-dev/tienda/shared/problem"
)

// ETag returns the strong entity tag of a version (RFC 9110 section 8.8.3): "7" in quotes.
func ETag(version int64) string {
	return `"` + strconv.FormatInt(version, 10) + `"`
}

// NotModified reports whether If-None-Match names etag, so that a GET is answered with 304
// (RFC 9110 section 13.1.2: weak comparison, "*" matches).
func NotModified(r *http.Request, etag string) bool {
	for tag := range tags(r.Header.Values("If-None-Match")) {
		if tag == "*" || strings.TrimPrefix(tag, "W/") == etag {
			return true
		}
	}
	return false
}

// IfMatch returns the version that the request's If-Match header names (RFC 9110 section 13.1.1),
// which must be one strong tag of ours. Without the header it is 428 precondition_required; "*", which
// names none, is 400; a tag that no version of ours can have is 412 precondition_failed.
func IfMatch(r *http.Request) (int64, error) {
	values := r.Header.Values("If-Match")
	if len(values) == 0 {
		return 0, problem.New(problem.PreconditionRequired, "precondition_required",
			"Send the entity tag that you read in an If-Match header.").
			WithFields(problem.FieldError{Pointer: "If-Match", Detail: "is required"})
	}
	var version int64
	found := 0
	for tag := range tags(values) {
		found++
		if tag == "*" {
			return 0, problem.Parameter("If-Match", "must name the version that you read")
		}
		inner, ok := strings.CutPrefix(tag, `"`)
		inner, closed := strings.CutSuffix(inner, `"`)
		n, err := strconv.ParseInt(inner, 10, 64)
		if !ok || !closed || err != nil || n < 1 || ETag(n) != tag {
			return 0, problem.Stale()
		}
		version = n
	}
	if found != 1 {
		return 0, problem.Parameter("If-Match", "must be one entity tag")
	}
	return version, nil
}

// tags yields the members of a list of entity tags. A comma inside a tag's quotes does not occur
// in ours.
func tags(values []string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, value := range values {
			for tag := range strings.SplitSeq(value, ",") {
				if tag = strings.TrimSpace(tag); tag != "" && !yield(tag) {
					return
				}
			}
		}
	}
}
