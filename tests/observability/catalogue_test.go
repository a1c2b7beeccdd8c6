//go:build observability

package observability_test

import (
	"strings"
	"testing"
	"time"

	colmetricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"

	"github.com/tienda-dev/tienda/shared/metrics"
)

// valuesOf are the values that the test sends for each attribute: those that rules and dashboards select, and one
// of the others. Empty leaves the attribute out.
var valuesOf = map[string][]string{
	metrics.KeyMethod:       {"GET"},
	metrics.KeyRoute:        {"/v1/products"},
	metrics.KeyStatus:       {"200", "404", "500"},
	metrics.KeyScheme:       {"https"},
	metrics.KeyErrorType:    {"", "500"},
	metrics.KeyServer:       {"api.stripe.com"},
	metrics.KeyTrigger:      {"http"},
	metrics.KeyDBSystem:     {"aws.dynamodb"},
	metrics.KeyDBOperation:  {"Query"},
	metrics.KeyDBCollection: {"commerce"},
	metrics.KeyDBStatus:     {""},
	metrics.KeyDBIndex:      {""},
	metrics.KeyCacheName:    {"jwks"},
	metrics.KeyCacheResult:  {metrics.CacheHit, metrics.CacheMiss},
	metrics.KeyAuthMethod:   {"password"},
	metrics.KeyAuthResult:   {"ok", "failed", "unavailable"},
	metrics.KeyAuthReason:   {"credentials"},
	metrics.KeyPolicy:       {"read"},
	metrics.KeyScope:        {"ip"},
	metrics.KeyDecision:     {"allow", "deny", "error_open", "error_closed"},
	metrics.KeyCurrency:     {"EUR"},
	metrics.KeyProvider:     {"stripe"},
	metrics.KeyResult:       {metrics.Success, metrics.Failure},
	metrics.KeyChange:       {metrics.Created},
	metrics.KeyDirection:    {"in"},
	metrics.KeyCheck:        {"auth_table"},
	metrics.KeyFlushMode:    {"post_response"},
	metrics.KeySignal:       {"spans"},
	metrics.KeyDropReason:   {"queue_full"},
}

func TestEveryAttributeHasValues(t *testing.T) {
	t.Parallel()
	for _, d := range metrics.Catalogue() {
		for _, key := range d.Attributes {
			if len(valuesOf[key]) == 0 {
				t.Errorf("%s: the test knows no values of %s", d.Name, key)
			}
		}
	}
}

// sets returns attribute sets of an instrument: one for each value of each attribute.
func sets(d metrics.Definition) [][]*commonpb.KeyValue {
	with := func(changed, value string) []*commonpb.KeyValue {
		var set []*commonpb.KeyValue
		for _, key := range d.Attributes {
			v := valuesOf[key][0]
			if key == changed {
				v = value
			}
			if v != "" {
				set = append(set, text(key, v))
			}
		}
		return set
	}
	all := [][]*commonpb.KeyValue{with("", "")}
	for _, key := range d.Attributes {
		for _, value := range valuesOf[key][1:] {
			all = append(all, with(key, value))
		}
	}
	return all
}

// series returns the name of an instrument's series in Prometheus, without the ending of a histogram's parts.
func series(d metrics.Definition) string {
	name := strings.ReplaceAll(d.Name, ".", "_")
	switch {
	case d.Unit == "s":
		name += "_seconds"
	case d.Unit == "By":
		name += "_bytes"
	case d.Unit == "1" && d.Kind == metrics.Gauge:
		name += "_ratio"
	}
	if d.Kind == metrics.Counter {
		name += "_total"
	}
	return name
}

// everything returns an export of all instruments: of an instance that has counted n.
func everything(started time.Time, n uint64) *colmetricspb.ExportMetricsServiceRequest {
	start, now := uint64(started.UnixNano()), uint64(time.Now().UnixNano())
	var all []*metricspb.Metric
	for _, d := range metrics.Catalogue() {
		var numbers []*metricspb.NumberDataPoint
		var histograms []*metricspb.HistogramDataPoint
		for _, set := range sets(d) {
			numbers = append(numbers, &metricspb.NumberDataPoint{
				Attributes: set, StartTimeUnixNano: start, TimeUnixNano: now, Value: &metricspb.NumberDataPoint_AsInt{AsInt: int64(n)},
			})
			sum, counts := float64(n)*0.2, make([]uint64, len(d.Buckets)+1)
			counts[0], counts[len(counts)/2] = n, n
			histograms = append(histograms, &metricspb.HistogramDataPoint{
				Attributes: set, StartTimeUnixNano: start, TimeUnixNano: now,
				Count: 2 * n, Sum: &sum, ExplicitBounds: d.Buckets, BucketCounts: counts,
			})
		}
		metric := &metricspb.Metric{Name: d.Name, Unit: d.Unit, Description: d.Description}
		const cumulative = metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE
		switch d.Kind {
		case metrics.Counter, metrics.UpDownCounter:
			metric.Data = &metricspb.Metric_Sum{Sum: &metricspb.Sum{
				DataPoints: numbers, AggregationTemporality: cumulative, IsMonotonic: d.Kind == metrics.Counter,
			}}
		case metrics.Gauge:
			metric.Data = &metricspb.Metric_Gauge{Gauge: &metricspb.Gauge{DataPoints: numbers}}
		case metrics.Histogram:
			metric.Data = &metricspb.Metric_Histogram{Histogram: &metricspb.Histogram{DataPoints: histograms, AggregationTemporality: cumulative}}
		}
		all = append(all, metric)
	}
	return &colmetricspb.ExportMetricsServiceRequest{ResourceMetrics: []*metricspb.ResourceMetrics{{
		Resource: &resourcepb.Resource{Attributes: functionResource("instance-1")},
		ScopeMetrics: []*metricspb.ScopeMetrics{{
			Scope: &commonpb.InstrumentationScope{Name: "tienda"}, Metrics: all,
		}},
	}}}
}

// metric returns one of the metrics of an export.
func metric(message *colmetricspb.ExportMetricsServiceRequest, name string) *metricspb.Metric {
	for _, m := range message.GetResourceMetrics()[0].GetScopeMetrics()[0].GetMetrics() {
		if m.GetName() == name {
			return m
		}
	}
	return nil
}

func functionResource(instance string) []*commonpb.KeyValue {
	return []*commonpb.KeyValue{
		text("service.name", "tienda"), text("service.version", "1.0.0"), text("service.instance.id", instance),
		text("faas.name", "list-products"), text("faas.instance", instance), text("deployment.environment.name", "test"),
	}
}
