package tracing

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/tienda-dev/tienda/shared/metrics"
)

// coded is an error of a service, with its code.
type coded interface {
	error
	ErrorCode() string
}

// DynamoDB returns an awsjson.Observer for calls on one table: each is a CLIENT span below the span of its context, and
// is recorded in the Metrics of its context. For the SDK's client there is tracingaws.
func DynamoDB(table, region string) func(ctx context.Context, operation string) (context.Context, func(attempts, throttles int, err error)) {
	return func(ctx context.Context, operation string) (context.Context, func(attempts, throttles int, err error)) {
		tracer := trace.SpanFromContext(ctx).TracerProvider().Tracer(Scope, trace.WithSchemaURL(SchemaURL))
		ctx, span := tracer.Start(ctx, "DynamoDB."+operation, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes( //nolint:spancheck // the returned function ends it
			semconv.DBSystemNameAWSDynamoDB, semconv.DBOperationName(operation), semconv.DBCollectionName(table),
			semconv.AWSDynamoDBTableNames(table), semconv.CloudRegion(region), attribute.String("rpc.system.name", "aws-api"),
		))
		start := time.Now()
		return ctx, func(attempts, throttles int, err error) { //nolint:spancheck // it ends the span
			o := metrics.Operation{
				Name: operation, Table: table, Took: time.Since(start), Rows: -1, Attempts: attempts, Throttles: throttles,
			}
			if failed, ok := errors.AsType[coded](err); ok {
				o.Status = failed.ErrorCode()
			}
			switch {
			case err == nil:
			case errors.Is(ctx.Err(), context.DeadlineExceeded):
				o.ErrorType = metrics.ErrorTimeout
			case o.Status != "":
				o.ErrorType = o.Status
			default:
				o.ErrorType = metrics.Other
			}
			metrics.From(ctx).Database(ctx, o)
			if attempts > 1 {
				span.SetAttributes(attribute.Int("aws.dynamodb.attempts", attempts))
			}
			if o.ErrorType != "" {
				span.SetAttributes(semconv.ErrorTypeKey.String(o.ErrorType))
				if o.Status != "" {
					span.SetAttributes(semconv.DBResponseStatusCode(o.Status))
				}
				span.SetStatus(codes.Error, "")
			}
			span.End()
		}
	}
}
