package metrics_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"

	"github.com/tienda-dev/tienda/local/metrics"
)

const (
	cumulative = metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE
	delta      = metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_DELTA
)

func attributes(pairs ...string) []*commonpb.KeyValue {
	var list []*commonpb.KeyValue
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, &commonpb.KeyValue{
			Key: pairs[i], Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: pairs[i+1]}},
		})
	}
	return list
}

// from is an export of one process.
func from(instance string, list ...*metricspb.Metric) *metricspb.MetricsData {
	return &metricspb.MetricsData{ResourceMetrics: []*metricspb.ResourceMetrics{{
		Resource:     &resourcepb.Resource{Attributes: attributes("service.name", "shop", "service.instance.id", instance)},
		ScopeMetrics: []*metricspb.ScopeMetrics{{Metrics: list}},
	}}}
}

func number(value float64, start, at uint64, pairs ...string) []*metricspb.NumberDataPoint {
	return []*metricspb.NumberDataPoint{{
		Attributes: attributes(pairs...), StartTimeUnixNano: start, TimeUnixNano: at,
		Value: &metricspb.NumberDataPoint_AsDouble{AsDouble: value},
	}}
}

func orders(value float64, start, at uint64, pairs ...string) *metricspb.Metric {
	return sum(cumulative, true, number(value, start, at, pairs...))
}

func sum(temporality metricspb.AggregationTemporality, monotonic bool, points []*metricspb.NumberDataPoint) *metricspb.Metric {
	return &metricspb.Metric{Name: "shop.orders", Unit: "{order}", Description: "Orders.", Data: &metricspb.Metric_Sum{
		Sum: &metricspb.Sum{AggregationTemporality: temporality, IsMonotonic: monotonic, DataPoints: points},
	}}
}

func level(value float64, at uint64) *metricspb.Metric {
	return &metricspb.Metric{Name: "health.check.status", Unit: "1", Description: "Health.", Data: &metricspb.Metric_Gauge{
		Gauge: &metricspb.Gauge{DataPoints: number(value, 1, at)},
	}}
}

func duration(bounds []float64, counts []uint64, total float64, start, at uint64, exemplars ...*metricspb.Exemplar) *metricspb.Metric {
	n := uint64(0)
	for _, c := range counts {
		n += c
	}
	return &metricspb.Metric{Name: "http.server.request.duration", Unit: "s", Description: "Requests.", Data: &metricspb.Metric_Histogram{
		Histogram: &metricspb.Histogram{AggregationTemporality: cumulative, DataPoints: []*metricspb.HistogramDataPoint{{
			StartTimeUnixNano: start, TimeUnixNano: at, Count: n, Sum: &total, ExplicitBounds: bounds, BucketCounts: counts, Exemplars: exemplars,
		}}},
	}}
}

// add adds exports, none of which may be rejected.
func add(t *testing.T, s *metrics.Store, list ...*metricspb.MetricsData) {
	t.Helper()
	for _, data := range list {
		if n, reason := s.Add(data); n > 0 || reason != "" {
			t.Fatalf("%d points were rejected: %s", n, reason)
		}
	}
}

// want compares the lines of the series with a name, without comments.
func want(t *testing.T, s *metrics.Store, accept, prefix string, lines ...string) {
	t.Helper()
	_, text := scrape(t, s, accept)
	var got []string
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, prefix) {
			got = append(got, line)
		}
	}
	if diff := cmp.Diff(lines, got); diff != "" {
		t.Errorf("series (-want +got):\n%s", diff)
	}
}

func scrape(t *testing.T, s *metrics.Store, accept string) (contentType, text string) {
	t.Helper()
	handler, err := s.Handler()
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("got %d: %s", w.Code, w.Body)
	}
	return w.Header().Get("Content-Type"), w.Body.String()
}

func TestProcessesAreAddedUp(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		exports []*metricspb.MetricsData
		total   string
	}{
		"ThreeProcesses":          {[]*metricspb.MetricsData{from("a", orders(2, 1, 10)), from("b", orders(3, 1, 10)), from("c", orders(5, 1, 10))}, "10"},
		"OneGoesOnOneHasEnded":    {[]*metricspb.MetricsData{from("a", orders(2, 1, 10)), from("b", orders(3, 1, 10)), from("a", orders(7, 1, 20))}, "10"},
		"SentTwice":               {[]*metricspb.MetricsData{from("a", orders(2, 1, 10)), from("a", orders(2, 1, 10))}, "2"},
		"OldOneComesLate":         {[]*metricspb.MetricsData{from("a", orders(7, 1, 20)), from("a", orders(2, 1, 10)), from("a", orders(8, 1, 30))}, "8"},
		"FailedExportIsMadeUpFor": {[]*metricspb.MetricsData{from("a", orders(1, 1, 10)), from("a", orders(9, 1, 90))}, "9"},
		"RestartWithTheSameID":    {[]*metricspb.MetricsData{from("a", orders(4, 1, 10)), from("a", orders(1, 50, 60)), from("a", orders(3, 50, 70))}, "7"},
		"RestartToAHigherValue":   {[]*metricspb.MetricsData{from("a", orders(4, 1, 10)), from("a", orders(6, 50, 60))}, "10"},
		"OldStartComesLate":       {[]*metricspb.MetricsData{from("a", orders(4, 1, 10)), from("a", orders(1, 50, 60)), from("a", orders(5, 1, 20))}, "6"},
		"RestartWithTheSameStart": {[]*metricspb.MetricsData{from("a", orders(4, 1, 10)), from("a", orders(1, 1, 20)), from("a", orders(2, 1, 30))}, "6"},
		"Delta": {[]*metricspb.MetricsData{
			from("a", sum(delta, true, number(4, 1, 10))), from("a", sum(delta, true, number(3, 10, 20))), from("a", sum(delta, true, number(3, 10, 20))),
		}, "7"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := metrics.New(metrics.Config{})
			add(t, s, c.exports...)
			want(t, s, "", "shop_orders", `shop_orders_total{job="shop"} `+c.total)
		})
	}
}

