// Package metricstest shows tests what code has recorded in a metrics.Metrics.
package metricstest

import (
	"context"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/tienda-dev/tienda/shared/metrics"
)

// Recorded reads what was recorded under one context.
type Recorded struct{ reader *sdkmetric.ManualReader }

// New returns a context whose metrics are recorded.
func New(tb testing.TB) (context.Context, *Recorded) {
	tb.Helper()
	reader := sdkmetric.NewManualReader()
	m, err := metrics.New(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
	if err != nil {
		tb.Fatal(err)
	}
	return metrics.With(tb.Context(), m), &Recorded{reader}
}

// Series returns the series of the named instruments, by "name value value": the values of the attributes in the
// catalogue's order, without those that are absent. The value of a histogram is how many values it has.
func (r *Recorded) Series(tb testing.TB, names ...string) map[string]float64 {
	tb.Helper()
	series := map[string]float64{}
	for _, m := range r.collect(tb, names...) {
		switch data := m.Data.(type) {
		case metricdata.Sum[int64]:
			numbers(series, m.Name, data.DataPoints)
		case metricdata.Sum[float64]:
			numbers(series, m.Name, data.DataPoints)
		case metricdata.Gauge[int64]:
			numbers(series, m.Name, data.DataPoints)
		case metricdata.Histogram[float64]:
			for _, p := range data.DataPoints {
				series[key(m.Name, p.Attributes)] = float64(p.Count)
			}
		default:
			tb.Fatalf("%s has the data %T", m.Name, data)
		}
	}
	return series
}

// Sums returns the sums of the values of the named histograms, by the keys that Series has.
func (r *Recorded) Sums(tb testing.TB, names ...string) map[string]float64 {
	tb.Helper()
	sums := map[string]float64{}
	for _, m := range r.collect(tb, names...) {
		for _, p := range m.Data.(metricdata.Histogram[float64]).DataPoints {
			sums[key(m.Name, p.Attributes)] = p.Sum
		}
	}
	return sums
}

// collect returns the data of the named instruments.
func (r *Recorded) collect(tb testing.TB, names ...string) []metricdata.Metrics {
	tb.Helper()
	var all metricdata.ResourceMetrics
	if err := r.reader.Collect(context.WithoutCancel(tb.Context()), &all); err != nil {
		tb.Fatal(err)
	}
	var found []metricdata.Metrics
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			if slices.Contains(names, m.Name) {
				found = append(found, m)
			}
		}
	}
	return found
}

func numbers[N int64 | float64](series map[string]float64, name string, points []metricdata.DataPoint[N]) {
	for _, p := range points {
		series[key(name, p.Attributes)] = float64(p.Value)
	}
}

func key(name string, attributes attribute.Set) string {
	parts := []string{name}
	for _, d := range metrics.Catalogue() {
		if d.Name != name {
			continue
		}
		for _, k := range d.Attributes {
			if v, ok := attributes.Value(attribute.Key(k)); ok {
				parts = append(parts, v.String())
			}
		}
	}
	return strings.Join(parts, " ")
}
