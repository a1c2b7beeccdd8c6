package otlptest

import (
	"slices"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// Attributes are the values by their names: string, bool, int64, float64, or the message of a list.
type Attributes map[string]any

// Span is a span with its resource.
type Span struct {
	*tracepb.Span
	Resource, Attributes Attributes
	Scope                string
	SchemaURLs           []string // of the resource and of the scope
}

// Metric is a metric of one export, with its resource.
type Metric struct {
	*metricspb.Metric
	Resource   Attributes
	Scope      string
	SchemaURLs []string
}

// Log is a log record with its resource.
type Log struct {
	*logspb.LogRecord
	Resource, Attributes Attributes
	Scope                string
	SchemaURLs           []string
}

// Spans returns the spans in the order in which they came.
func (s *Sink) Spans() []Span {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Span
	for _, r := range s.traces {
		for _, scope := range r.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				list = append(list, Span{
					Span: span, Resource: attributesOf(r.GetResource().GetAttributes()), Attributes: attributesOf(span.GetAttributes()),
					Scope: scope.GetScope().GetName(), SchemaURLs: []string{r.GetSchemaUrl(), scope.GetSchemaUrl()},
				})
			}
		}
	}
	return list
}

// Metrics returns the metrics of each export, in the order in which they came.
func (s *Sink) Metrics() []Metric {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Metric
	for _, r := range s.metrics {
		for _, scope := range r.GetScopeMetrics() {
			for _, m := range scope.GetMetrics() {
				list = append(list, Metric{
					Metric: m, Resource: attributesOf(r.GetResource().GetAttributes()),
					Scope: scope.GetScope().GetName(), SchemaURLs: []string{r.GetSchemaUrl(), scope.GetSchemaUrl()},
				})
			}
		}
	}
	return list
}

// Logs returns the log records in the order in which they came.
func (s *Sink) Logs() []Log {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Log
	for _, r := range s.logs {
		for _, scope := range r.GetScopeLogs() {
			for _, record := range scope.GetLogRecords() {
				list = append(list, Log{
					LogRecord: record, Resource: attributesOf(r.GetResource().GetAttributes()), Attributes: attributesOf(record.GetAttributes()),
					Scope: scope.GetScope().GetName(), SchemaURLs: []string{r.GetSchemaUrl(), scope.GetSchemaUrl()},
				})
			}
		}
	}
	return list
}

// Merged returns the sums and histograms by name and attributes, over all processes, with gauges left out.
// It takes what came as cumulative. The result is the truth to which a pipeline is compared.
func (s *Sink) Merged() map[string]map[string]float64 {
	newest := map[string]*newestPoint{}
	for _, m := range s.Metrics() {
		process, _ := m.Resource["service.instance.id"].(string)
		for _, p := range m.GetSum().GetDataPoints() {
			value := p.GetAsDouble()
			if integer, ok := p.GetValue().(*metricspb.NumberDataPoint_AsInt); ok {
				value = float64(integer.AsInt)
			}
			keep(newest, m.GetName(), process, p.GetAttributes(), p.GetStartTimeUnixNano(), p.GetTimeUnixNano(), value)
		}
		for _, p := range m.GetHistogram().GetDataPoints() {
			keep(newest, m.GetName(), process, p.GetAttributes(), p.GetStartTimeUnixNano(), p.GetTimeUnixNano(), float64(p.GetCount()))
		}
	}
	merged := map[string]map[string]float64{}
	for _, p := range newest {
		if merged[p.metric] == nil {
			merged[p.metric] = map[string]float64{}
		}
		merged[p.metric][p.attributes] += p.value
	}
	return merged
}

// Names returns the names of the metrics, sorted.
func (s *Sink) Names() []string {
	var names []string
	for _, m := range s.Metrics() {
		names = append(names, m.GetName())
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func attributesOf(list []*commonpb.KeyValue) Attributes {
	found := Attributes{}
	for _, a := range list {
		switch v := a.GetValue().GetValue().(type) {
		case *commonpb.AnyValue_StringValue:
			found[a.GetKey()] = v.StringValue
		case *commonpb.AnyValue_BoolValue:
			found[a.GetKey()] = v.BoolValue
		case *commonpb.AnyValue_IntValue:
			found[a.GetKey()] = v.IntValue
		case *commonpb.AnyValue_DoubleValue:
			found[a.GetKey()] = v.DoubleValue
		default:
			found[a.GetKey()] = a.GetValue()
		}
	}
	return found
}
