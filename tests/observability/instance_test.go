//go:build observability

package observability_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"

	colmetricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/protobuf/proto"
)

// instance is one Lambda instance: it counts by itself from zero and sends totals, as the functions do.
type instance struct {
	id, function, version string
	started               time.Time
	endpoint              string
	client                *http.Client

	requests map[string]uint64 // by status code
	seconds  []uint64          // buckets of the duration, below each bound and above the last
	sum      float64
}

// bounds are those of http.server.request.duration, shortened.
var bounds = []float64{0.005, 0.05, 0.5, 5}

func newInstance(endpoint string, client *http.Client, number int) *instance {
	return &instance{
		id: fmt.Sprintf("2026/11/28/[7]%032x", number), function: "get-product", version: "1.0.0",
		started: time.Now(), endpoint: endpoint, client: client,
		requests: map[string]uint64{}, seconds: make([]uint64, len(bounds)+1),
	}
}

// serve counts one request.
func (i *instance) serve(status string, seconds float64) {
	i.requests[status]++
	bucket := 0
	for bucket < len(bounds) && seconds > bounds[bucket] {
		bucket++
	}
	i.seconds[bucket]++
	i.sum += seconds
}

// export sends the totals and returns the status of the answer.
func (i *instance) export(ctx context.Context) (int, error) {
	now := uint64(time.Now().UnixNano())
	start := uint64(i.started.UnixNano())
	count := &metricspb.Sum{AggregationTemporality: metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE, IsMonotonic: true}
	for status, n := range i.requests {
		count.DataPoints = append(count.DataPoints, &metricspb.NumberDataPoint{
			Attributes: []*commonpb.KeyValue{text("auth.result", status)}, StartTimeUnixNano: start, TimeUnixNano: now,
			Value: &metricspb.NumberDataPoint_AsInt{AsInt: int64(n)},
		})
	}
	total := uint64(0)
	for _, n := range i.seconds {
		total += n
	}
	duration := &metricspb.Histogram{
		AggregationTemporality: metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE,
		DataPoints: []*metricspb.HistogramDataPoint{{
			Attributes: []*commonpb.KeyValue{text("http.route", "/v1/products/{id}")}, StartTimeUnixNano: start, TimeUnixNano: now,
			Count: total, Sum: &i.sum, BucketCounts: i.seconds, ExplicitBounds: bounds,
		}},
	}
	entries := &metricspb.Gauge{DataPoints: []*metricspb.NumberDataPoint{{
		TimeUnixNano: now, Value: &metricspb.NumberDataPoint_AsInt{AsInt: 7},
	}}}
	active := &metricspb.Sum{
		AggregationTemporality: metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE,
		DataPoints: []*metricspb.NumberDataPoint{{
			StartTimeUnixNano: start, TimeUnixNano: now, Value: &metricspb.NumberDataPoint_AsInt{AsInt: 1},
		}},
	}
	request := &colmetricspb.ExportMetricsServiceRequest{ResourceMetrics: []*metricspb.ResourceMetrics{{
		Resource: &resourcepb.Resource{Attributes: []*commonpb.KeyValue{
			text("service.name", "tienda"), text("service.version", i.version), text("service.instance.id", i.id),
			text("faas.name", i.function), text("faas.instance", i.id), text("deployment.environment.name", "test"),
		}},
		ScopeMetrics: []*metricspb.ScopeMetrics{{
			Scope: &commonpb.InstrumentationScope{Name: "tienda", Version: i.version},
			Metrics: []*metricspb.Metric{
				{Name: "auth.attempts", Unit: "{attempt}", Data: &metricspb.Metric_Sum{Sum: count}},
				{Name: "http.server.request.duration", Unit: "s", Data: &metricspb.Metric_Histogram{Histogram: duration}},
				{Name: "cache.entries", Unit: "{entry}", Data: &metricspb.Metric_Gauge{Gauge: entries}},
				{Name: "http.server.active_requests", Unit: "{request}", Data: &metricspb.Metric_Sum{Sum: active}},
			},
		}},
	}}}
	return post(ctx, i.client, i.endpoint+"/v1/metrics", request)
}

func text(key, value string) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: value}}}
}

// post sends one OTLP message and returns the status of the answer.
func post(ctx context.Context, client *http.Client, url string, message proto.Message) (int, error) {
	body, err := proto.Marshal(message)
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	res, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}
