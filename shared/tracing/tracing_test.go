package tracing_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/lambdahttp"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/middleware"
	"github.com/tienda-dev/tienda/shared/tracing"
)

const (
	clientTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	client      = "00-" + clientTrace + "-00f067aa0ba902b7-01"
	otherTrace  = "11111111111111111111111111111111"
	authorizer  = "00-" + otherTrace + "-2222222222222222-01"
)

// trace sends one event through the middleware and returns its span.
func trace(t *testing.T, cfg tracing.Config, header, xray string, authorizer map[string]string) sdktrace.ReadOnlySpan {
	t.Helper()
	recorder := tracetest.NewSpanRecorder()
	tracer, err := tracing.New(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)), cfg)
	if err != nil {
		t.Fatal(err)
	}
	h := tracer.HTTP("/x")(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	withAuthorizer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if authorizer != nil {
			r = r.WithContext(identity.WithAuthorizer(r.Context(), authorizer))
		}
		h.ServeHTTP(w, r)
	})
	event := `{"version":"2.0","routeKey":"GET /x","rawPath":"/x","headers":{"traceparent":"` + header + `"},"requestContext":{"requestId":"req-1","stage":"$default","http":{"method":"GET","path":"/x","protocol":"HTTP/1.1"}}}`
	ctx := t.Context()
	if xray != "" {
		//nolint:revive,staticcheck // aws-lambda-go's own key is a string
		ctx = context.WithValue(ctx, "x-amzn-trace-id", xray)
	}
	if _, err := lambdahttp.New(withAuthorizer, lambdahttp.Config{}).Invoke(ctx, []byte(event)); err != nil {
		t.Fatal(err)
	}
	if len(recorder.Ended()) != 1 {
		t.Fatalf("got %d spans", len(recorder.Ended()))
	}
	return recorder.Ended()[0]
}

// A token in the path opens what it names to everybody, so that no span has one.
func TestPathHasNoToken(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ route, path, want string }{
		{"/v1/things/{id}", "/v1/things/1", "/v1/things/1"},
		{"/v1/track/{token}", "/v1/track/SECRET", "/v1/track/{token}"},
		{"/v1/things/{id}/{token}/parts", "/v1/things/1/SECRET/parts", "/v1/things/1/{token}/parts"},
		{"/v1/track/{token}", "/stage/v1/track/SECRET", "/v1/track/{token}"},
	} {
		recorder := tracetest.NewSpanRecorder()
		tracer, err := tracing.New(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)), tracing.Config{})
		if err != nil {
			t.Fatal(err)
		}
		h := tracer.HTTP(tc.route)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, tc.path, nil))
		sent := attribute.NewSet(recorder.Ended()[0].Attributes()...)
		if got, _ := sent.Value("url.path"); got.AsString() != tc.want {
			t.Errorf("%s at %s: url.path is %q, want %q", tc.path, tc.route, got.AsString(), tc.want)
		}
	}
}

