// Package tracing makes spans with the OpenTelemetry API: one SERVER span for each request, spans of the caller's
// own, and the context that ties the authorizer's span to the function's. Where the spans go is shared/telemetry's
// concern; without it a request still has the ids of the trace that it belongs to.
package tracing

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/lambdahttp"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/shared/middleware"
)

// Scope is the instrumentation scope of this package's spans.
const Scope = "github.com/tienda-dev/tienda/shared/tracing"

// SchemaURL is the version of the semantic conventions of all attributes.
const SchemaURL = semconv.SchemaURL

// The values of Config.XRay.
const (
	// XRayLink links a span to the invocation's X-Ray trace: the trace is in another backend.
	XRayLink = "link"
	// XRayParent continues the X-Ray trace if neither the client nor the authorizer sent a trace. A header with
	// Sampled=0 becomes a link instead: with Lambda's PassThrough every header has it, and as a parent it would
	// switch off all spans.
	XRayParent = "parent"
	// XRayOff ignores the X-Ray header.
	XRayOff = "off"
)

// Config says how spans join the traces of others. Its zero value works.
type Config struct {
	// XRay is XRayLink (default), XRayParent or XRayOff.
	XRay string `env:"TRACING_XRAY"`
}

// Tracer makes the spans of requests and invocations. It is safe for concurrent use.
type Tracer struct {
	tracer trace.Tracer
	server trace.SpanStartOption // the kind of all spans
	xray   string
	served atomic.Bool
	// scratch has slices for attributes: a request has about 14, of 64 bytes each.
	scratch sync.Pool
}

// New returns a Tracer whose spans provider makes. It refuses an unknown value of TRACING_XRAY.
func New(provider trace.TracerProvider, cfg Config) (*Tracer, error) {
	if provider == nil {
		return nil, errors.New("tracing: no provider")
	}
	switch cfg.XRay {
	case "":
		cfg.XRay = XRayLink
	case XRayLink, XRayParent, XRayOff:
	default:
		return nil, fmt.Errorf("tracing: TRACING_XRAY is %q: want %s, %s or %s", cfg.XRay, XRayLink, XRayParent, XRayOff)
	}
	return &Tracer{
		tracer: provider.Tracer(Scope, trace.WithSchemaURL(SchemaURL)),
		server: trace.WithSpanKind(trace.SpanKindServer), xray: cfg.XRay,
		scratch: sync.Pool{New: func() any { return new(make([]attribute.KeyValue, 0, 16)) }},
	}, nil
}

// HTTP returns the middleware that makes the SERVER span of a request, named by method and route, never by the
// path, and puts its ids on the request's log lines. route is the template of the path; empty takes the pattern that
// a ServeMux matched. It must be inside the layer that makes the log entry and outside the one that recovers, as the
// chain's place Tracing is.
func (t *Tracer) HTTP(route string) middleware.Middleware {
	get := name(http.MethodGet, route)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			event, _ := lambdahttp.EventFrom(r.Context())
			ctx, links := t.join(r.Context(), headerCarrier{propagation.HeaderCarrier(r.Header)}, event.RequestID)
			method := metrics.Method(r.Method)
			called := get
			if method != http.MethodGet {
				called = name(method, route)
			}
			attributes, _ := t.scratch.Get().(*[]attribute.KeyValue)
			*attributes = t.requestAttributes((*attributes)[:0], r, method, route)
			ctx, span := t.start(ctx, called, links, *attributes)
			clear(*attributes) // the span has copied them
			t.scratch.Put(attributes)
			ctx = withIDs(ctx, span)

			rec := middleware.Record(w)
			finished := false
			defer func() {
				if route == "" && r.Pattern != "" { // a ServeMux has set it meanwhile
					path := strings.TrimPrefix(r.Pattern, r.Method+" ")
					span.SetName(name(method, path))
					span.SetAttributes(semconv.HTTPRoute(path))
				}
				if finished {
					answered(ctx, span, rec.Status())
				} else { // a panic passes through
					failed(span, metrics.ErrorPanic)
				}
				span.End()
			}()
			next.ServeHTTP(rec, r.WithContext(ctx))
			finished = true
		})
	}
}

// start starts a SERVER span.
func (t *Tracer) start(ctx context.Context, name string, links []trace.Link, attributes []attribute.KeyValue) (context.Context, trace.Span) {
	options := make([]trace.SpanStartOption, 0, 3)
	options = append(options, t.server, trace.WithAttributes(attributes...))
	if len(links) > 0 {
		options = append(options, trace.WithLinks(links...))
	}
	return t.tracer.Start(ctx, name, options...) //nolint:spancheck // the caller ends it
}