func TestHistogramsAreAddedUp(t *testing.T) {
	t.Parallel()
	s := metrics.New(metrics.Config{})
	bounds := []float64{0.1, 1}
	add(
		t, s,
		from("a", duration(bounds, []uint64{1, 0, 0}, 0.05, 1, 10)), from("b", duration(bounds, []uint64{0, 2, 1}, 5, 1, 10)),
		from("a", duration(bounds, []uint64{1, 3, 0}, 2.05, 1, 20)), // goes on
		from("b", duration(bounds, []uint64{1, 0, 0}, 0.5, 50, 60)), // began again
	)
	want(t, s, "", "http_server_request_duration_seconds",
		`http_server_request_duration_seconds_bucket{job="shop",le="0.1"} 2`,
		`http_server_request_duration_seconds_bucket{job="shop",le="1"} 7`,
		`http_server_request_duration_seconds_bucket{job="shop",le="+Inf"} 8`,
		`http_server_request_duration_seconds_sum{job="shop"} 7.55`,
		`http_server_request_duration_seconds_count{job="shop"} 8`)

	n, reason := s.Add(from("c", duration([]float64{0.2}, []uint64{1, 0}, 0.1, 1, 10)))
	if n != 1 || !strings.Contains(reason, "bounds: want [0.1 1]") {
		t.Errorf("other bounds: %d rejected, %s", n, reason)
	}
}

func TestWhatCanFallIsOfTheLiving(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	s := metrics.New(metrics.Config{GaugeLife: time.Minute, Now: func() time.Time { return now }})
	active := func(value float64, at uint64) *metricspb.Metric {
		m := sum(cumulative, false, number(value, 1, at))
		m.Name = "http.server.active_requests"
		return m
	}
	add(t, s, from("a", active(3, 10), level(1, 10)), from("b", active(2, 10), level(0, 30)), from("a", active(1, 20), level(1, 20)))
	want(t, s, "", "h", `health_check_status_ratio{job="shop"} 0`, `http_server_active_requests{job="shop"} 3`)
	now = now.Add(40 * time.Second)
	add(t, s, from("a", active(1, 40)))
	now = now.Add(40 * time.Second)
	want(t, s, "", "h", `http_server_active_requests{job="shop"} 1`)
}

func TestExemplarsAreKeptWhereTheyAreValid(t *testing.T) {
	t.Parallel()
	s := metrics.New(metrics.Config{})
	exemplar := func(value float64, seconds uint64, trace, span int) *metricspb.Exemplar {
		return &metricspb.Exemplar{
			TimeUnixNano: seconds * 1e9, Value: &metricspb.Exemplar_AsDouble{AsDouble: value},
			TraceId: []byte(strings.Repeat("t", trace)), SpanId: []byte(strings.Repeat("s", span)), FilteredAttributes: attributes("user.email", "ada@shop.example"),
		}
	}
	add(t, s, from("a", duration([]float64{1, 5}, []uint64{2, 1, 1}, 9, 1, 10,
		exemplar(0.5, 7, 16, 8), exemplar(0.25, 9, 16, 8), exemplar(0.1, 8, 16, 8), exemplar(3, 9, 32, 16), exemplar(9, 9, 0, 0))))
	const name = "http_server_request_duration_seconds_bucket"
	const ids = `{trace_id="74747474747474747474747474747474",span_id="7373737373737373"}`
	kind, text := scrape(t, s, "application/openmetrics-text; version=1.0.0")
	text = strings.ReplaceAll(text, `{span_id="7373737373737373",trace_id="74747474747474747474747474747474"}`, ids)
	if !strings.HasPrefix(kind, "application/openmetrics-text; version=1.0.0") || !strings.HasSuffix(text, "# EOF\n") {
		t.Errorf("got %s:\n%s", kind, text)
	}
	for _, line := range []string{
		name + `{job="shop",le="1.0"} 2 # ` + ids + " 0.25 9.0\n",
		name + `{job="shop",le="5.0"} 3` + "\n",
		name + `{job="shop",le="+Inf"} 4` + "\n",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("want %s in\n%s", line, text)
		}
	}
	if kind, text := scrape(t, s, "text/plain"); !strings.HasPrefix(kind, "text/plain; version=0.0.4") || strings.Contains(text, "# {") {
		t.Errorf("got %s:\n%s", kind, text)
	}
}

