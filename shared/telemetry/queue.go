package telemetry

import (
	"context"
	"sync"

	"go.opentelemetry.io/otel/codes"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// maxQueue bounds what waits for an export: ended spans, and log records.
const maxQueue = 2048

// queue keeps items until they are exported. The oldest stay, and what does not fit is counted.
type queue[T any] struct {
	mu      sync.Mutex
	items   []T
	dropped int
}

func (q *queue[T]) put(item T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) >= maxQueue {
		q.dropped++
		return
	}
	q.items = append(q.items, item)
}

// take empties the queue and returns what was in it, and how many items did not fit since the last call.
func (q *queue[T]) take() (items []T, dropped int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	items, dropped = q.items, q.dropped
	q.items, q.dropped = nil, 0
	return items, dropped
}

// giveBack puts items in front again, for the next export.
func (q *queue[T]) giveBack(items []T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	room := max(0, maxQueue-len(items))
	if len(q.items) > room {
		q.dropped += len(q.items) - room
		q.items = q.items[:room]
	}
	q.items = append(items, q.items...)
}

// spans is the span processor: it keeps ended spans, and knows the open ones.
type spans struct {
	queue[sdktrace.ReadOnlySpan]

	openMu sync.Mutex
	open   map[trace.SpanID]sdktrace.ReadWriteSpan
}

func newSpans() *spans { return &spans{open: map[trace.SpanID]sdktrace.ReadWriteSpan{}} }

// OnStart implements sdktrace.SpanProcessor.
func (s *spans) OnStart(_ context.Context, span sdktrace.ReadWriteSpan) {
	s.openMu.Lock()
	defer s.openMu.Unlock()
	s.open[span.SpanContext().SpanID()] = span
}

// OnEnd implements sdktrace.SpanProcessor.
func (s *spans) OnEnd(span sdktrace.ReadOnlySpan) {
	s.openMu.Lock()
	delete(s.open, span.SpanContext().SpanID())
	s.openMu.Unlock()
	if span.SpanContext().IsSampled() {
		s.put(span)
	}
}

// Shutdown implements sdktrace.SpanProcessor.
func (s *spans) Shutdown(context.Context) error { return nil }

// ForceFlush implements sdktrace.SpanProcessor.
func (s *spans) ForceFlush(context.Context) error { return nil }

// fail ends the open spans of a trace with the error type. A zero trace is every one.
func (s *spans) fail(id trace.TraceID, errorType string) {
	s.openMu.Lock()
	var open []sdktrace.ReadWriteSpan
	for _, span := range s.open {
		if !id.IsValid() || span.SpanContext().TraceID() == id {
			open = append(open, span)
		}
	}
	s.openMu.Unlock()
	for _, span := range open {
		span.SetAttributes(semconv.ErrorTypeKey.String(errorType))
		span.SetStatus(codes.Error, "")
		span.End() // ending it again later changes nothing
	}
}

// records is the processor of log records.
type records struct{ queue[sdklog.Record] }

// Enabled implements sdklog.Processor.
func (r *records) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }

// OnEmit implements sdklog.Processor.
func (r *records) OnEmit(_ context.Context, record *sdklog.Record) error {
	r.put(record.Clone())
	return nil
}

// Shutdown implements sdklog.Processor.
func (r *records) Shutdown(context.Context) error { return nil }

// ForceFlush implements sdklog.Processor.
func (r *records) ForceFlush(context.Context) error { return nil }

// The signals.
const (
	signalTraces  = "traces"
	signalMetrics = "metrics"
	signalLogs    = "logs"
)