// name returns the span's name by the conventions of HTTP.
func name(method, route string) string {
	if method == metrics.Other {
		method = "HTTP"
	}
	if route == "" {
		return method
	}
	return method + " " + route
}

// withoutToken returns the path without the values of parameters that are called token: they open what they name to everybody.
func withoutToken(path, route string) string {
	const secret = "{token}"
	if !strings.Contains(route, secret) {
		return path
	}
	names, values := strings.Split(route, "/"), strings.Split(path, "/")
	if len(names) != len(values) {
		return route
	}
	for i, name := range names {
		if name == secret {
			values[i] = secret
		}
	}
	return strings.Join(values, "/")
}

// requestAttributes appends what is known about the request.
func (t *Tracer) requestAttributes(attributes []attribute.KeyValue, r *http.Request, method, route string) []attribute.KeyValue {
	attributes = append(attributes,
		semconv.HTTPRequestMethodKey.String(method),
		semconv.URLScheme(metrics.Scheme(r)),
		semconv.URLPath(withoutToken(r.URL.Path, route)),
		semconv.FaaSTriggerHTTP,
	)
	if method == metrics.Other {
		attributes = append(attributes, semconv.HTTPRequestMethodOriginal(r.Method))
	}
	if route != "" {
		attributes = append(attributes, semconv.HTTPRoute(route))
	}
	if m, ok := identity.AuthorizerFrom(r.Context()); ok {
		if user := identity.SubjectOf(m); user != "" {
			attributes = append(attributes, KeyUserID.String(user))
		}
	}
	if agent := r.UserAgent(); agent != "" {
		attributes = append(attributes, semconv.UserAgentOriginal(agent))
	}
	return t.invocation(r.Context(), attributes)
}

// invocation appends what is known about the Lambda invocation.
func (t *Tracer) invocation(ctx context.Context, attributes []attribute.KeyValue) []attribute.KeyValue {
	attributes = append(attributes, semconv.FaaSColdstart(!t.served.Swap(true)))
	lc, ok := lambdacontext.FromContext(ctx)
	if !ok {
		return attributes
	}
	attributes = append(attributes,
		semconv.FaaSInvocationID(lc.AwsRequestID),
		semconv.AWSLambdaInvokedARN(lc.InvokedFunctionArn),
	)
	// arn:aws:lambda:region:account:function:name[:alias]
	if parts := strings.SplitN(lc.InvokedFunctionArn, ":", 8); len(parts) >= 7 {
		attributes = append(attributes,
			semconv.CloudAccountID(parts[4]), semconv.CloudResourceID(strings.Join(parts[:7], ":")))
	}
	if id := root(ctx); id != "" {
		attributes = append(attributes, KeyXRayTraceID.String(id))
	}
	return attributes
}

// answered sets what the span of a request says about its answer.
func answered(ctx context.Context, span trace.Span, status int) {
	if !span.IsRecording() {
		return
	}
	span.SetAttributes(semconv.HTTPResponseStatusCode(status))
	if class := metrics.ErrorType(ctx, status); class != "" {
		failed(span, class)
	}
}

// failed marks a span as failed with the error type.
func failed(span trace.Span, class string) {
	span.SetAttributes(semconv.ErrorTypeKey.String(class))
	span.SetStatus(codes.Error, "")
}

// withIDs puts the span's ids on all log lines below. The context is for a core that reads the span itself.
func withIDs(ctx context.Context, span trace.Span) context.Context {
	if fields := ids(ctx, span); fields != nil {
		logging.EntryFrom(ctx).SampleBy(span.SpanContext().TraceID())
		return logging.WithFields(ctx, fields...)
	}
	return ctx
}

func ids(ctx context.Context, span trace.Span) []zap.Field {
	sc := span.SpanContext()
	if !sc.IsValid() {
		return nil
	}
	return []zap.Field{
		zap.String(logging.KeyTraceID, sc.TraceID().String()), zap.String(logging.KeySpanID, sc.SpanID().String()), logging.Context(ctx),
	}
}

