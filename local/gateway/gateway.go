// Package gateway is an API Gateway HTTP API on this machine: it selects the route, asks the
// authorizer, turns the request into an event of payload format 2.0, invokes the function and
// turns its answer into a response, with AWS's limits, error bodies and order of checks.
//
// Its behaviour was compared with AWS's documentation and with captures of deployed APIs. Where
// neither says what AWS does, a comment says so.
package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/tienda-dev/tienda/local/runtime"
)

// The quotas of an HTTP API. (Developer guide, "Quotas for HTTP APIs".)
const (
	// MaxBodyBytes is the largest request body.
	MaxBodyBytes = 10 << 20
	// MaxHeaderBytes is the most that the request line and the values of the headers may have
	// together.
	MaxHeaderBytes = 10_240
	// MaxIntegrationTimeout is how long a function may take to answer.
	MaxIntegrationTimeout = 30 * time.Second
)

// What events and ARNs say about the account and the API.
const (
	region    = "us-east-1"
	accountID = "123456789012"
	apiID     = "local"
	stage     = "$default"
)

// defaultBodyTimeout is the default of Config.BodyTimeout.
const defaultBodyTimeout = 30 * time.Second

// Invoker invokes functions by name, as *runtime.Runtime does.
type Invoker interface {
	Invoke(ctx context.Context, function string, payload []byte) (runtime.Result, error)
}

// Config describes an HTTP API. Routes and Invoker are required.
type Config struct {
	// Routes are the API's routes.
	Routes []Route
	// Authorizers are the authorizers by the names that routes use.
	Authorizers map[string]Authorizer
	// CORS is the API's CORS configuration. Nil leaves CORS to the functions.
	CORS *CORS
	// Throttle limits all routes together. Nil sets no limit.
	Throttle *Throttle
	// Invoker runs the functions.
	Invoker Invoker
	// AccessLog receives one entry per request, after its answer. Nil drops them.
	AccessLog func(Access)
	// BodyTimeout is how long a client may take from the headers to the end of the body. After that it
	// gets 408 and its connection is closed. 0 is 30 s. AWS documents no such limit.
	BodyTimeout time.Duration
	// Now is the clock of events, caches and limits. Nil is time.Now.
	Now func() time.Time
}

// Access is an entry of the access log.
type Access struct {
	// Method is "_OTHER" if it is none of RFC 9110 and RFC 5789, as in OpenTelemetry's http.request.method.
	Method, Path string
	// RouteKey is empty when no route matched.
	RouteKey string
	// Status is the status of the answer, even if the client has left.
	Status int
	// Duration is the time from the request's headers to the answer.
	Duration time.Duration
	// Cold, InitDuration and MaxMemoryMB are what the Invoker reported. InitDuration is the sum of the
	// authorizer's and the function's; MaxMemoryMB is the function's.
	Cold         bool
	InitDuration time.Duration
	MaxMemoryMB  int
	// Requests are the ids of the invocations, of the authorizer's function too.
	Requests []string
	// ErrorCode is the code of a problem document, empty for any other answer.
	ErrorCode string
	// Error is why the gateway itself answered with a failure. The client does not get it.
	Error string
}

// Gateway serves an HTTP API. Build it with New; it is safe for concurrent use.
type Gateway struct {
	routes      []*route
	authorizers map[string]*authorizer
	cors        *CORS
	bucket      *bucket
	invoker     Invoker
	accessLog   func(Access)
	bodyTimeout time.Duration
	now         func() time.Time
}

// New checks cfg and returns a Gateway. It refuses what it would serve differently from AWS: an
// unknown authorizer is an error here and not an open route.
func New(cfg Config) (*Gateway, error) {
	g := &Gateway{
		authorizers: make(map[string]*authorizer, len(cfg.Authorizers)),
		cors:        cfg.CORS,
		bucket:      newBucket(cfg.Throttle),
		invoker:     cfg.Invoker,
		accessLog:   cfg.AccessLog,
		bodyTimeout: or(cfg.BodyTimeout, defaultBodyTimeout),
		now:         cfg.Now,
	}
	if g.now == nil {
		g.now = time.Now
	}
	if g.invoker == nil {
		return nil, errors.New("no invoker")
	}
	if err := cfg.CORS.check(); err != nil {
		return nil, err
	}
	for _, name := range sortedKeys(cfg.Authorizers) {
		if err := cfg.Authorizers[name].check(); err != nil {
			return nil, fmt.Errorf("authorizer %s: %w", name, err)
		}
		g.authorizers[name] = newAuthorizer(cfg.Authorizers[name])
	}
	if err := g.addRoutes(cfg.Routes); err != nil {
		return nil, err
	}
	return g, nil
}