func TestASpanJoinsTheRightTrace(t *testing.T) {
	t.Parallel()
	carried := func(id string) map[string]string {
		return map[string]string{"traceparent": authorizer, "trace_request_id": id}
	}
	const sampled = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
	const xrayTrace = "5759e988bd862e3fe1be46a994272793"
	for name, test := range map[string]struct {
		cfg        tracing.Config
		client     string
		xray       string
		authorizer map[string]string
		trace      string // "" is a new one
		links      int
	}{
		"Client":                   {client: client, trace: clientTrace},
		"Authorizer":               {authorizer: carried("req-1"), trace: otherTrace},
		"ClientAndAuthorizer":      {client: client, authorizer: carried("req-1"), trace: clientTrace, links: 1},
		"CachedAuthorizer":         {authorizer: carried("req-0"), links: 1},
		"XRayLink":                 {xray: sampled, links: 1},
		"XRayNotSampled":           {xray: "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0", links: 1},
		"XRayNotSampledAsParent":   {cfg: tracing.Config{XRay: tracing.XRayParent}, xray: "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0", links: 1},
		"XRayParent":               {cfg: tracing.Config{XRay: tracing.XRayParent}, xray: sampled, trace: xrayTrace},
		"XRayParentBelowTheClient": {cfg: tracing.Config{XRay: tracing.XRayParent}, client: client, xray: sampled, trace: clientTrace, links: 1},
		"XRayRootOnly":             {xray: "Root=1-5759e988-bd862e3fe1be46a994272793"},
		"XRayOff":                  {cfg: tracing.Config{XRay: tracing.XRayOff}, xray: sampled},
		"Garbage":                  {client: "00-zz-1-01", xray: "Root=;Parent=x;;=", authorizer: map[string]string{"traceparent": "no"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := trace(t, test.cfg, test.client, test.xray, test.authorizer)
			if got := s.SpanContext().TraceID().String(); test.trace != "" && got != test.trace ||
				test.trace == "" && (s.Parent().IsValid() || got == clientTrace || got == otherTrace || got == xrayTrace) {
				t.Errorf("trace %s, want %q", got, test.trace)
			}
			if len(s.Links()) != test.links || !s.SpanContext().IsSampled() {
				t.Errorf("%d links, want %d; sampled %v", len(s.Links()), test.links, s.SpanContext().IsSampled())
			}
		})
	}
}

func TestCarryNamesTheSpanOfTheContext(t *testing.T) {
	t.Parallel()
	provider := sdktrace.NewTracerProvider()
	ctx, span := provider.Tracer("t").Start(t.Context(), "x")
	defer span.End()
	got := tracing.Carry(ctx, "req-1")
	want := "00-" + span.SpanContext().TraceID().String() + "-" + span.SpanContext().SpanID().String() + "-01"
	if got["traceparent"] != want || got["trace_request_id"] != "req-1" {
		t.Errorf("got %v, want %s", got, want)
	}
	if got := tracing.Carry(t.Context(), "req-1"); len(got) != 0 {
		t.Errorf("without a span: %v", got)
	}
}

func TestTheAllowListRefusesHeadersAndBodies(t *testing.T) {
	t.Parallel()
	list := tracing.NewAllowList("my.key")
	for key, want := range map[attribute.Key]bool{
		"http.route": true, "my.key": true, "faas.trigger": true, tracing.KeyOrderID: true,
		"http.request.header.authorization": false, "db.query.text": false, "client.address": false, "": false,
	} {
		if list.Allows(key) != want {
			t.Errorf("%q: got %v", key, !want)
		}
	}
}

func BenchmarkRequestSpan(b *testing.B) {
	tracer, err := tracing.New(sdktrace.NewTracerProvider(), tracing.Config{})
	if err != nil {
		b.Fatal(err)
	}
	h := tracer.HTTP("/v1/things/{id}")(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/v1/things/1", http.NoBody)
	w := httptest.NewRecorder()
	for b.Loop() {
		h.ServeHTTP(w, r)
	}
}

// The trace decides whether debug lines are written: two requests of one trace agree, whatever their ids are.
func TestRequestsOfATraceAreSampledAlike(t *testing.T) {
	t.Parallel()
	log, err := logging.New(logging.Config{SampleRate: .5}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	tracer, err := tracing.New(sdktrace.NewTracerProvider(), tracing.Config{})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[bool]int{}
	for i := range 100 {
		var decisions []bool
		record := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			decisions = append(decisions, logging.From(r.Context()).Core().Enabled(zap.DebugLevel))
		})
		h := middleware.RequestID(log, nil)(tracer.HTTP("/v1/things")(record))
		for range 3 { // each gets a request id of its own
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/things", http.NoBody)
			r.Header.Set("Traceparent", fmt.Sprintf("00-%032x-00f067aa0ba902b7-01", i+1))
			h.ServeHTTP(httptest.NewRecorder(), r)
		}
		if decisions[0] != decisions[1] || decisions[1] != decisions[2] {
			t.Errorf("trace %d: %v", i, decisions)
		}
		seen[decisions[0]]++
	}
	if len(seen) != 2 {
		t.Errorf("all traces were decided alike: %v", seen)
	}
}
