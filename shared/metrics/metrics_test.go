package metrics_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/tienda-dev/tienda/shared/metrics"
)

func newMetrics(tb testing.TB) (*metrics.Metrics, *sdkmetric.ManualReader) {
	tb.Helper()
	reader := sdkmetric.NewManualReader()
	m, err := metrics.New(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
	if err != nil {
		tb.Fatal(err)
	}
	return m, reader
}

func TestTheCatalogueIsComplete(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, d := range metrics.Catalogue() {
		if seen[d.Name] || d.Name == "" || d.Unit == "" || !strings.HasSuffix(d.Description, ".") {
			t.Errorf("%q is defined twice or lacks a unit or a sentence", d.Name)
		}
		seen[d.Name] = true
		if (d.Kind == metrics.Histogram) != (len(d.Buckets) > 0) || !slices.IsSorted(d.Buckets) || len(d.Attributes) > 5 {
			t.Errorf("%s: buckets %v, attributes %v", d.Name, d.Buckets, d.Attributes)
		}
	}
	if len(seen) < 50 {
		t.Errorf("got %d instruments", len(seen))
	}
}

func TestANilMetricsRecordsNothing(t *testing.T) {
	t.Parallel()
	m := metrics.From(t.Context())
	m.OrderPlaced(t.Context(), "EUR", 1)
	m.Database(t.Context(), metrics.Operation{})
	m.Search(t.Context())(1)
	m.Health(t.Context(), "x", true, 1)
}

func TestAnInstrumentHasBoundedSeries(t *testing.T) {
	t.Parallel()
	m, reader := newMetrics(t)
	for i := range 5000 {
		m.Cache(t.Context(), fmt.Sprint("cache", i), "no such result")
		m.OrderPlaced(t.Context(), strconv.Itoa(i), 1)
	}
	var got metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &got); err != nil {
		t.Fatal(err)
	}
	overflow := int64(0)
	for _, metric := range got.ScopeMetrics[0].Metrics {
		sum, ok := metric.Data.(metricdata.Sum[int64])
		if !ok {
			continue
		}
		switch metric.Name {
		case metrics.CacheRequests:
			if n := len(sum.DataPoints); n != 501 {
				t.Errorf("%d series, want 500 and the overflow", n)
			}
		case metrics.ShopOrderPlaced:
			if n := len(sum.DataPoints); n != 1 {
				t.Errorf("%d currencies, want one", n)
			}
		case metrics.TelemetryCardinalityOverflow:
			overflow = sum.DataPoints[0].Value
		}
	}
	if overflow != 4500 {
		t.Errorf("overflow %d, want 4500", overflow)
	}
}

func BenchmarkCounter(b *testing.B) {
	m, _ := newMetrics(b)
	for b.Loop() {
		m.Login(b.Context(), metrics.Success)
	}
}

func BenchmarkHistogram(b *testing.B) {
	m, _ := newMetrics(b)
	for b.Loop() {
		m.Checkout(b.Context(), 1, metrics.Success)
	}
}

// Instruments that nobody has used are not made, and first uses may come from many goroutines at once.
func TestInstrumentsAreMadeAtTheirFirstUse(t *testing.T) {
	t.Parallel()
	m, reader := newMetrics(t)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			m.UserRegistered(t.Context())
			m.Database(t.Context(), metrics.Operation{Name: "Query", Table: "t", Capacity: 0.5})
			m.Health(t.Context(), "store", true, time.Second)
		})
	}
	group.Wait()
	var collected metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &collected); err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, metric := range collected.ScopeMetrics[0].Metrics {
		switch data := metric.Data.(type) {
		case metricdata.Sum[int64]:
			got[metric.Name] = float64(data.DataPoints[0].Value)
		case metricdata.Sum[float64]:
			got[metric.Name] = data.DataPoints[0].Value
		case metricdata.Histogram[float64]:
			got[metric.Name] = float64(data.DataPoints[0].Count)
		case metricdata.Gauge[int64]:
			got[metric.Name] = float64(data.DataPoints[0].Value)
		}
	}
	want := map[string]float64{
		metrics.ShopUserRegistered: 8, metrics.DynamoDBConsumedCapacity: 4, metrics.DBClientOperationDuration: 8,
		metrics.DBClientReturnedRows: 8, metrics.HealthCheckStatus: 1, metrics.HealthCheckDuration: 8,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