// addRoutes parses and sorts the routes.
func (g *Gateway) addRoutes(routes []Route) error {
	if len(routes) == 0 {
		return errors.New("no routes")
	}
	shapes := make(map[string]string, len(routes))
	for _, r := range routes {
		parsed, err := parseRoute(r)
		if err != nil {
			return err
		}
		switch other, taken := shapes[parsed.shape()]; {
		case taken:
			return fmt.Errorf("route %q: takes the same requests as %q", r.RouteKey, other)
		case r.Function == "":
			return fmt.Errorf("route %q: no function", r.RouteKey)
		case r.Authorizer != "" && g.authorizers[r.Authorizer] == nil:
			return fmt.Errorf("route %q: no authorizer %q", r.RouteKey, r.Authorizer)
		}
		shapes[parsed.shape()] = r.RouteKey
		parsed.bucket = newBucket(r.Throttle)
		g.routes = append(g.routes, parsed)
	}
	slices.SortStableFunc(g.routes, compareRoutes)
	return nil
}

// exchange is one request on its way through the gateway.
type exchange struct {
	gateway *Gateway
	r       *http.Request
	route   *route
	context EventContext
	path    string // decoded once; it selects the route
	access  Access
}

// ServeHTTP answers one request. It ignores r.Pattern and every path value.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	x := &exchange{gateway: g, r: r}
	x.context = EventContext{
		RequestID: newRequestID(), Time: g.now(), TraceID: traceID(r, g.now()),
	}

	g.limitReading(w)
	out := x.answer(w)
	g.cors.decorate(out.header, r)
	out.header["Apigw-Requestid"] = []string{x.context.RequestID}
	out.send(w, r.Method)

	if g.accessLog != nil {
		x.access.Method, x.access.Path = method(r.Method), r.URL.EscapedPath()
		x.access.Status, x.access.Duration, x.access.ErrorCode = out.status, time.Since(began), errorCode(out)
		g.accessLog(x.access)
	}
}

// answer returns the response. The order of its checks is API Gateway's as far as it is known: size,
// route, limit, authorizer, body, function.
func (x *exchange) answer(w http.ResponseWriter) response {
	g, r := x.gateway, x.r
	if headerBytes(r) > MaxHeaderBytes {
		// AWS documents the limit but not the answer. This is the status of RFC 6585.
		return message(http.StatusRequestHeaderFieldsTooLarge, "Request Header Fields Too Large")
	}
	if r.ContentLength > MaxBodyBytes {
		return message(http.StatusRequestEntityTooLarge, "Request Entity Too Large")
	}
	selection, rawPath, err := decodePath(r.URL.EscapedPath())
	if err != nil {
		return message(http.StatusBadRequest, "Bad Request")
	}
	x.path, x.context.RawPath = selection, rawPath
	x.selectRoute()
	preflight := r.Method == http.MethodOptions && g.cors != nil
	if x.route == nil && !preflight {
		return message(http.StatusNotFound, "Not Found")
	}

	if !x.admit() {
		return message(http.StatusTooManyRequests, "Too Many Requests")
	}
	if x.route != nil && x.route.Authorizer != "" {
		// A preflight that matches a route with an authorizer has to pass the authorizer too.
		// (Developer guide, "Configure CORS for HTTP APIs", about $default.)
		if refused := g.authorizers[x.route.Authorizer].authorize(x); refused != nil {
			return *refused
		}
	}
	if preflight {
		return response{status: http.StatusNoContent, header: http.Header{}}
	}

	body, refused := x.readBody(w)
	if refused != nil {
		return *refused
	}
	return x.integrate(body)
}

// limitReading limits how long the connection waits for the request. The server reads the rest of a
// body even when the answer does not need it, so the limit starts before anything is read.
func (g *Gateway) limitReading(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(g.bodyTimeout)) // a recorder in a test has no deadline
}

