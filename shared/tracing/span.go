package tracing

import (
	"context"
	"errors"
	"reflect"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/metrics"
)

// StartSpan starts a span below the one of ctx, with the same provider. End it. Name it after the work, with nothing
// in it that a client sent.
func StartSpan(ctx context.Context, name string, attributes ...attribute.KeyValue) (context.Context, trace.Span) {
	tracer := trace.SpanFromContext(ctx).TracerProvider().Tracer(Scope, trace.WithSchemaURL(SchemaURL))
	return tracer.Start(ctx, name, trace.WithAttributes(attributes...)) //nolint:spancheck // the caller ends it
}

// SetAttributes adds attributes to the span of ctx. Those whose key AllowList does not have are not exported.
func SetAttributes(ctx context.Context, attributes ...attribute.KeyValue) {
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		span.SetAttributes(attributes...)
	}
}

// RecordError marks the span of ctx as failed with err: its class as error.type, its type and text as an event. The
// text is redacted as a log line is.
func RecordError(ctx context.Context, err error) {
	span := trace.SpanFromContext(ctx)
	if err == nil || !span.IsRecording() {
		return
	}
	class := errorType(err)
	span.SetAttributes(semconv.ErrorTypeKey.String(class))
	span.SetStatus(codes.Error, "")
	span.AddEvent(semconv.ExceptionEventName, trace.WithAttributes(
		semconv.ExceptionType(class), semconv.ExceptionMessage(logging.RedactText(err.Error()))))
}

// errorType returns the class of err: "timeout", "panic", or the Go type of the error at the bottom of its chain.
func errorType(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, context.DeadlineExceeded):
		return metrics.ErrorTimeout
	case logging.IsPanic(err):
		return metrics.ErrorPanic
	default:
		for cause := errors.Unwrap(err); cause != nil; cause = errors.Unwrap(err) {
			err = cause
		}
		return reflect.TypeOf(err).String()
	}
}
