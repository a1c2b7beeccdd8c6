package bench_test

import (
	"context"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/tienda-dev/tienda/shared/metrics"
)

// recorders returns the catalogue's metrics, and the API of the same provider, with so many readers.
func recorders(b *testing.B, readers int) (*metrics.Metrics, metric.Meter) {
	b.Helper()
	opts := make([]sdkmetric.Option, 0, readers)
	for range readers {
		opts = append(opts, sdkmetric.WithReader(sdkmetric.NewManualReader()))
	}
	provider := sdkmetric.NewMeterProvider(opts...)
	m, err := metrics.New(provider)
	must(b, err)
	return m, provider.Meter("bench")
}

// sampled returns a context with a sampled span, as that of a request is: its measurements become exemplars.
func sampled() context.Context {
	_, span := sdktrace.NewTracerProvider().Tracer("bench").Start(context.Background(), "request") //nolint:spancheck // it stays open
	return trace.ContextWithSpan(context.Background(), span)                                       //nolint:spancheck // it stays open
}

// Recording costs less than a call of the API that makes its attributes each time, and little more than the least that
// the SDK's own call costs, with attributes made before.
func BenchmarkRecordBesideTheAPI(b *testing.B) {
	ctx, took := sampled(), 12*time.Millisecond
	none, err := metrics.New(noop.NewMeterProvider())
	must(b, err)
	for _, c := range []struct {
		name    string
		readers int
	}{{"OneReader", 1}, {"TwoReaders", 2}} {
		m, meter := recorders(b, c.readers)
		histogram, err := meter.Float64Histogram("histogram")
		must(b, err)
		counter, err := meter.Int64Counter("counter")
		must(b, err)
		recordAPI := func() error {
			histogram.Record(ctx, took.Seconds(), metric.WithAttributes(
				attribute.String("http.request.method", "GET"), attribute.String("server.address", "payments"),
				attribute.Int("http.response.status_code", 200)))
			return nil
		}
		option := metric.WithAttributeSet(attribute.NewSet(
			attribute.String("http.request.method", "GET"), attribute.String("server.address", "payments"),
			attribute.Int("http.response.status_code", 200)))
		least := func() error { histogram.Record(ctx, took.Seconds(), option); return nil }
		record := func(m *metrics.Metrics) func() error {
			return func() error { m.Request(ctx, "GET", "payments", 200, "", took); return nil }
		}
		countAPI := func() error {
			counter.Add(ctx, 1, metric.WithAttributes(
				attribute.String("cache.name", "keys"), attribute.String("cache.result", "hit")))
			return nil
		}
		count := func(m *metrics.Metrics) func() error {
			return func() error { m.Cache(ctx, "keys", metrics.CacheHit); return nil }
		}
		b.Run("Histogram/"+c.name, func(b *testing.B) { middle(b, "x-api", recordAPI, record(m)) })
		b.Run("Histogram/"+c.name+"/Least", func(b *testing.B) { middle(b, "x-least", least, record(m)) })
		b.Run("Histogram/"+c.name+"/Noop", func(b *testing.B) { middle(b, "x-noop", record(none), record(m)) })
		b.Run("Counter/"+c.name, func(b *testing.B) { middle(b, "x-api", countAPI, count(m)) })
		b.Run("Counter/"+c.name+"/Noop", func(b *testing.B) { middle(b, "x-noop", count(none), count(m)) })
	}
}
