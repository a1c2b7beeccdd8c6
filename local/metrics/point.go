package metrics

import (
	"errors"
	"math"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
)

// What is not taken.
var (
	errForm        = errors.New("data: want a gauge, a sum or a histogram with fixed bounds")
	errTemporality = errors.New("aggregation temporality: want cumulative, or delta for sums that only grow and histograms")
	errNaN         = errors.New("value: not a number, which a sum would stay for ever")
	errBuckets     = errors.New("bucket counts: want one more than bounds, and bounds that rise")
)

// point is a data point of any kind.
type point struct {
	amount
	attributes []*commonpb.KeyValue
	start      uint64 // Unix time in ns
	time       uint64 // Unix time in ns
	bounds     []float64
	exemplars  []*metricspb.Exemplar
	absent     bool // it is marked as having no value
}

// amount is what is added up.
type amount struct {
	value   float64 // the sum of observations, for a histogram
	count   uint64  // observations
	buckets []uint64
}

// less reports whether a is smaller than before, which a stream that goes on never is.
func (a amount) less(before amount) bool {
	if a.buckets == nil {
		return a.value < before.value
	}
	for i, n := range before.buckets {
		if a.buckets[i] < n {
			return true
		}
	}
	return a.count < before.count
}

// minus returns what came after before.
func (a amount) minus(before amount) amount {
	d := amount{value: a.value - before.value, count: a.count - before.count}
	for i, n := range a.buckets {
		if before.buckets != nil {
			n -= before.buckets[i]
		}
		d.buckets = append(d.buckets, n)
	}
	return d
}

// read returns the points of a metric, and whether each is the sum since its start.
func read(m *metricspb.Metric) (points []point, k kind, cumulative bool, err error) {
	temporality := metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE
	switch data := m.GetData().(type) {
	case *metricspb.Metric_Gauge:
		k, points = gauge, numbers(data.Gauge.GetDataPoints())
	case *metricspb.Metric_Sum:
		k, points = upDown, numbers(data.Sum.GetDataPoints())
		if data.Sum.GetIsMonotonic() {
			k = counter
		}
		temporality = data.Sum.GetAggregationTemporality()
	case *metricspb.Metric_Histogram:
		k, temporality = histogram, data.Histogram.GetAggregationTemporality()
		points, err = histograms(data.Histogram.GetDataPoints())
	default:
		err = errForm
	}
	cumulative = temporality == metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE
	isDelta := temporality == metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_DELTA
	if err == nil && !cumulative && (!isDelta || k == upDown) {
		err = errTemporality
	}
	return points, k, cumulative, err
}

func numbers(list []*metricspb.NumberDataPoint) []point {
	points := make([]point, 0, len(list))
	for _, p := range list {
		value := p.GetAsDouble()
		if integer, ok := p.GetValue().(*metricspb.NumberDataPoint_AsInt); ok {
			value = float64(integer.AsInt)
		}
		points = append(points, point{
			amount: amount{value: value}, attributes: p.GetAttributes(), start: p.GetStartTimeUnixNano(),
			time: p.GetTimeUnixNano(), exemplars: p.GetExemplars(), absent: isAbsent(p.GetFlags()),
		})
	}
	return points
}

func histograms(list []*metricspb.HistogramDataPoint) ([]point, error) {
	points := make([]point, 0, len(list))
	for _, p := range list {
		bounds := p.GetExplicitBounds()
		if !isAbsent(p.GetFlags()) && len(p.GetBucketCounts()) != len(bounds)+1 {
			return nil, errBuckets
		}
		for i, bound := range bounds {
			if math.IsNaN(bound) || i > 0 && bound <= bounds[i-1] {
				return nil, errBuckets
			}
		}
		points = append(points, point{
			amount:     amount{value: p.GetSum(), count: p.GetCount(), buckets: p.GetBucketCounts()},
			attributes: p.GetAttributes(), start: p.GetStartTimeUnixNano(), time: p.GetTimeUnixNano(),
			bounds: bounds, exemplars: p.GetExemplars(), absent: isAbsent(p.GetFlags()),
		})
	}
	return points, nil
}

func isAbsent(flags uint32) bool {
	return flags&uint32(metricspb.DataPointFlags_DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK) != 0
}

// countResource returns the number of points of a resource.
func countResource(r *metricspb.ResourceMetrics) int {
	n := 0
	for _, scope := range r.GetScopeMetrics() {
		for _, m := range scope.GetMetrics() {
			n += countPoints(m)
		}
	}
	return n
}

// countPoints returns the number of points of a metric.
func countPoints(m *metricspb.Metric) int {
	return len(m.GetGauge().GetDataPoints()) + len(m.GetSum().GetDataPoints()) + len(m.GetHistogram().GetDataPoints()) +
		len(m.GetExponentialHistogram().GetDataPoints()) + len(m.GetSummary().GetDataPoints())
}
