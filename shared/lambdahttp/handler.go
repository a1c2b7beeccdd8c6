package lambdahttp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

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
	// Logger is told about requests that end here: refused, panicked, too large. Nil tells
	// nobody.
	Logger *zap.Logger
}

// Handler serves events with a net/http handler. It implements lambda.Handler of aws-lambda-go
// and is safe for concurrent invocations.
type Handler struct {
	next   http.Handler
	route  string
	base   basePath
	logger *zap.Logger
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
	return &Handler{next: h, route: cfg.RouteKey, base: newBasePath(cfg.BasePath), logger: logger}
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

// refuse answers for the handler, with the headers that the chain would have set: the request's
// id and what keeps an error from being cached or guessed at.
func (h *Handler) refuse(ctx context.Context, p payload, err error) []byte {
	w := newWriter(p.method())
	id := requestID(ctx, p.facts().RequestID)
	if id != "" {
		w.header.Set(problem.HeaderRequestID, id)
	}
	w.header.Set("X-Content-Type-Options", "nosniff")
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

// requestID returns the gateway's id, or the invocation's, if it may stand in a header.
func requestID(ctx context.Context, gateway string) string {
	const longest = 128
	id := gateway
	if lc, ok := lambdacontext.FromContext(ctx); ok && id == "" {
		id = lc.AwsRequestID
	}
	if len(id) > longest {
		return ""
	}
	for i := range len(id) {
		if id[i] <= ' ' || id[i] > '~' {
			return ""
		}
	}
	return id
}

// panicked is what became of a request whose handler panicked. http.ErrAbortHandler is how a
// handler says that its answer is not to be sent, so where it comes from is not worth a stack.
func panicked(value any) error {
	err, isError := value.(error)
	switch {
	case !isError:
		err = fmt.Errorf("panic: %v", value)
	case errors.Is(err, http.ErrAbortHandler):
		return internal(err)
	default:
		err = fmt.Errorf("panic: %w", err)
	}
	return internal(logging.WithStack(err, debug.Stack()))
}

func internal(cause error) error {
	return problem.New(problem.Internal, "internal", "").WithCause(cause)
}

func tooLarge(cause error) error {
	return problem.New(problem.Internal, "response_too_large", "The answer is too large to be delivered.").WithCause(cause)
}
