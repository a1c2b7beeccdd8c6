// Package tracingaws makes a span and the measurements of every call of DynamoDB, as middleware of the AWS SDK. It adds
// no header to a request, so that nothing that is signed changes.
package tracingaws

import (
	"context"
	"errors"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/shared/tracing"
)

// DynamoDB returns an option of ddb.Open: every call is a CLIENT span below the span of its context, and is recorded
// in the Metrics of its context.
func DynamoDB() func(*dynamodb.Options) {
	return func(o *dynamodb.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("TiendaTelemetry", observe), middleware.Before)
		})
	}
}

func observe(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	name := awsmiddleware.GetOperationName(ctx)
	call := describe(in.Parameters)
	recorder := metrics.From(ctx)
	if recorder != nil {
		askCapacity(in.Parameters)
	}
	tracer := trace.SpanFromContext(ctx).TracerProvider().Tracer(tracing.Scope, trace.WithSchemaURL(tracing.SchemaURL))
	ctx, span := tracer.Start(ctx, "DynamoDB."+name, trace.WithSpanKind(trace.SpanKindClient))
	defer span.End()

	start := time.Now()
	out, metadata, err := next.HandleInitialize(ctx, in)
	o := metrics.Operation{Name: name, Table: call.table, Index: call.index, Took: time.Since(start), Rows: -1, Attempts: 1}
	attempts(&o, metadata, err)
	fail(ctx, &o, err)
	result(&o, out.Result)
	recorder.Database(ctx, o)
	if span.IsRecording() {
		finish(ctx, span, o, metadata)
	}
	return out, metadata, err
}

// finish sets what the span says about the call.
func finish(ctx context.Context, span trace.Span, o metrics.Operation, metadata middleware.Metadata) {
	attributes := []attribute.KeyValue{
		semconv.DBSystemNameAWSDynamoDB, semconv.DBOperationName(o.Name), semconv.CloudRegion(awsmiddleware.GetRegion(ctx)),
		attribute.String("rpc.system.name", "aws-api"),
	}
	if o.Table != "" {
		attributes = append(attributes, semconv.DBCollectionName(o.Table), semconv.AWSDynamoDBTableNames(o.Table))
	}
	if o.Index != "" {
		attributes = append(attributes, semconv.AWSDynamoDBIndexName(o.Index))
	}
	if id, ok := awsmiddleware.GetRequestIDMetadata(metadata); ok {
		attributes = append(attributes, semconv.AWSRequestID(id))
	}
	if o.Rows >= 0 {
		attributes = append(attributes, semconv.AWSDynamoDBCount(o.Rows))
	}
	if o.Attempts > 1 {
		attributes = append(attributes, attribute.Int("aws.dynamodb.attempts", o.Attempts))
	}
	if o.ErrorType != "" {
		attributes = append(attributes, semconv.ErrorTypeKey.String(o.ErrorType))
		if o.Status != "" {
			attributes = append(attributes, semconv.DBResponseStatusCode(o.Status))
		}
		span.SetStatus(codes.Error, "")
	}
	span.SetAttributes(attributes...)
}

// attempts counts attempts and throttles.
func attempts(o *metrics.Operation, metadata middleware.Metadata, err error) {
	results, ok := retry.GetAttemptResults(metadata)
	if !ok {
		if throttled(err) {
			o.Throttles = 1
		}
		return
	}
	o.Attempts = max(1, len(results.Results))
	for _, r := range results.Results {
		if throttled(r.Err) {
			o.Throttles++
		}
	}
}

func throttled(err error) bool {
	switch errorCode(err) {
	case "ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingError":
		return true
	default:
		return false
	}
}

func errorCode(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}

// fail classifies an error. The code is DynamoDB's own, one of a fixed list; its text is not used, because it may
// quote an item.
func fail(ctx context.Context, o *metrics.Operation, err error) {
	if err == nil {
		return
	}
	o.Status = errorCode(err)
	switch {
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		o.ErrorType = metrics.ErrorTimeout
	case o.Status != "":
		o.ErrorType = o.Status
	default:
		o.ErrorType = metrics.Other
	}
	if o.Status == "ConditionalCheckFailedException" {
		o.Condition = true
	}
	if o.Status == "TransactionConflictException" {
		o.Conflict = true
	}
	if canceled, ok := errors.AsType[*types.TransactionCanceledException](err); ok {
		for _, reason := range canceled.CancellationReasons {
			switch code := reason.Code; {
			case code == nil:
			case *code == "ConditionalCheckFailed":
				o.Condition = true
			case *code == "ThrottlingError" || *code == "ProvisionedThroughputExceeded":
				o.Throttles = max(o.Throttles, 1)
			case *code == "TransactionConflict":
				o.Conflict = true
			}
		}
	}
}
