package otlptest

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"testing"

	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
)

// unit is UCUM as the semantic conventions use it: s, By, 1, {request}, By/s, {request}/s.
var unit = regexp.MustCompile(`^(1|%|[A-Za-z]+|\{[A-Za-z_ ]+\})(/([A-Za-z]+|\{[A-Za-z_ ]+\}))?$`)

// Check reports what OTLP or the semantic conventions forbid in what came: ids that are not 16 and 8 bytes or
// are zero, spans and points without times, more than one schema URL, metrics without a unit, resources
// without a service and an instance, and span ids that came twice.
func (s *Sink) Check(t testing.TB) {
	t.Helper()
	for _, fault := range s.faults() {
		t.Error(fault)
	}
}

func (s *Sink) faults() []string {
	var list []string
	add := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	schemas := map[string]bool{}
	see := func(urls []string, resource Attributes, what string) {
		for _, url := range urls {
			if url != "" {
				schemas[url] = true
			}
		}
		for _, name := range []string{"service.name", "service.instance.id"} {
			if value, _ := resource[name].(string); value == "" {
				add("%s: the resource has no %s", what, name)
			}
		}
	}
	sent := map[string]bool{}
	for _, span := range s.Spans() {
		what := fmt.Sprintf("span %q", span.GetName())
		see(span.SchemaURLs, span.Resource, what)
		if !isID(span.GetTraceId(), 16) || !isID(span.GetSpanId(), 8) {
			add("%s: ids of %d and %d bytes, want 16 and 8 that are not zero", what, len(span.GetTraceId()), len(span.GetSpanId()))
		}
		if parent := span.GetParentSpanId(); len(parent) > 0 && !isID(parent, 8) {
			add("%s: a parent's id of %d bytes, want 8 that are not zero", what, len(parent))
		}
		for _, link := range span.GetLinks() {
			if !isID(link.GetTraceId(), 16) || !isID(link.GetSpanId(), 8) {
				add("%s: a link with ids of %d and %d bytes", what, len(link.GetTraceId()), len(link.GetSpanId()))
			}
		}
		if span.GetStartTimeUnixNano() == 0 || span.GetEndTimeUnixNano() < span.GetStartTimeUnixNano() {
			add("%s: it ends before it starts", what)
		}
		id := string(span.GetTraceId()) + string(span.GetSpanId())
		if sent[id] {
			add("%s: it came twice", what)
		}
		sent[id] = true
	}
	for _, m := range s.Metrics() {
		what := "metric " + m.GetName()
		see(m.SchemaURLs, m.Resource, what)
		if !unit.MatchString(m.GetUnit()) {
			add("%s: the unit is %q", what, m.GetUnit())
		}
		for _, e := range exemplars(m.Metric) {
			if len(e.GetTraceId())+len(e.GetSpanId()) > 0 && (!isID(e.GetTraceId(), 16) || !isID(e.GetSpanId(), 8)) {
				add("%s: an exemplar with ids of %d and %d bytes", what, len(e.GetTraceId()), len(e.GetSpanId()))
			}
		}
	}
	for _, record := range s.Logs() {
		what := fmt.Sprintf("log record %q", record.GetBody().GetStringValue())
		see(record.SchemaURLs, record.Resource, what)
		if len(record.GetTraceId())+len(record.GetSpanId()) > 0 && (!isID(record.GetTraceId(), 16) || !isID(record.GetSpanId(), 8)) {
			add("%s: ids of %d and %d bytes", what, len(record.GetTraceId()), len(record.GetSpanId()))
		}
	}
	if len(schemas) > 1 {
		var urls []string
		for url := range schemas {
			urls = append(urls, url)
		}
		slices.Sort(urls)
		add("the schema URLs are %q, want one", urls)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func isID(id []byte, length int) bool {
	return len(id) == length && !bytes.Equal(id, make([]byte, length))
}

func exemplars(m *metricspb.Metric) []*metricspb.Exemplar {
	var list []*metricspb.Exemplar
	for _, p := range m.GetSum().GetDataPoints() {
		list = append(list, p.GetExemplars()...)
	}
	for _, p := range m.GetHistogram().GetDataPoints() {
		list = append(list, p.GetExemplars()...)
	}
	return list
}
