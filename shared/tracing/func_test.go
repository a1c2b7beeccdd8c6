package tracing_test

import (
	"context"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/tracing"
)

// The line of an invocation is written after its span has ended, by who called Func. Standard output gets the ids as fields; a
// collector's core takes them from a context.
func TestTheLineOfAnInvocationHasItsSpan(t *testing.T) {
	t.Parallel()
	tracer, err := tracing.New(sdktrace.NewTracerProvider(), tracing.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var span oteltrace.SpanContext
	f := tracing.Func(tracer, "invocation", nil, func(ctx context.Context, _ string) (string, error) {
		span = oteltrace.SpanContextFromContext(ctx)
		return "", nil
	})
	entry := &logging.Entry{}
	if _, err := f(logging.WithEntry(t.Context(), entry), ""); err != nil || !span.IsValid() {
		t.Fatalf("got the span %v, %v", span, err)
	}
	fields, _ := entry.Snapshot()
	found := map[string]bool{}
	for _, field := range fields {
		if ctx, ok := field.Interface.(context.Context); ok {
			found["context"] = oteltrace.SpanContextFromContext(ctx).Equal(span)
		}
		if id, ok := field.Interface.(oteltrace.TraceID); ok {
			found[field.Key] = id == span.TraceID()
		}
		if id, ok := field.Interface.(oteltrace.SpanID); ok {
			found[field.Key] = id == span.SpanID()
		}
	}
	for _, name := range []string{"context", logging.KeyTraceID, logging.KeySpanID} {
		if !found[name] {
			t.Errorf("the line has no %s of the span: %v", name, fields)
		}
	}
}
