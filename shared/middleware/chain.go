package middleware

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/problem"
)

// Config fills the places of the chain. The zero value works for a public route. A nil place is left
// out; Chain refuses one that the route's policy needs.
type Config struct {
	// Logger takes the request's lines; nil discards them.
	Logger *zap.Logger
	// LogFields adds fields to every line of a request; nil adds none.
	LogFields LogFields
	// Tracing and Metrics see the final status of every request, panics included.
	Tracing, Metrics Middleware
	// Headers overrides single security headers.
	Headers SecurityHeadersConfig
	// CORS is the cross-origin policy; the zero value is off.
	CORS CORSConfig
	// Deadline bounds the request.
	Deadline DeadlineConfig
	// RateLimitIP runs before the caller is known, RateLimitSubject after. Routes with a rate class need one of them.
	RateLimitIP, RateLimitSubject Middleware
	// Authenticator finds out who is calling. Routes with Auth Optional or Required need it.
	Authenticator Authenticator
	// Idempotency replays the answer of a repeated request. Routes with KeyRequired or KeyOptional need it; it is not
	// called for others.
	Idempotency Idempotency
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Idempotency wraps the handler of a route whose requests may have an idempotency key. It sees the handler's errors.
type Idempotency func(api.Route, api.Handler) api.Handler

// Chain builds the handler of a route. The order of the layers, outermost first, with the reason for
// each:
//
//	OAuth's errors  on an OAuth route, outside everything that answers
//	request id      first, so that everything below can name the request
//	tracing         the span covers everything that follows
//	metrics         like tracing; both must see the status of panics and refusals
//	access log      inside them, so that its line can carry trace ids
//	recover         inside everything that records, so that it sees a 500
//	security headers  before anything that answers, so that refusals carry them
//	Vary: Origin    where the gateway, and not the chain, adds CORS headers
//	CORS            a preflight needs no body, token or limit
//	body limit      before anything that reads the body
//	deadline        before the first call to a store
//	rate limit (IP) cheaper than authenticating
//	authorise       puts the identity into the context
//	rate limit (subject)  needs the identity
//	idempotency     scoped to the subject; only work that may run is replayed
//	handler
//
// A handler that returns an error after it has begun its answer has failed: Recover describes what
// the client gets.
//
// Chain returns an error for a route or a policy that is not complete. It knows one method only: behind a router of
// patterns with a method, a preflight does not reach it. Mux serves several routes, and answers preflights.
func Chain(route api.Route, cfg Config, handler api.Handler) (http.Handler, error) {
	c, err := newChain(route, cfg, handler)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func newChain(route api.Route, cfg Config, handler api.Handler) (*chain, error) {
	if err := route.Validate(); err != nil {
		return nil, err
	}
	if handler == nil {
		return nil, fmt.Errorf("route %q: the handler is nil", route.Name)
	}
	if cfg.Logger == nil {
		cfg.Logger = zap.NewNop()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if route.Rate != api.Unlimited && cfg.RateLimitIP == nil && cfg.RateLimitSubject == nil {
		return nil, fmt.Errorf("route %q: the rate class %q needs RateLimitIP or RateLimitSubject", route.Name, route.Rate)
	}
	if route.Idempotency != api.KeyIgnored {
		if cfg.Idempotency == nil {
			return nil, fmt.Errorf("route %q: its idempotency keys need Idempotency", route.Name)
		}
		handler = cfg.Idempotency(route, handler)
	}
	crossOrigin, corsErr := CORS(cfg.CORS)
	authorize, authErr := Authorize(route, cfg.Authenticator, cfg.Now)
	if err := errors.Join(corsErr, authErr); err != nil {
		return nil, err
	}

	outer := []Middleware{
		RequestID(cfg.Logger, cfg.LogFields),
		cfg.Tracing,
		cfg.Metrics,
		AccessLog(route.Path, cfg.Now),
		Recover,
		SecurityHeaders(cfg.Headers),
	}
	inner := []Middleware{
		crossOrigin,
		BodyLimit(route.BodyLimit()),
		Deadline(cfg.Deadline),
		cfg.RateLimitIP,
		authorize,
		cfg.RateLimitSubject,
	}
	if crossOrigin == nil {
		outer = append(outer, varyOrigin)
	}
	if route.OAuth {
		outer = append([]Middleware{oauthErrors}, outer...)
	}
	return &chain{Handler: wrap(outer, wrap(inner, serve(handler))), outer: outer}, nil
}

// oauthErrors gives the error answers OAuth's member "error".
func oauthErrors(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(problem.ForOAuth(r.Context())))
	})
}

// varyOrigin tells caches that the answer depends on the origin. An API Gateway HTTP API adds CORS headers
// for some origins and no Vary.
func varyOrigin(next http.Handler) http.Handler {
	values := []string{"Origin"}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Vary"] = values[:1:1] // shared and never written: Add copies it
		next.ServeHTTP(w, r)
	})
}

// chain is the handler of a route.
type chain struct {
	http.Handler

	outer []Middleware // the layers that every answer passes
}

// Refuse answers a request that must not reach the handler with err. The answer passes the layers
// from the request id to the security headers, so it is recorded like every other. lambdahttp calls
// Refuse for an event that it does not serve.
func (c *chain) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	refuse := func(http.ResponseWriter, *http.Request) error { return err }
	wrap(c.outer, serve(refuse)).ServeHTTP(w, r)
}

// serve runs the handler and writes its error.
func serve(handler api.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := Record(w)
		if err := handler(rec, r); err != nil {
			fail(rec, r, err)
		}
	})
}
