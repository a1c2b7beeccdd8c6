package telemetry

import (
	"context"
	"sync"

	"go.opentelemetry.io/otel/codes"
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

// len returns how many items wait.
func (q *queue[T]) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items)
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

// spans is the span processor: it keeps ended spans, and knows the open ones of every invocation.
type spans struct {
	queue[sdktrace.ReadOnlySpan]

	openMu sync.Mutex
	open   map[trace.SpanID]openSpan
}

type openSpan struct {
	sdktrace.ReadWriteSpan

	of *invocation
}

func newSpans() *spans { return &spans{open: map[trace.SpanID]openSpan{}} }

// OnStart implements sdktrace.SpanProcessor.
func (s *spans) OnStart(ctx context.Context, span sdktrace.ReadWriteSpan) {
	of := invocationFrom(ctx)
	if of == nil {
		return
	}
	s.openMu.Lock()
	defer s.openMu.Unlock()
	s.open[span.SpanContext().SpanID()] = openSpan{span, of}
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

// release forgets the open spans of an invocation and returns them.
func (s *spans) release(of *invocation) []openSpan {
	s.openMu.Lock()
	defer s.openMu.Unlock()
	var open []openSpan
	for id, span := range s.open {
		if span.of == of {
			open = append(open, span)
			delete(s.open, id)
		}
	}
	return open
}

// fail ends the open spans of an invocation with the error type.
func (s *spans) fail(of *invocation, errorType string) {
	for _, span := range s.release(of) { // without the lock, which End takes
		span.SetAttributes(semconv.ErrorTypeKey.String(errorType))
		span.SetStatus(codes.Error, "")
		span.End() // ending it again later changes nothing
	}
}

// The signals.
const (
	signalTraces  = "traces"
	signalMetrics = "metrics"
	signalLogs    = "logs"
)