func TestWhatIsNotTaken(t *testing.T) {
	t.Parallel()
	rename := func(m *metricspb.Metric, name string) *metricspb.Metric {
		m.Name, m.Unit = name, ""
		return m
	}
	for name, c := range map[string]struct {
		metric *metricspb.Metric
		reason string
	}{
		"DeltaThatCanFall":     {sum(delta, false, number(1, 1, 10)), "aggregation temporality"},
		"NoTemporality":        {sum(0, true, number(1, 1, 10)), "aggregation temporality"},
		"NotANumber":           {orders(nan(), 1, 20), "not a number"},
		"AnotherKind":          {rename(level(1, 10), "shop.orders_total"), "another kind"},
		"TooFewBuckets":        {duration([]float64{1, 2}, []uint64{1}, 1, 1, 10), "bucket counts"},
		"BoundsThatFall":       {duration([]float64{2, 1}, []uint64{1, 1, 1}, 1, 1, 10), "bucket counts"},
		"ExponentialHistogram": {&metricspb.Metric{Name: "e", Data: &metricspb.Metric_ExponentialHistogram{ExponentialHistogram: &metricspb.ExponentialHistogram{DataPoints: make([]*metricspb.ExponentialHistogramDataPoint, 1)}}}, "fixed bounds"},
		"ReservedLabel":        {orders(1, 1, 30, "__name__", "x"), "__name__"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := metrics.New(metrics.Config{})
			add(t, s, from("a", orders(2, 1, 10)))
			if n, reason := s.Add(from("a", c.metric)); n != 1 || !strings.Contains(reason, c.reason) {
				t.Errorf("%d rejected: %q, want %q", n, reason, c.reason)
			}
			want(t, s, "", "shop_orders", `shop_orders_total{job="shop"} 2`)
			want(t, s, "", "local_otlp", "local_otlp_rejected_points_total 1")
		})
	}
}

func nan() float64 { zero := 0.0; return zero / zero }

func TestMemoryIsLimited(t *testing.T) {
	t.Parallel()
	t.Run("Series", func(t *testing.T) {
		t.Parallel()
		s := metrics.New(metrics.Config{MaxSeries: 10})
		rejected := int64(0)
		for i := range 100 {
			n, _ := s.Add(from("a", orders(1, 1, 10, "id", strconv.Itoa(i))))
			rejected += n
		}
		if n := testutil.CollectAndCount(s, "shop_orders_total"); n != 10 || rejected != 90 {
			t.Errorf("%d series and %d rejected points, want 10 and 90", n, rejected)
		}
	})
	t.Run("Processes", func(t *testing.T) {
		t.Parallel()
		now := time.Unix(1000, 0)
		s := metrics.New(metrics.Config{MaxStreams: 5, MaxForgotten: 50, Now: func() time.Time { return now }})
		for i := range 100 {
			now = now.Add(time.Second)
			add(t, s, from(fmt.Sprint("process ", i), orders(1, 1, 10)), from("keeps reporting", orders(float64(i), 1, uint64(20+i))))
		}
		want(t, s, "", "shop_orders", `shop_orders_total{job="shop"} 199`) // 100 and 99
		// It would be counted twice.
		if n, reason := s.Add(from("process 80", orders(2, 1, 20))); n != 1 || !strings.Contains(reason, "forgotten") {
			t.Errorf("%d rejected: %s", n, reason)
		}
		want(t, s, "", "shop_orders", `shop_orders_total{job="shop"} 199`)
	})
}

// A name that was a counter and becomes a histogram is two families: x_total and x.
func TestCounterThatBecomesAHistogramIsTaken(t *testing.T) {
	t.Parallel()
	send := func(s *metrics.Store, m *metricspb.Metric) int64 {
		rejected, _ := s.Add(&metricspb.MetricsData{ResourceMetrics: []*metricspb.ResourceMetrics{{ScopeMetrics: []*metricspb.ScopeMetrics{{Metrics: []*metricspb.Metric{m}}}}}})
		return rejected
	}
	s := metrics.New(metrics.Config{})
	cumulative := metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE
	send(s, &metricspb.Metric{Name: "x", Data: &metricspb.Metric_Sum{Sum: &metricspb.Sum{AggregationTemporality: cumulative, IsMonotonic: true, DataPoints: []*metricspb.NumberDataPoint{
		{StartTimeUnixNano: 1, TimeUnixNano: 2, Value: &metricspb.NumberDataPoint_AsInt{AsInt: 1}},
	}}}})
	if send(s, &metricspb.Metric{Name: "x", Data: &metricspb.Metric_Histogram{Histogram: &metricspb.Histogram{AggregationTemporality: cumulative, DataPoints: []*metricspb.HistogramDataPoint{
		{StartTimeUnixNano: 1, TimeUnixNano: 3, Count: 1, BucketCounts: []uint64{1}},
	}}}}) != 0 {
		t.Error("it was rejected")
	}
}
