package otlp

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	sdklog "go.opentelemetry.io/otel/sdk/log"
)

// Logs returns an ExportLogsServiceRequest with the records of one process.
func (e Encoder) Logs(records []sdklog.Record) []byte {
	if len(records) == 0 {
		return nil
	}
	var order []instrumentation.Scope
	byScope := map[instrumentation.Scope][]*sdklog.Record{}
	for i := range records {
		scope := records[i].InstrumentationScope()
		if _, ok := byScope[scope]; !ok {
			order = append(order, scope)
		}
		byScope[scope] = append(byScope[scope], &records[i])
	}
	return e.envelope("resourceLogs", "scopeLogs", records[0].Resource(), len(order), func(w *writer, i int) {
		e.scope(w, order[i])
		of := byScope[order[i]]
		w.list(2, "logRecords", len(of), func(j int) { e.record(w, of[j]) })
		w.string(3, "schemaUrl", order[i].SchemaURL)
	})
}

func (e Encoder) record(w *writer, r *sdklog.Record) {
	w.fixed64(1, "timeUnixNano", nanos(r.Timestamp()))
	w.fixed64(11, "observedTimeUnixNano", nanos(r.ObservedTimestamp()))
	w.enum(2, "severityNumber", int(r.Severity()))
	w.string(3, "severityText", r.SeverityText())
	w.message(5, "body", func() { e.value(w, "", r.Body()) })
	attributes := make([]attribute.KeyValue, 0, r.AttributesLen())
	r.WalkAttributes(func(kv attribute.KeyValue) bool {
		attributes = append(attributes, kv)
		return true
	})
	e.attributes(w, 6, attributes, false)
	w.enum(7, "droppedAttributesCount", r.DroppedAttributes())
	w.fixed32(8, "flags", uint32(r.TraceFlags()))
	if id := r.TraceID(); id.IsValid() {
		w.id(9, "traceId", id[:])
	}
	if id := r.SpanID(); id.IsValid() {
		w.id(10, "spanId", id[:])
	}
}
