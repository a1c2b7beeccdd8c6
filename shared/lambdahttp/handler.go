package lambdahttp

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/problem"
)

// Config says which events a Handler serves. Its zero value serves any route.
type Config struct {
	// RouteKey is the route that the function is built for ("GET /v1/products/{id}", "ANY /x",
	// "$default"). An event of another route is refused: the handler's policy is this route's.
	// Empty serves every route; a Function URL's events say "$default".
	RouteKey string
	// BasePath is removed from the path of every request that lies below it, on a segment
	// boundary. Empty removes nothing.
	BasePath string
	// RefusalHeader stands on every answer that this package gives itself: what the handler's
	// middleware would have set, such as middleware.SecurityHeaders' set. Nil is
	// X-Content-Type-Options: nosniff alone.
	RefusalHeader http.Header
	// Logger is told about requests that end here: refused, panicked, too large. Nil tells
	// nobody.
	Logger *zap.Logger
}

// Handler serves events with a net/http handler. It implements lambda.Handler of aws-lambda-go
// and is safe for concurrent invocations.
type Handler struct {
	next          http.Handler
	route         string
	base          basePath
	logger        *zap.Logger
	refusalHeader http.Header
}

// New returns a Handler that serves events with h. It panics when h is nil.
func New(h http.Handler, cfg Config) *Handler {
	if h == nil {
		panic("lambdahttp: New without a handler")
	}
	logger := cfg.Logger
	if logger == nil {
		logger = zap.NewNop()
	}
	header := cfg.RefusalHeader
	if header == nil {
		header = http.Header{"X-Content-Type-Options": {"nosniff"}}
	}
	return &Handler{next: h, route: cfg.RouteKey, base: newBasePath(cfg.BasePath), logger: logger, refusalHeader: header}
}

// errWrongRoute is the fault of a template that points a route at another route's function.
var errWrongRoute = errors.New("lambdahttp: the event belongs to another route")

// Invoke answers one event. The error is always nil: a function error would reach the client as
// the gateway's bare 500 and count as a crash of the function, so whatever goes wrong is an HTTP
// answer. A client's fault is a 400; an event of another route or none of HTTP, a panic and an
// answer that cannot be sent are a logged 500.
//
// The request's context is ctx, so lambdacontext and the deadline work, with EventFrom and
// identity.AuthorizerFrom added.
func (h *Handler) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	p, err := decode(event)
	if err != nil {
		return h.refuse(ctx, new(payload2), internal(err)), nil
	}
	a, err := h.serve(ctx, p)
	if err != nil {
		return h.refuse(ctx, p, err), nil
	}
	if encoded := p.encode(a); len(encoded) <= maxResponse {
		return encoded, nil
	}
	return h.refuse(ctx, p, tooLarge(errTooLarge)), nil
}

func (h *Handler) serve(ctx context.Context, p payload) (a answer, err error) {
	// The chain recovers panics itself and knows more; this one is for what is outside it.
	defer func() {
		if v := recover(); v != nil {
			a, err = answer{}, panicked(v)
		}
	}()
	facts := p.facts()
	if !serves(h.route, facts.RouteKey) {
		return answer{}, internal(fmt.Errorf("%w: %q instead of %q", errWrongRoute, facts.RouteKey, h.route))
	}
	ctx = withEvent(ctx, facts)
	if m, ok := p.authorizer(); ok {
		ctx = identity.WithAuthorizer(ctx, m)
	}
	r, err := p.request(ctx, h.base)
	if err != nil {
		return answer{}, err
	}

	w := newWriter(r.Method)
	h.next.ServeHTTP(w, r)
	a, err = w.finish()
	switch {
	case errors.Is(err, errTooLarge):
		return answer{}, tooLarge(err)
	case err != nil:
		return answer{}, internal(err)
	}
	return a, nil
}

// refuse answers for the handler, with the headers that the chain would have set.
func (h *Handler) refuse(ctx context.Context, p payload, err error) []byte {
	w := newWriter(p.method())
	maps.Copy(w.header, h.refusalHeader)
	id := requestID(ctx, p)
	w.header.Set(problem.HeaderRequestID, id)
	problem.Write(w, new(http.Request).WithContext(ctx), err) // sets Cache-Control: no-store

	fields := []zap.Field{
		zap.String(logging.KeyCorrelationID, id),
		zap.String("route_key", p.facts().RouteKey),
		zap.Int("status", w.status),
		logging.Error(err),
	}
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		fields = append(fields, zap.String(logging.KeyFunctionRequestID, lc.AwsRequestID))
	}
	if w.status >= http.StatusInternalServerError {
		h.logger.Error("event not served", fields...)
	} else {
		h.logger.Warn("request refused", fields...)
	}

	a, err := w.finish()
	if err != nil { // a small body of no declared length always finishes
		a = answer{status: http.StatusInternalServerError}
	}
	return p.encode(a)
}

// requestID returns the client's id when it is valid, else the gateway's or the invocation's, else a
// new one.
func requestID(ctx context.Context, p payload) string {
	// The gateway's ids are base64 and end in "=".
	candidates := []string{p.headerValue(problem.HeaderRequestID), strings.TrimRight(p.facts().RequestID, "=")}
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		candidates = append(candidates, lc.AwsRequestID)
	}
	for _, id := range candidates {
		if problem.ValidRequestID(id) {
			return id
		}
	}
	return rand.Text()
}

// panicked is what became of a request whose handler panicked. http.ErrAbortHandler is how a
// handler says that its answer is not to be sent, so where it comes from is not worth a stack.
func panicked(value any) error {
	if err, ok := value.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		return internal(err)
	}
	return internal(logging.Panicked(value))
}

func internal(cause error) error {
	return problem.New(problem.Internal, "internal", "").WithCause(cause)
}

func tooLarge(cause error) error {
	return problem.New(problem.Internal, "response_too_large", "The answer is too large to be delivered.").WithCause(cause)
}
