package telemetry

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// emf writes metrics in CloudWatch's Embedded Metric Format: one line for each set of attributes, at most 100 metrics
// in each. CloudWatch makes metrics of the function's log.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
type emf struct {
	out       sink
	namespace string
	redact    func(name, value string) string
}

const maxEMFMetrics = 100

func newEMF(out sink, r *resource.Resource, redact func(name, value string) string) *emf {
	namespace := "tienda"
	if v, ok := r.Set().Value(semconv.ServiceNameKey); ok {
		namespace = v.AsString()
	}
	return &emf{out, namespace, redact}
}

// line collects the metrics of one set of attributes.
type line struct {
	dimensions []string
	values     map[string]any
	metrics    []map[string]string
}

func (e *emf) write(ctx context.Context, m *metricdata.ResourceMetrics, now time.Time) error {
	var order []attribute.Distinct
	lines := map[attribute.Distinct]*line{}
	add := func(m metricdata.Metrics, set attribute.Set, value any) {
		key := set.Equivalent()
		l := lines[key]
		if l == nil {
			l = &line{values: map[string]any{}, dimensions: []string{}}
			for _, kv := range set.ToSlice() {
				l.dimensions = append(l.dimensions, string(kv.Key))
				l.values[string(kv.Key)] = e.redact(string(kv.Key), kv.Value.String())
			}
			lines[key] = l
			order = append(order, key)
		}
		l.values[m.Name] = value
		l.metrics = append(l.metrics, map[string]string{"Name": m.Name, "Unit": emfUnit(m.Unit)})
	}
	for _, scope := range m.ScopeMetrics {
		for _, metric := range scope.Metrics {
			points(metric, func(set attribute.Set, value any) { add(metric, set, value) })
		}
	}
	var errs []error
	for _, key := range order {
		errs = append(errs, e.print(ctx, lines[key], now))
	}
	return errors.Join(errs...)
}

func (e *emf) print(ctx context.Context, l *line, now time.Time) error {
	var errs []error
	for start := 0; start < len(l.metrics); start += maxEMFMetrics {
		some := l.metrics[start:min(len(l.metrics), start+maxEMFMetrics)]
		object := map[string]any{"_aws": map[string]any{
			"Timestamp": now.UnixMilli(),
			"CloudWatchMetrics": []any{map[string]any{
				"Namespace": e.namespace, "Dimensions": [][]string{l.dimensions}, "Metrics": some,
			}},
		}}
		for _, dimension := range l.dimensions {
			object[dimension] = l.values[dimension]
		}
		for _, metric := range some {
			object[metric["Name"]] = l.values[metric["Name"]]
		}
		text, err := json.Marshal(object)
		if err == nil {
			err = e.out.send(ctx, text)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// points calls visit for every data point with a value of the interval.
func points(m metricdata.Metrics, visit func(set attribute.Set, value any)) {
	switch data := m.Data.(type) {
	case metricdata.Gauge[int64]:
		for _, p := range data.DataPoints {
			visit(p.Attributes, p.Value)
		}
	case metricdata.Sum[int64]:
		for _, p := range data.DataPoints {
			visit(p.Attributes, p.Value)
		}
	case metricdata.Sum[float64]:
		for _, p := range data.DataPoints {
			visit(p.Attributes, p.Value)
		}
	case metricdata.Histogram[float64]:
		for _, p := range data.DataPoints {
			if p.Count == 0 {
				continue
			}
			low, _ := p.Min.Value()
			high, _ := p.Max.Value()
			visit(p.Attributes, map[string]any{"Min": low, "Max": high, "Sum": p.Sum, "Count": p.Count})
		}
	}
}

// emfUnit returns CloudWatch's name of a unit.
func emfUnit(unit string) string {
	switch unit {
	case "s":
		return "Seconds"
	case "By":
		return "Bytes"
	case "1", "{currency}":
		return "None"
	default:
		return "Count"
	}
}