// readBody returns the whole body, or the answer to a client that did not send it.
func (x *exchange) readBody(w http.ResponseWriter) ([]byte, *response) {
	body, err := io.ReadAll(http.MaxBytesReader(w, x.r.Body, MaxBodyBytes))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, refuse(http.StatusRequestEntityTooLarge, "Request Entity Too Large")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, refuse(http.StatusRequestTimeout, "Request Timeout")
	case err != nil:
		return nil, refuse(http.StatusBadRequest, "Bad Request")
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // the function's time does not count
	return body, nil
}

// admit applies the limit of the route, or else of the stage.
func (x *exchange) admit() bool {
	if x.route != nil && x.route.bucket != nil {
		return x.route.bucket.take(x.gateway.now())
	}
	return x.gateway.bucket.take(x.gateway.now())
}

// integrate invokes the route's function and reads its answer.
func (x *exchange) integrate(body []byte) response {
	payload, err := Event(x.r, body, x.context)
	if err != nil {
		return x.failed(http.StatusInternalServerError, "Internal Server Error", err)
	}
	ctx, cancel := context.WithTimeout(x.invokeContext(), MaxIntegrationTimeout)
	defer cancel()
	result, err := x.invoke(ctx, x.route.Function, payload)
	x.access.MaxMemoryMB = result.MaxMemoryMB
	switch {
	case errors.Is(err, runtime.RequestTooLarge):
		return x.failed(http.StatusRequestEntityTooLarge, "Request Entity Too Large", err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, runtime.Timeout),
		errors.Is(err, runtime.Throttled), errors.Is(err, runtime.Closed):
		return x.failed(http.StatusServiceUnavailable, "Service Unavailable", err)
	case err != nil:
		return x.failed(http.StatusInternalServerError, "Internal Server Error", err)
	case result.FunctionError:
		err := fmt.Errorf("the function failed: %.300s", result.Payload)
		return x.failed(http.StatusInternalServerError, "Internal Server Error", err)
	}

	out, err := parseResponse(bytes.TrimSpace(result.Payload))
	if err != nil {
		return x.failed(http.StatusInternalServerError, "Internal Server Error", err)
	}
	return out
}

// invoke invokes a function and notes it for the log. A cold start of the authorizer adds to the function's.
func (x *exchange) invoke(ctx context.Context, function string, payload []byte) (runtime.Result, error) {
	result, err := x.gateway.invoker.Invoke(ctx, function, payload)
	if result.RequestID != "" {
		x.access.Requests = append(x.access.Requests, result.RequestID)
	}
	x.access.Cold = x.access.Cold || result.Cold
	x.access.InitDuration += result.InitDuration
	return result, err
}

// failed returns an answer of the gateway and keeps the reason for the log.
func (x *exchange) failed(status int, text string, reason error) response {
	x.access.Error = reason.Error()
	return message(status, text)
}

// invokeContext returns the context of an invocation. It outlives the request's own, which ends when
// the client has sent everything and closes its side: that client may still read, and AWS finishes the
// invocation in either case. Only a timeout or the end of the Invoker ends it.
func (x *exchange) invokeContext() context.Context {
	return runtime.WithTraceID(context.WithoutCancel(x.r.Context()), x.context.TraceID)
}

// selectRoute finds the route, if any, and the path parameters.
func (x *exchange) selectRoute() {
	for _, candidate := range x.gateway.routes {
		if parameters, ok := candidate.match(x.r.Method, x.path); ok {
			x.route = candidate
			x.context.RouteKey, x.context.PathParameters = candidate.RouteKey, parameters
			x.access.RouteKey = candidate.RouteKey
			return
		}
	}
}

// arn returns the request's ARN, which the authorizer gets.
func (x *exchange) arn() string {
	return "arn:aws:execute-api:" + region + ":" + accountID + ":" + apiID + "/" + stage + "/" + x.r.Method + x.path
}

// headerBytes returns what the header limit counts: the request line and the headers' values.
func headerBytes(r *http.Request) int {
	n := len(r.Method) + len(" ") + len(r.RequestURI) + len(" ") + len(r.Proto) + len(r.Host)
	for _, values := range r.Header {
		for _, value := range values {
			n += len(value)
		}
	}
	return n
}