// Func returns f with a SERVER span called name around each event. carrier returns the headers that an event came
// with; nil has none. It puts the ids on the invocation's log line.
func Func[In, Out any](t *Tracer, name string, carrier func(In) map[string]string, f func(context.Context, In) (Out, error)) func(context.Context, In) (Out, error) {
	return func(ctx context.Context, in In) (out Out, err error) {
		headers := lowerCarrier{}
		if carrier != nil {
			headers = carrier(in)
		}
		joined, links := t.join(ctx, headers, "")
		attributes := t.invocation(ctx, []attribute.KeyValue{semconv.FaaSTriggerOther})
		ctx, span := t.start(joined, name, links, attributes)
		ctx = withIDs(ctx, span)
		logging.EntryFrom(ctx).Add(ids(ctx, span)...)
		class := metrics.ErrorPanic
		defer func() {
			if class != "" {
				failed(span, class)
			}
			span.End()
		}()
		out, err = f(ctx, in)
		class = errorType(err)
		return out, err
	}
}

// headerCarrier finds the headers of the propagators by their canonical names, which net/http would allocate.
type headerCarrier struct{ propagation.HeaderCarrier }

// Get implements propagation.TextMapCarrier.
func (c headerCarrier) Get(key string) string {
	if values := c.Values(key); len(values) > 0 {
		return values[0]
	}
	return ""
}

// Values implements propagation.ValuesGetter.
func (c headerCarrier) Values(key string) []string {
	switch key {
	case keyTraceparent:
		return c.HeaderCarrier["Traceparent"]
	case "tracestate":
		return c.HeaderCarrier["Tracestate"]
	case "baggage":
		return c.HeaderCarrier["Baggage"]
	default:
		return http.Header(c.HeaderCarrier).Values(key)
	}
}

// lowerCarrier finds headers whatever their case: API Gateway sends them in lower case, sam local does not.
type lowerCarrier map[string]string

// Get implements propagation.TextMapCarrier.
func (c lowerCarrier) Get(key string) string {
	if value, ok := c[key]; ok {
		return value
	}
	for name, value := range c {
		if strings.EqualFold(name, key) {
			return value
		}
	}
	return ""
}

// Set implements propagation.TextMapCarrier.
func (c lowerCarrier) Set(key, value string) { c[key] = value }

// Keys implements propagation.TextMapCarrier.
func (c lowerCarrier) Keys() []string {
	keys := make([]string, 0, len(c))
	for key := range c {
		keys = append(keys, key)
	}
	return keys
}

// join returns ctx with the span that the new one continues, and the spans that it is linked to: the client's trace
// context first, then the authorizer's, then X-Ray's. requestID is the gateway's id of this request.
func (t *Tracer) join(ctx context.Context, carrier propagation.TextMapCarrier, requestID string) (context.Context, []trace.Link) {
	ctx = propagation.TraceContext{}.Extract(ctx, carrier)
	ctx = propagation.Baggage{}.Extract(ctx, carrier)
	parent := trace.SpanContextFromContext(ctx).IsValid()

	var links []trace.Link
	if sc, id := authorizer(ctx); sc.IsValid() {
		// A result that the gateway has cached names the request that it was made for.
		if !parent && id == requestID {
			ctx, parent = trace.ContextWithRemoteSpanContext(ctx, sc), true
		} else {
			links = append(links, trace.Link{SpanContext: sc})
		}
	}
	if t.xray == XRayOff {
		return ctx, links
	}
	if sc := xray(ctx); sc.IsValid() {
		if t.xray == XRayParent && !parent && sc.IsSampled() {
			return trace.ContextWithRemoteSpanContext(ctx, sc), links
		}
		links = append(links, trace.Link{SpanContext: sc})
	}
	return ctx, links
}

// The keys of the authorizer's context.
const (
	keyTraceparent = "traceparent"
	keyRequestID   = "trace_request_id"
)

// Carry returns what the authorizer adds to its context so that the function continues its trace: the span of ctx
// and the gateway's id of the request. It is empty without a span.
func Carry(ctx context.Context, requestID string) map[string]string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	traceparent := carrier.Get(keyTraceparent)
	if traceparent == "" || requestID == "" {
		return nil
	}
	return map[string]string{keyTraceparent: traceparent, keyRequestID: requestID}
}

// authorizer returns the span and the request id that Carry wrote.
func authorizer(ctx context.Context) (trace.SpanContext, string) {
	m, ok := identity.AuthorizerFrom(ctx)
	if !ok || m[keyTraceparent] == "" {
		return trace.SpanContext{}, ""
	}
	carrier := propagation.MapCarrier{keyTraceparent: m[keyTraceparent]}
	sent := propagation.TraceContext{}.Extract(context.Background(), carrier)
	return trace.SpanContextFromContext(sent), m[keyRequestID]
}
