package signals

import (
	"context"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// DynamoDB makes a call inside a client's span. By hand, because the instrumentation of the SDK (otelaws) is deprecated
// and costs more.
// https://opentelemetry.io/docs/languages/go/instrumentation/#creating-spans
func DynamoDB[T any](ctx context.Context, operation, table string, call func(context.Context) (T, error)) (T, error) {
	ctx, span := otel.Tracer("example.com/peers").Start(ctx, operation+" "+table,
		trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(
			attribute.String("db.system.name", "aws.dynamodb"), attribute.String("db.operation.name", operation),
			attribute.StringSlice("aws.dynamodb.table_names", []string{table}),
		))
	defer span.End()
	got, err := call(ctx)
	if err != nil {
		span.RecordError(err)
		span.SetStatus(codes.Error, err.Error())
	}
	return got, err
}
