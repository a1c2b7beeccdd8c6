package otlp

import (
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Spans returns an ExportTraceServiceRequest with the spans of one process.
func (e Encoder) Spans(spans []sdktrace.ReadOnlySpan) []byte {
	if len(spans) == 0 {
		return nil
	}
	var order []instrumentation.Scope
	byScope := map[instrumentation.Scope][]sdktrace.ReadOnlySpan{}
	for _, s := range spans {
		scope := s.InstrumentationScope()
		if _, ok := byScope[scope]; !ok {
			order = append(order, scope)
		}
		byScope[scope] = append(byScope[scope], s)
	}
	return e.envelope("resourceSpans", "scopeSpans", spans[0].Resource(), len(order), func(w *writer, i int) {
		e.scope(w, order[i])
		of := byScope[order[i]]
		w.list(2, "spans", len(of), func(j int) { e.span(w, of[j]) })
		w.string(3, "schemaUrl", order[i].SchemaURL)
	})
}

func (e Encoder) span(w *writer, s sdktrace.ReadOnlySpan) {
	id, span := s.SpanContext().TraceID(), s.SpanContext().SpanID()
	w.id(1, "traceId", id[:])
	w.id(2, "spanId", span[:])
	e.traceState(w, s.SpanContext())
	if parent := s.Parent(); parent.HasSpanID() {
		p := parent.SpanID()
		w.id(4, "parentSpanId", p[:])
	}
	w.fixed32(16, "flags", flags(s.SpanContext(), s.Parent().IsRemote()))
	w.string(5, "name", e.redacted("", s.Name()))
	w.enum(6, "kind", int(s.SpanKind())) // trace's numbers are the protocol's
	w.fixed64(7, "startTimeUnixNano", nanos(s.StartTime()))
	w.fixed64(8, "endTimeUnixNano", nanos(s.EndTime()))
	e.attributes(w, 9, s.Attributes(), true)
	w.enum(10, "droppedAttributesCount", s.DroppedAttributes())
	events := s.Events()
	w.list(11, "events", len(events), func(i int) {
		w.fixed64(1, "timeUnixNano", nanos(events[i].Time))
		w.string(2, "name", e.redacted("", events[i].Name))
		e.attributes(w, 3, events[i].Attributes, true)
	})
	w.enum(12, "droppedEventsCount", s.DroppedEvents())
	links := s.Links()
	w.list(13, "links", len(links), func(i int) {
		id, span := links[i].SpanContext.TraceID(), links[i].SpanContext.SpanID()
		w.id(1, "traceId", id[:])
		w.id(2, "spanId", span[:])
		e.traceState(w, links[i].SpanContext)
		e.attributes(w, 4, links[i].Attributes, true)
		w.fixed32(6, "flags", flags(links[i].SpanContext, links[i].SpanContext.IsRemote()))
	})
	w.enum(14, "droppedLinksCount", s.DroppedLinks())
	status := s.Status()
	w.message(15, "status", func() {
		w.string(2, "message", e.redacted("", status.Description))
		switch status.Code {
		case codes.Ok:
			w.enum(3, "code", 1)
		case codes.Error:
			w.enum(3, "code", 2)
		case codes.Unset:
		}
	})
}

// maxTraceState is what W3C asks everybody to pass on, in bytes: https://www.w3.org/TR/trace-context/#limits.
const maxTraceState = 512

// traceState writes what a client sent as tracestate. Half of it would be wrong, so a long one and one with a secret are
// left out.
func (e Encoder) traceState(w *writer, sc trace.SpanContext) {
	if state := sc.TraceState().String(); len(state) <= maxTraceState && e.redacted("", state) == state {
		w.string(3, "traceState", state)
	}
}

// flags returns a span's W3C flags, and whether its parent is remote: bit 8 says that this is known, bit 9 that it
// is.
func flags(sc trace.SpanContext, remote bool) uint32 {
	f := uint32(sc.TraceFlags()) | 1<<8
	if remote {
		f |= 1 << 9
	}
	return f
}
