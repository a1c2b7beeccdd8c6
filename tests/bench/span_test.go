package bench_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/telemetry"
	"github.com/tienda-dev/tienda/shared/tracing"
)

// discard is a span processor that keeps nothing.
type discard struct{}

func (discard) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (discard) OnEnd(sdktrace.ReadOnlySpan)                     {}
func (discard) Shutdown(context.Context) error                  { return nil }
func (discard) ForceFlush(context.Context) error                { return nil }

// A span of a request or of a call of DynamoDB costs little more than one of the SDK with as many attributes.
func BenchmarkSpanBesideTheSDK(b *testing.B) {
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(discard{}))
	tracer := provider.Tracer("bench")
	t, err := tracing.New(provider, tracing.Config{})
	must(b, err)

	b.Run("Server", func(b *testing.B) {
		h := t.HTTP("/v1/products/{id}")(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		r, w := newRequest(), httptest.NewRecorder()
		r.Header.Set("User-Agent", "bench")
		middle(b, "x-sdk", func() error {
			_, span := tracer.Start(r.Context(), "GET /v1/products/{id}", trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
				attribute.String("http.request.method", "GET"), attribute.String("url.scheme", "http"),
				attribute.String("url.path", r.URL.Path), attribute.String("faas.trigger", "http"),
				attribute.String("http.route", "/v1/products/{id}"), attribute.String("user_agent.original", "bench"),
				attribute.Bool("faas.coldstart", false)))
			span.SetAttributes(attribute.Int("http.response.status_code", http.StatusOK))
			span.End()
			return nil
		}, func() error { h.ServeHTTP(w, r); return nil })
	})
	b.Run("DynamoDB", func(b *testing.B) {
		ctx, span := tracer.Start(context.Background(), "request")
		defer span.End()
		observe := tracing.DynamoDB("Commerce", "eu-central-1")
		middle(b, "x-sdk", func() error {
			_, span := tracer.Start(ctx, "DynamoDB.Query", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
				attribute.String("db.system.name", "aws.dynamodb"), attribute.String("db.operation.name", "Query"),
				attribute.String("db.collection.name", "Commerce"), attribute.StringSlice("aws.dynamodb.table_names", []string{"Commerce"}),
				attribute.String("cloud.region", "eu-central-1"), attribute.String("rpc.system.name", "aws-api")))
			span.End()
			return nil
		}, func() error {
			_, done := observe(ctx, "Query")
			done(1, 0, nil)
			return nil
		})
	})
}

func newRequest() *http.Request {
	return httptest.NewRequest(http.MethodGet, "/v1/products/01JD7PZC3H8Y5E2A9B6D4F7G0K", http.NoBody)
}

// A request through the whole chain, with telemetry and without it.
func BenchmarkRequestWithTelemetry(b *testing.B) {
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	b.Cleanup(collector.Close)
	off, _ := chain(b, nil, false)
	for _, c := range []struct {
		name    string
		environ map[string]string
	}{
		{"WithoutEndpoint", nil},
		{"WithEndpoint", map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": collector.URL}},
	} {
		b.Run(c.name, func(b *testing.B) {
			on, flush := chain(b, c.environ, true)
			middle(b, "x-off", off, func() error { flush(); return on() })
			b.ReportMetric(testing.AllocsPerRun(100, func() { _ = on() })-testing.AllocsPerRun(100, func() { _ = off() }), "more-allocs")
		})
	}
}

// chain returns a call of a route through the chain, and an export of what waits when the queue of spans is half full.
func chain(b *testing.B, environ map[string]string, started bool) (call func() error, flush func()) {
	b.Helper()
	var t *telemetry.Telemetry
	route := api.Route{Name: "bench", Method: http.MethodGet, Path: "/v1/products/{id}", Auth: api.Public, Rate: api.Unlimited}
	logger, err := logging.New(logging.Config{}, io.Discard)
	must(b, err)
	h, err := app.Handler(b.Context(), route, func(ctx context.Context, s *app.Setup) (api.Handler, error) {
		s.SetLogger(logger)
		var err error
		if started {
			t, err = telemetry.Start(ctx, s)
		}
		return func(w http.ResponseWriter, _ *http.Request) error { w.WriteHeader(http.StatusNoContent); return nil }, err
	}, environ)
	must(b, err)
	r, calls := newRequest(), 0
	call = func() error {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusNoContent {
			return fmt.Errorf("got %d %s", w.Code, w.Body)
		}
		return nil
	}
	return call, func() {
		if calls++; calls%1000 == 0 {
			t.Flush(b.Context())
		}
	}
}
