package otlp

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// Metrics returns an ExportMetricsServiceRequest, and how many data points it has.
func (e Encoder) Metrics(m *metricdata.ResourceMetrics) (request []byte, points int) {
	request = e.envelope("resourceMetrics", "scopeMetrics", m.Resource, len(m.ScopeMetrics), func(w *writer, i int) {
		s := m.ScopeMetrics[i]
		e.scope(w, s.Scope)
		w.list(2, "metrics", len(s.Metrics), func(j int) { points += e.metric(w, s.Metrics[j]) })
		w.string(3, "schemaUrl", s.Scope.SchemaURL)
	})
	return request, points
}

func (e Encoder) metric(w *writer, m metricdata.Metrics) int {
	w.string(1, "name", m.Name)
	w.string(2, "description", m.Description)
	w.string(3, "unit", m.Unit)
	switch data := m.Data.(type) {
	case metricdata.Gauge[int64]:
		w.message(5, "gauge", func() { numbers(e, w, data.DataPoints) })
		return len(data.DataPoints)
	case metricdata.Gauge[float64]:
		w.message(5, "gauge", func() { numbers(e, w, data.DataPoints) })
		return len(data.DataPoints)
	case metricdata.Sum[int64]:
		w.message(7, "sum", func() { sum(e, w, data) })
		return len(data.DataPoints)
	case metricdata.Sum[float64]:
		w.message(7, "sum", func() { sum(e, w, data) })
		return len(data.DataPoints)
	case metricdata.Histogram[float64]:
		w.message(9, "histogram", func() { histogram(e, w, data) })
		return len(data.DataPoints)
	case metricdata.Histogram[int64]:
		w.message(9, "histogram", func() { histogram(e, w, data) })
		return len(data.DataPoints)
	default: // exponential histograms and summaries: no instrument of the catalogue makes one
		return 0
	}
}

func sum[N int64 | float64](e Encoder, w *writer, data metricdata.Sum[N]) {
	numbers(e, w, data.DataPoints)
	w.enum(2, "aggregationTemporality", temporality(data.Temporality))
	if data.IsMonotonic {
		w.bool(3, "isMonotonic", true)
	}
}

// temporality returns the protocol's number.
func temporality(t metricdata.Temporality) int {
	if t == metricdata.DeltaTemporality {
		return 1
	}
	return 2
}

func numbers[N int64 | float64](e Encoder, w *writer, points []metricdata.DataPoint[N]) {
	w.list(1, "dataPoints", len(points), func(i int) {
		p := points[i]
		e.pointAttributes(w, 7, p.Attributes)
		w.fixed64(2, "startTimeUnixNano", nanos(p.StartTime))
		w.fixed64(3, "timeUnixNano", nanos(p.Time))
		value(w, 4, 6, p.Value)
		exemplars(e, w, 5, p.Exemplars)
	})
}

// value writes a number in the field of its type.
func value[N int64 | float64](w *writer, double, integer int, v N) {
	switch v := any(v).(type) {
	case float64:
		w.double(double, "asDouble", v)
	case int64:
		w.sfixed64(integer, "asInt", v)
	}
}

func histogram[N int64 | float64](e Encoder, w *writer, data metricdata.Histogram[N]) {
	w.list(1, "dataPoints", len(data.DataPoints), func(i int) {
		p := data.DataPoints[i]
		e.pointAttributes(w, 9, p.Attributes)
		w.fixed64(2, "startTimeUnixNano", nanos(p.StartTime))
		w.fixed64(3, "timeUnixNano", nanos(p.Time))
		w.fixed64(4, "count", p.Count)
		w.double(5, "sum", float64(p.Sum))
		w.counts(6, "bucketCounts", p.BucketCounts)
		w.doubles(7, "explicitBounds", p.Bounds)
		exemplars(e, w, 8, p.Exemplars)
		if v, ok := p.Min.Value(); ok {
			w.double(11, "min", float64(v))
		}
		if v, ok := p.Max.Value(); ok {
			w.double(12, "max", float64(v))
		}
	})
	w.enum(2, "aggregationTemporality", temporality(data.Temporality))
}

func exemplars[N int64 | float64](e Encoder, w *writer, field int, list []metricdata.Exemplar[N]) {
	w.list(field, "exemplars", len(list), func(i int) {
		x := list[i]
		e.attributes(w, 7, x.FilteredAttributes, true)
		w.fixed64(2, "timeUnixNano", nanos(x.Time))
		value(w, 3, 6, x.Value)
		w.id(4, "spanId", x.SpanID)
		w.id(5, "traceId", x.TraceID)
	})
}

func (e Encoder) pointAttributes(w *writer, field int, set attribute.Set) {
	e.attributes(w, field, set.ToSlice(), false)
}
