// Package gateway is an API Gateway HTTP API on this machine: it selects the route, asks the
// authorizer, turns the request into an event of payload format 2.0, invokes the function and
// turns its answer into a response, with AWS's limits, error bodies and order of checks.
//
// What is emulated was compared with AWS's documentation and with captures of deployed APIs; where
// neither says how AWS behaves, a comment says so.
package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
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

const (
	// defaultStage is the stage without a name in the path.
	defaultStage = "$default"
	// payloadFormat is the only payload format.
	payloadFormat = "2.0"
)

// Invoker invokes functions by name, as *runtime.Runtime does.
type Invoker interface {
	Invoke(ctx context.Context, function string, payload []byte) (runtime.Result, error)
}

// Config describes an HTTP API. Routes and Invoker are required.
type Config struct {
	// Routes are the API's routes.
	Routes []Route
	// Authorizers are what routes may name.
	Authorizers map[string]Authorizer
	// CORS is the API's CORS configuration. Nil leaves CORS to the functions.
	CORS *CORS
	// Stage is the stage's name. Empty is $default. Any other name stands in front of every path.
	Stage string
	// StageVariables are handed to functions and authorizers.
	StageVariables map[string]string
	// Throttle limits the stage's routes together. Nil lets everything in.
	Throttle *Throttle
	// Invoker runs the functions.
	Invoker Invoker
	// AccessLog receives one entry per request, after its answer. Nil drops them.
	AccessLog func(Access)
	// Region and AccountID stand in ARNs and events. Empty is us-east-1 and 123456789012.
	Region, AccountID string
	// APIID is the API's id. Empty is "local".
	APIID string
	// TrustForwardedFor takes the client's address from the last entry of X-Forwarded-For, for a
	// gateway that stands behind a proxy. Otherwise the address is the connection's.
	TrustForwardedFor bool
	// BodyTimeout is how long a client may take from its request's headers to the end of its body,
	// after which it gets 408 and loses its connection. 0 is 30 s; AWS names no such limit.
	BodyTimeout time.Duration
	// Now is the clock of events, caches and limits. Nil is time.Now.
	Now func() time.Time
}

