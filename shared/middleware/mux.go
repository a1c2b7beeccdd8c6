package middleware

import (
	"fmt"
	"net/http"
	"path"
	"strings"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/problem"
)

// Endpoint is one route of a Mux.
type Endpoint struct {
	// Route is the operation and its policy. A route with api.DefaultPath gets what no other route matches.
	Route api.Route
	// Handler answers its requests.
	Handler api.Handler
	// Authenticator replaces the Config's for this route; nil keeps that one.
	Authenticator Authenticator
}

// unmatched is the name of a Mux's own default route.
const unmatched = "unmatched"

// Mux returns one handler for several routes, each behind a chain of its own. A path that no route has gets 404, a
// method that a path does not have gets 405 with Allow, both as problem documents. With a CORS policy it answers the
// preflights of every path. HEAD is served by the route of GET.
//
// Mux returns an error for what Chain refuses, and for two routes that match the same request.
func Mux(cfg Config, endpoints ...Endpoint) (http.Handler, error) {
	m := &mux{routes: http.NewServeMux()}
	fallback := Endpoint{
		Route: api.Route{Name: unmatched, Path: api.DefaultPath, Auth: api.Public, Rate: api.Unlimited}, Handler: m.unmatched,
	}
	for _, e := range endpoints {
		if e.Route.Path == api.DefaultPath {
			if fallback.Route.Name != unmatched {
				return nil, fmt.Errorf("route %q: %q is the default route already", e.Route.Name, fallback.Route.Name)
			}
			fallback = e
			continue
		}
		h, err := e.chain(cfg)
		if err == nil {
			err = m.add(e.Route, h)
		}
		if err != nil {
			return nil, err
		}
	}
	var err error
	m.fallback, err = fallback.chain(cfg)
	return m, err
}

func (e Endpoint) chain(cfg Config) (*chain, error) {
	if e.Authenticator != nil {
		cfg.Authenticator = e.Authenticator
	}
	return newChain(e.Route, cfg, e.Handler)
}

// mux is the handler of several routes.
type mux struct {
	routes   *http.ServeMux
	fallback *chain
}

// add registers a route. ServeMux panics when two patterns conflict.
func (m *mux) add(route api.Route, h http.Handler) (err error) {
	defer func() {
		if conflict := recover(); conflict != nil {
			err = fmt.Errorf("route %q: %v", route.Name, conflict)
		}
	}()
	m.routes.Handle(strings.ReplaceAll(route.Key(), "+}", "...}"), h) // a greedy parameter
	return nil
}

// ServeHTTP implements http.Handler.
func (m *mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if m.matches(r) {
		m.routes.ServeHTTP(w, r)
		return
	}
	m.fallback.ServeHTTP(w, r)
}

// Refuse is chain.Refuse.
func (m *mux) Refuse(w http.ResponseWriter, r *http.Request, err error) { m.fallback.Refuse(w, r, err) }

// matches reports whether a route serves the request. ServeMux would redirect a path with empty or dotted segments, or
// without the segments of a greedy parameter; API Gateway does not.
func (m *mux) matches(r *http.Request) bool {
	h, _ := m.routes.Handler(r)
	_, isRoute := h.(*chain)
	return isRoute && clean(r)
}

func clean(r *http.Request) bool {
	escaped := r.URL.EscapedPath()
	return path.Clean(escaped) == escaped
}

// unmatched answers 405 if another method has the path, else 404.
func (m *mux) unmatched(w http.ResponseWriter, r *http.Request) error {
	refused := refusal{header: http.Header{}}
	if clean(r) {
		h, _ := m.routes.Handler(r)
		h.ServeHTTP(&refused, r)
	}
	if refused.status != http.StatusMethodNotAllowed {
		return problem.RouteNotFound()
	}
	w.Header().Set("Allow", refused.header.Get("Allow"))
	return problem.New(problem.MethodNotAllowed, "method_not_allowed", "This path does not have the method.")
}

// refusal takes the status and the headers of ServeMux's own answer.
type refusal struct {
	header http.Header
	status int
}

// Header implements http.ResponseWriter.
func (r *refusal) Header() http.Header { return r.header }

// WriteHeader implements http.ResponseWriter.
func (r *refusal) WriteHeader(status int) { r.status = status }

// Write implements http.ResponseWriter.
func (r *refusal) Write(p []byte) (int, error) { return len(p), nil }
