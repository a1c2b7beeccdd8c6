package lambdahttp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/problem"
)

// Config says which events a Handler serves. Its zero value serves any route.
type Config struct {
	// RouteKey is the route that the function is built for ("GET /v1/products/{id}", "ANY /x",
	// "$default"). A GET route serves HEAD too. An event of another route is refused: the handler's
	// policy is this route's. Empty serves every route; a Function URL's events have "$default".
	RouteKey string
	// BasePath is removed from the path of every request that lies below it, on a segment
	// boundary. Empty removes nothing.
	BasePath string
	// Preflight says that the handler answers CORS preflights: one for RouteKey's path is served too, if the API has
	// a route "OPTIONS /path" to the function.
	Preflight bool
}

// Handler serves events with a net/http handler. It implements lambda.Handler of aws-lambda-go
// and is safe for concurrent invocations.
type Handler struct {
	next      http.Handler
	refuse    func(w http.ResponseWriter, r *http.Request, err error)
	route     string
	base      basePath
	preflight bool
	coreKey   any
}

// New returns a Handler that serves events with h. It panics when h is nil.
//
// What does not reach h, or comes out of it as a panic, is answered by h's own method Refuse. The
// handlers of middleware.Chain have one, which writes the access line. For other handlers New
// answers with problem.Write and logs nothing.
func New(h http.Handler, cfg Config) *Handler {
	if h == nil {
		panic("lambdahttp: New without a handler")
	}
	refuse := bareRefusal
	if r, ok := h.(interface {
		Refuse(w http.ResponseWriter, r *http.Request, err error)
	}); ok {
		refuse = r.Refuse
	}
	return &Handler{
		next: h, refuse: refuse, route: cfg.RouteKey, base: newBasePath(cfg.BasePath), preflight: cfg.Preflight,
		coreKey: coreKey(),
	}
}

// errWrongRoute is the error of a template that points a route at another route's function.
var errWrongRoute = errors.New("lambdahttp: the event belongs to another route")

// Invoke answers one event. The error is always nil: a function error would reach the client as
// the gateway's bare 500 and count as a crash of the function, so every failure is an HTTP answer.
// A client's error is a 400. An event of another route, an event that is not HTTP, a panic and an
// answer that cannot be sent are a 500.
//
// The request's context is ctx, so lambdacontext and the deadline work, with EventFrom,
// identity.AuthorizerFrom and identity.ClaimsFrom added.
func (h *Handler) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	p, err := decode(event)
	if err != nil {
		return h.refused(ctx, new(payload2), err), nil
	}
	answer, err := h.serve(ctx, p)
	if err != nil {
		return h.refused(ctx, p, err), nil
	}
	return answer, nil
}

func (h *Handler) serve(ctx context.Context, p payload) (answer []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			answer, err = nil, panicked(v)
		}
	}()
	ec := withEvent(ctx, p, h.coreKey)
	if key := ec.event.RouteKey; !serves(h.route, key) && !(h.preflight && isPreflight(h.route, key, p)) {
		return nil, fmt.Errorf("%w: %q instead of %q", errWrongRoute, key, h.route)
	}
	ctx = ec
	if m, ok := p.authorizer(); ok {
		ctx = identity.WithAuthorizer(ctx, m)
	}
	if c, ok := p.claims(); ok {
		ctx = identity.WithClaims(ctx, c)
	}
	r, err := p.request(ctx, h.base)
	if err != nil {
		return nil, err
	}

	w := newWriter(p)
	h.next.ServeHTTP(w, r)
	return w.result()
}

// refused returns the answer to an event that the handler has not answered.
func (h *Handler) refused(ctx context.Context, p payload, cause error) []byte {
	r := &http.Request{Method: p.method(), URL: &url.URL{}, Header: http.Header{}, Body: http.NoBody}
	r = r.WithContext(withEvent(ctx, p, h.coreKey))
	if id := p.headerValue(problem.HeaderRequestID); id != "" {
		r.Header.Set(problem.HeaderRequestID, id)
	}
	answer, err := refusal(h.refuse, p, r, cause)
	if err != nil { // the panic came from a layer of the chain that a refusal passes too
		answer, _ = refusal(bareRefusal, p, r, cause)
	}
	return answer
}

func refusal(refuse func(http.ResponseWriter, *http.Request, error), p payload, r *http.Request, cause error) (answer []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			answer, err = nil, panicked(v)
		}
	}()
	w := newWriter(p)
	refuse(w, r, cause)
	return w.result()
}

// bareRefusal answers for a handler without Refuse.
func bareRefusal(w http.ResponseWriter, r *http.Request, err error) {
	w.Header().Set(problem.HeaderRequestID, problem.RequestID(r))
	w.Header().Set("X-Content-Type-Options", "nosniff")
	problem.Write(w, r, err) // sets Cache-Control: no-store
}

// panicked returns the error of a recovered panic. A handler panics with http.ErrAbortHandler to
// say that its answer must not be sent, so that panic needs no stack.
func panicked(value any) error {
	if err, ok := value.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		return err
	}
	return logging.Panicked(value)
}