// Access is an entry of the access log. Its JSON names are those of API Gateway's $context.
type Access struct {
	RequestID string `json:"requestId"`
	SourceIP  string `json:"ip"`
	Method    string `json:"httpMethod"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	// RouteKey is empty when no route was selected.
	RouteKey string `json:"routeKey"`
	// Function is the function that was invoked, or would have been.
	Function string `json:"function,omitempty"`
	// Status is the answer's status, whether or not the client was still there to read it.
	Status int `json:"status"`
	// ResponseBytes is the length of the answer's body.
	ResponseBytes int `json:"responseLength"`
	// Duration is the time from the request's headers to the answer, in nanoseconds.
	Duration time.Duration `json:"responseLatency"`
	// Cold, InitDuration, FunctionDuration and MaxMemoryMB are what the Invoker said.
	Cold             bool          `json:"cold"`
	InitDuration     time.Duration `json:"initLatency,omitempty"`
	FunctionDuration time.Duration `json:"integrationLatency,omitempty"`
	MaxMemoryMB      int           `json:"maxMemoryMb,omitempty"`
	// AuthorizerLatency, AuthorizerCold and AuthorizerCached are about the route's authorizer.
	AuthorizerLatency time.Duration `json:"authorizerLatency,omitempty"`
	AuthorizerCold    bool          `json:"authorizerCold,omitempty"`
	AuthorizerCached  bool          `json:"authorizerCached,omitempty"`
	// Error says why the gateway answered with a failure of its own, which the client is not told.
	Error string `json:"error,omitempty"`
}

// Gateway serves an HTTP API. Build it with New; it is safe for concurrent use.
type Gateway struct {
	routes         []*route
	authorizers    map[string]*authorizer
	cors           *CORS
	stage          string
	stageVariables map[string]string
	bucket         *bucket
	invoker        Invoker
	accessLog      func(Access)
	region         string
	account, apiID string
	trustForwarded bool
	bodyTimeout    time.Duration
	now            func() time.Time
}

// New checks cfg and returns a Gateway. It refuses what it would serve differently from AWS: an
// unknown authorizer is an error here and not an open route.
func New(cfg Config) (*Gateway, error) {
	g := &Gateway{
		authorizers:    make(map[string]*authorizer, len(cfg.Authorizers)),
		cors:           cfg.CORS,
		stage:          or(cfg.Stage, defaultStage),
		stageVariables: cfg.StageVariables,
		bucket:         newBucket(cfg.Throttle),
		invoker:        cfg.Invoker,
		accessLog:      cfg.AccessLog,
		region:         or(cfg.Region, "us-east-1"),
		account:        or(cfg.AccountID, "123456789012"),
		apiID:          or(cfg.APIID, "local"),
		trustForwarded: cfg.TrustForwardedFor,
		bodyTimeout:    or(cfg.BodyTimeout, defaultBodyTimeout),
		now:            cfg.Now,
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
		case r.PayloadFormat != "" && r.PayloadFormat != payloadFormat:
			return fmt.Errorf("route %q: payload format %q: only %s is served", r.RouteKey, r.PayloadFormat, payloadFormat)
		case r.Timeout < 0 || r.Timeout > MaxIntegrationTimeout:
			return fmt.Errorf("route %q: timeout %s: must be between 0 and %s", r.RouteKey, r.Timeout, MaxIntegrationTimeout)
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
	path    string // what routes are selected by: decoded once, without the stage
	access  Access
}

// ServeHTTP answers one request. It ignores r.Pattern and every path value.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	x := &exchange{gateway: g, r: r}
	x.context = EventContext{
		AccountID: g.account, APIID: g.apiID, Stage: g.stage, StageVariables: g.stageVariables,
		RequestID: newRequestID(), Time: g.now(), SourceIP: g.sourceIP(r), TraceID: traceID(r, g.now()),
	}

	g.limitReading(w)
	out := x.answer(w)
	g.cors.decorate(out.header, r)
	out.header["Apigw-Requestid"] = []string{x.context.RequestID}
	out.send(w, r.Method)

	if g.accessLog != nil {
		x.access.RequestID, x.access.SourceIP = x.context.RequestID, x.context.SourceIP
		x.access.Method, x.access.Path, x.access.Protocol = r.Method, r.URL.EscapedPath(), r.Proto
		x.access.Status, x.access.ResponseBytes = out.status, len(out.body)
		x.access.Duration = time.Since(began)
		g.accessLog(x.access)
	}
}

// answer finds the response. Its order is API Gateway's as far as it is known: size, route, limit,
// authorizer, body, function.
func (x *exchange) answer(w http.ResponseWriter) response {
	g, r := x.gateway, x.r
	if headerBytes(r) > MaxHeaderBytes {
		// AWS documents the limit, not the answer; this is the status of RFC 6585 for it.
		return message(http.StatusRequestHeaderFieldsTooLarge, "Request Header Fields Too Large")
	}
	if r.ContentLength > MaxBodyBytes {
		return message(http.StatusRequestEntityTooLarge, "Request Entity Too Large")
	}
	if err := x.setPath(); err != nil {
		return message(http.StatusBadRequest, "Bad Request")
	}
	x.selectRoute()
	preflight := r.Method == http.MethodOptions && g.cors != nil
	if x.route == nil && !preflight {
		return message(http.StatusNotFound, "Not Found")
	}

	if !x.admit() {
		return message(http.StatusTooManyRequests, "Too Many Requests")
	}
	if x.route != nil && x.route.Authorizer != "" {
		// A preflight that falls to a route with an authorizer has to pass it too. (Developer
		// guide, "Configure CORS for HTTP APIs", about $default.)
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

// admit asks the limit of the route, or else of the stage.
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
	ctx, cancel := context.WithTimeout(x.invokeContext(), or(x.route.Timeout, MaxIntegrationTimeout))
	defer cancel()
	result, err := x.gateway.invoker.Invoke(ctx, x.route.Function, payload)
	x.access.Cold, x.access.InitDuration = result.Cold, result.InitDuration
	x.access.FunctionDuration, x.access.MaxMemoryMB = result.Duration, result.MaxMemoryMB
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

// failed returns an answer of the gateway and keeps the reason for the log.
func (x *exchange) failed(status int, text string, reason error) response {
	x.access.Error = reason.Error()
	return message(status, text)
}

// invokeContext returns the context of an invocation. It outlives the request's own, which ends as
// soon as the client has no more to send: that client may still read, and AWS finishes what it has
// begun in either case. A timeout ends it, or the end of the Invoker.
func (x *exchange) invokeContext() context.Context {
	return runtime.WithTraceID(context.WithoutCancel(x.r.Context()), x.context.TraceID)
}

// setPath decodes the path. A named stage stays in rawPath and is not part of any route.
func (x *exchange) setPath() error {
	selection, rawPath, err := decodePath(x.r.URL.EscapedPath())
	if err != nil {
		return err
	}
	x.path, x.context.RawPath = selection, rawPath
	return nil
}

// selectRoute finds the route, if any, and the path parameters.
func (x *exchange) selectRoute() {
	path := x.path
	if x.gateway.stage != defaultStage {
		rest, found := strings.CutPrefix(path, "/"+x.gateway.stage)
		if !found || rest != "" && rest[0] != '/' {
			return
		}
		path = or(rest, "/")
	}
	x.path = path
	for _, candidate := range x.gateway.routes {
		if parameters, ok := candidate.match(x.r.Method, path); ok {
			x.route = candidate
			x.context.RouteKey, x.context.PathParameters = candidate.RouteKey, parameters
			x.access.RouteKey, x.access.Function = candidate.RouteKey, candidate.Function
			return
		}
	}
}

// arn returns the request's ARN, which authorizers and their policies see.
func (x *exchange) arn() string {
	g := x.gateway
	return "arn:aws:execute-api:" + g.region + ":" + g.account + ":" + g.apiID + "/" + g.stage + "/" +
		x.r.Method + x.path
}

// sourceIP returns the client's address.
func (g *Gateway) sourceIP(r *http.Request) string {
	if g.trustForwarded {
		entries := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		if last := strings.TrimSpace(entries[len(entries)-1]); net.ParseIP(last) != nil {
			return last
		}
	}
	return peer(r)
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
