package tracing_test

import (
	"context"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/tracing"
)

// The line of an invocation is written after its span has ended. Standard output gets the ids as fields; a
// collector's core takes them from a context, and so does a child span here.
func TestTheLineOfAnInvocationHasItsSpan(t *testing.T) {
	t.Parallel()
	recorder := tracetest.NewSpanRecorder()
	tracer, err := tracing.New(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)), tracing.Config{})
	if err != nil {
		t.Fatal(err)
	}
	f := tracing.Func(tracer, "invocation", nil, func(context.Context, string) (string, error) { return "", nil })
	entry := &logging.Entry{}
	if _, err := f(logging.WithEntry(t.Context(), entry), ""); err != nil {
		t.Fatal(err)
	}
	fields, _ := entry.Snapshot()
	ids := map[string]string{}
	for _, field := range fields {
		if ctx, ok := field.Interface.(context.Context); ok {
			_, child := tracing.StartSpan(ctx, "child")
			child.End()
			continue
		}
		ids[field.Key] = field.String
	}
	spans := recorder.Ended()
	if len(spans) != 2 {
		t.Fatalf("got %d spans, want that of the invocation and one below: the line has %v", len(spans), fields)
	}
	span := spans[0].SpanContext()
	if got := spans[1].Parent().SpanID(); got != span.SpanID() {
		t.Errorf("the line's context has the span %s, want %s", got, span.SpanID())
	}
	if ids[logging.KeyTraceID] != span.TraceID().String() || ids[logging.KeySpanID] != span.SpanID().String() {
		t.Errorf("the line has the ids %v, want %s and %s", ids, span.TraceID(), span.SpanID())
	}
}
