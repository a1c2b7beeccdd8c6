package otlp

import (
	"cmp"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"
)

// Record is a log record. https://opentelemetry.io/docs/specs/otel/logs/data-model/
type Record struct {
	// Scope is the name of the logger; empty is that of the encoder.
	Scope string
	// Time is when it happened, Observed when it was kept.
	Time, Observed time.Time
	// Severity is OpenTelemetry's number, Level the logger's name of it.
	Severity   int
	Level      string
	Text       string
	Attributes []attribute.KeyValue
	// Span is the span that it belongs to, if it has one.
	Span trace.SpanContext
}

// Logs returns an ExportLogsServiceRequest with the records of one process. Those of a logger without a name are of scope.
func (e Encoder) Logs(r *resource.Resource, scope string, records []Record) []byte {
	if len(records) == 0 {
		return nil
	}
	var order []string
	byScope := map[string][]*Record{}
	for i := range records {
		name := cmp.Or(records[i].Scope, scope)
		if _, ok := byScope[name]; !ok {
			order = append(order, name)
		}
		byScope[name] = append(byScope[name], &records[i])
	}
	return e.envelope("resourceLogs", "scopeLogs", r, len(order), func(w *writer, i int) {
		e.scope(w, instrumentation.Scope{Name: order[i]})
		of := byScope[order[i]]
		w.list(2, "logRecords", len(of), func(j int) { e.record(w, of[j]) })
	})
}

func (e Encoder) record(w *writer, r *Record) {
	w.fixed64(1, "timeUnixNano", nanos(r.Time))
	w.fixed64(11, "observedTimeUnixNano", nanos(r.Observed))
	w.enum(2, "severityNumber", r.Severity)
	w.string(3, "severityText", r.Level)
	w.message(5, "body", func() { e.value(w, "", attribute.StringValue(r.Text)) })
	e.attributes(w, 6, r.Attributes, false)
	w.fixed32(8, "flags", uint32(r.Span.TraceFlags()))
	if id := r.Span.TraceID(); id.IsValid() {
		w.id(9, "traceId", id[:])
	}
	if id := r.Span.SpanID(); id.IsValid() {
		w.id(10, "spanId", id[:])
	}
}
