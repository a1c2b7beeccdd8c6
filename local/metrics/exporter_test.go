package metrics_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/tienda-dev/tienda/local/metrics"
	"github.com/tienda-dev/tienda/local/otlp"
)

// TestOneProcessIsShownAsByItsOwnExporter compares with what OpenTelemetry's exporter shows of the same
// process: names, labels, help, types and values.
func TestOneProcessIsShownAsByItsOwnExporter(t *testing.T) {
	t.Parallel()
	store := metrics.New(metrics.Config{})
	receiver := httptest.NewServer(otlp.Handler(func(e otlp.Export) otlp.Result {
		rejected, reason := store.Add(e.Metrics)
		return otlp.Result{Rejected: rejected, Message: reason}
	}))
	t.Cleanup(receiver.Close)
	sender, err := otlpmetrichttp.New(t.Context(), otlpmetrichttp.WithEndpointURL(receiver.URL+"/v1/metrics"))
	if err != nil {
		t.Fatal(err)
	}
	own := prometheus.NewRegistry()
	shown, err := otelprometheus.New(otelprometheus.WithRegisterer(own), otelprometheus.WithoutScopeInfo(), otelprometheus.WithoutTargetInfo())
	if err != nil {
		t.Fatal(err)
	}
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(shown), sdkmetric.WithReader(sdkmetric.NewPeriodicReader(sender, sdkmetric.WithInterval(time.Hour))),
		sdkmetric.WithResource(resource.NewSchemaless(attribute.String("service.instance.id", "one"))))
	t.Cleanup(func() { _ = provider.Shutdown(context.Background()) })

	meter := provider.Meter("test")
	for _, unit := range []string{"", "1", "s", "ms", "By", "{order}", "By/s"} {
		name := "shop.kind" + strings.Map(func(r rune) rune {
			if r < 'A' || r > 'z' {
				return 'x'
			}
			return r
		}, unit)
		attributes := metric.WithAttributes(attribute.String("http.route", "/v1/products/{id}"), attribute.Bool("cache.hit", true),
			attribute.Int("http.response.status_code", 200), attribute.StringSlice("tags", []string{"a", `b"c`}), attribute.Float64("ratio", 0.5))
		counted, err1 := meter.Float64Counter(name+".counted", metric.WithUnit(unit), metric.WithDescription("Counted."))
		active, err2 := meter.Int64UpDownCounter(name+".active", metric.WithUnit(unit), metric.WithDescription("Active."))
		level, err3 := meter.Float64Gauge(name+".level", metric.WithUnit(unit), metric.WithDescription("Level."))
		taken, err4 := meter.Float64Histogram(name+".taken", metric.WithUnit(unit), metric.WithDescription("Taken."))
		for _, err := range []error{err1, err2, err3, err4} {
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, value := range []float64{0.25, 3} {
			counted.Add(t.Context(), value, attributes)
			active.Add(t.Context(), int64(value), attributes)
			level.Record(t.Context(), value, attributes)
			taken.Record(t.Context(), value, attributes)
		}
	}
	if err := provider.ForceFlush(t.Context()); err != nil {
		t.Fatal(err)
	}
	ours := prometheus.NewRegistry()
	ours.MustRegister(store)
	if diff := cmp.Diff(text(t, own), text(t, ours)); diff != "" {
		t.Errorf("series (-exporter +gateway):\n%s", diff)
	}
}

// text returns what a registry has, without the Store's own series.
func text(t *testing.T, registry *prometheus.Registry) string {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, family := range families {
		if strings.HasPrefix(family.GetName(), "local_") {
			continue
		}
		if _, err := expfmt.MetricFamilyToText(&b, family); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}
