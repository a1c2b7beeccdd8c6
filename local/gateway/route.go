package gateway

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// defaultRouteKey is the key of the route that takes what no other route takes.
const defaultRouteKey = "$default"

// Route binds a route key to a function.
type Route struct {
	// RouteKey is "GET /v1/products/{id}", "ANY /files/{path+}" or "$default".
	RouteKey string
	// Function is the name that the Invoker knows.
	Function string
	// Authorizer is a name in Config.Authorizers. Empty is a public route.
	Authorizer string
	// Throttle limits this route instead of the stage's limit. Nil uses the stage's.
	Throttle *Throttle
}

// route is a parsed Route.
type route struct {
	Route
	method   string // upper case, "ANY", or empty for $default
	segments []segment
	bucket   *bucket
}

// segment is one part of a route's path between slashes.
type segment struct {
	kind segmentKind
	text string // the literal, or the variable's name
}

// segmentKind orders segments by how exactly they match.
type segmentKind int

const (
	literal segmentKind = iota
	variable
	greedy
)

// parseRoute parses a route key.
func parseRoute(r Route) (*route, error) {
	if r.RouteKey == defaultRouteKey {
		return &route{Route: r}, nil
	}
	method, path, found := strings.Cut(r.RouteKey, " ")
	if !found || !strings.HasPrefix(path, "/") || method == "" || method != strings.ToUpper(method) {
		return nil, fmt.Errorf("route %q: want \"METHOD /path\" or %s", r.RouteKey, defaultRouteKey)
	}

	parsed := &route{Route: r, method: method}
	parts := strings.Split(path[1:], "/")
	for i, part := range parts {
		s := segment{text: part}
		if strings.HasPrefix(part, "{") && strings.HasSuffix(part, "}") {
			s.kind, s.text = variable, part[1:len(part)-1]
			if name, isGreedy := strings.CutSuffix(s.text, "+"); isGreedy {
				s.kind, s.text = greedy, name
			}
			named := func(other segment) bool { return other.kind != literal && other.text == s.text }
			if s.text == "" || slices.ContainsFunc(parsed.segments, named) {
				return nil, fmt.Errorf("route %q: a path variable needs a name of its own", r.RouteKey)
			}
		}
		if strings.ContainsAny(s.text, "{}+") && s.kind != literal || strings.ContainsAny(s.text, "{}") {
			return nil, fmt.Errorf("route %q: malformed path variable in %q", r.RouteKey, part)
		}
		if s.kind == greedy && i != len(parts)-1 {
			return nil, fmt.Errorf("route %q: {%s+} must be the last segment", r.RouteKey, s.text)
		}
		parsed.segments = append(parsed.segments, s)
	}
	return parsed, nil
}

// compareRoutes orders routes so that the first that matches is the one API Gateway selects: the
// most exact path, a path variable before a greedy one, a method before ANY, $default last.
// (Developer guide, "Routing API requests".)
func compareRoutes(a, b *route) int {
	if (a.method == "") != (b.method == "") {
		if a.method == "" {
			return 1
		}
		return -1
	}
	for i := range min(len(a.segments), len(b.segments)) {
		if d := int(a.segments[i].kind) - int(b.segments[i].kind); d != 0 {
			return d
		}
	}
	// Two routes of different lengths never match the same request. They are ordered anyway, because
	// otherwise equality would not be transitive, and sorting needs that.
	if d := len(a.segments) - len(b.segments); d != 0 {
		return d
	}
	if (a.method == "ANY") != (b.method == "ANY") {
		if a.method == "ANY" {
			return 1
		}
		return -1
	}
	return 0
}

// shape returns the route key without the names of its variables. Two routes of the same shape match
// the same requests.
func (rt *route) shape() string {
	var b strings.Builder
	b.WriteString(rt.method)
	for _, s := range rt.segments {
		fmt.Fprintf(&b, "/%d", s.kind)
		if s.kind == literal {
			b.WriteString(s.text)
		}
	}
	return b.String()
}

// match returns the path parameters when the route takes the request. path is decoded once.
func (rt *route) match(method, path string) (map[string]string, bool) {
	if rt.method == "" {
		return nil, true
	}
	if rt.method != "ANY" && rt.method != method || !strings.HasPrefix(path, "/") {
		return nil, false
	}

	var parameters map[string]string
	rest := path[1:]
	for i, s := range rt.segments {
		part, after, more := strings.Cut(rest, "/")
		switch s.kind {
		case literal:
			if part != s.text {
				return nil, false
			}
		case greedy:
			part, more = rest, false
			fallthrough
		case variable:
			value, err := url.PathUnescape(part)
			if err != nil || part == "" {
				return nil, false
			}
			if parameters == nil {
				parameters = make(map[string]string, len(rt.segments))
			}
			parameters[s.text] = value
		}
		if last := i == len(rt.segments)-1; last == more {
			return nil, false // too many parts, or too few
		}
		rest = after
	}
	return parameters, true
}

// decodePath does to a request's path what API Gateway does: it decodes the path, cuts it at a question
// mark that appears by decoding, selects the route by the rest, and decodes the rest once more into
// rawPath. A path that cannot be decoded twice is refused. So %2F separates segments, %252F arrives as
// a slash, and %25 alone is an error.
//
// Found by requests to a deployed HTTP API, July 2026: github.com/hotsock/voker,
// vokerhttp/testdata/ingress-paths.json. AWS documents only that parameters are decoded.
func decodePath(escaped string) (selection, rawPath string, err error) {
	selection, err = url.PathUnescape(escaped)
	if err != nil {
		return "", "", err
	}
	selection, _, _ = strings.Cut(selection, "?")
	rawPath, err = url.PathUnescape(selection)
	return selection, rawPath, err
}
