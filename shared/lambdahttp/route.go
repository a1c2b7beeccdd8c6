package lambdahttp

import (
	"net/http"
	"net/url"
	"strings"
)

// serves reports whether a function that is built for the route may answer an event of the other
// route key. An empty route is any. "GET /path" serves HEAD too, as a pattern of http.ServeMux does.
// "ANY /path" serves every method of the path: API Gateway keeps ANY in the event, sam local writes the
// request's method there.
func serves(route, key string) bool {
	if route == "" || route == key {
		return true
	}
	method, path, _ := strings.Cut(route, " ")
	keyMethod, keyPath, hasMethod := strings.Cut(key, " ")
	return hasMethod && path == keyPath &&
		(method == "ANY" || method == http.MethodGet && keyMethod == http.MethodHead)
}

// isPreflight reports whether the event is a CORS preflight (Fetch standard, section 3.2) for the path of the route.
func isPreflight(route, key string, p payload) bool {
	want, ok := template(route)
	path, isOptions := strings.CutPrefix(key, "OPTIONS ")
	return ok && isOptions && path == want && p.method() == http.MethodOptions &&
		p.headerValue("Access-Control-Request-Method") != ""
}

// template returns the path of a route key, and false for "$default".
func template(key string) (string, bool) {
	_, path, ok := strings.Cut(key, " ")
	return path, ok
}

// match holds a decoded path against a route's template ("/a/{id}", "/files/{path+}"), and hands
// every path parameter to set. A greedy parameter takes the rest, at least one segment.
func match(template, path string, set func(name, value string)) bool {
	for {
		var want, have string
		var moreWanted, more bool
		want, template, moreWanted = strings.Cut(template, "/")
		name, isParameter := parameter(want)
		if greedy, ok := strings.CutSuffix(name, "+"); ok && isParameter && path != "" {
			set(greedy, path)
			return true
		}
		have, path, more = strings.Cut(path, "/")
		switch {
		case isParameter && have != "":
			set(name, have)
		case want != have:
			return false
		}
		if !moreWanted || !more {
			return moreWanted == more
		}
	}
}

func parameter(segment string) (string, bool) {
	if len(segment) > 2 && segment[0] == '{' && segment[len(segment)-1] == '}' {
		return segment[1 : len(segment)-1], true
	}
	return "", false
}

func matches(template, path string) bool {
	return match(template, path, func(string, string) {})
}

// setPathValues gives the request the route's path parameters: the gateway's where the event has
// them, else those that the template finds in the path.
func setPathValues(r *http.Request, key, path string, fromEvent []pair) {
	if len(fromEvent) == 0 {
		if t, ok := template(key); ok && strings.Contains(t, "{") && matches(t, path) {
			match(t, path, r.SetPathValue)
		}
		return
	}
	for _, p := range fromEvent {
		r.SetPathValue(p.name, p.value)
	}
}

// cutStage removes the stage that rawPath of a named stage starts with. Behind a custom domain it
// may not be there while the route itself starts with the same word, so the route decides where
// both readings are possible.
func cutStage(path, stage, key string) string {
	if stage == "" || stage == "$default" {
		return path
	}
	rest, ok := cutSegments(path, "/"+stage)
	if !ok {
		return path
	}
	if t, ok := template(key); ok && matches(t, path) && !matches(t, rest) {
		return path
	}
	return rest
}

// cutSegments removes a prefix of whole segments: "/api" is one of "/api/x" and not of "/apiary".
func cutSegments(path, prefix string) (string, bool) {
	rest, ok := strings.CutPrefix(path, prefix)
	switch {
	case !ok:
		return path, false
	case rest == "":
		return "/", true
	case rest[0] == '/':
		return rest, true
	default:
		return path, false
	}
}

// basePath is a path prefix as it appears in a decoded and in an encoded path.
type basePath struct{ decoded, encoded string }

func newBasePath(prefix string) basePath {
	prefix = strings.Trim(prefix, "/")
	if prefix == "" {
		return basePath{}
	}
	u := url.URL{Path: "/" + prefix}
	return basePath{decoded: u.Path, encoded: u.EscapedPath()}
}
