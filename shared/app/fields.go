package app

import (
	"context"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/shared/logging"
)

// invocationFields returns a function for the fields that tie a log line to its Lambda
// invocation: the first one of the process is a cold start; the ids come from the context, because
// the environment does not have them when invocations run in parallel.
func invocationFields() func(context.Context) []zap.Field {
	var served atomic.Bool
	return func(ctx context.Context) []zap.Field {
		fields := []zap.Field{zap.Bool(logging.KeyColdStart, !served.Swap(true))}
		lc, ok := lambdacontext.FromContext(ctx)
		if !ok {
			return fields
		}
		fields = append(fields,
			zap.String(logging.KeyFunctionRequestID, lc.AwsRequestID),
			zap.String(logging.KeyFunctionARN, lc.InvokedFunctionArn),
		)
		if id := traceID(ctx); id != "" {
			fields = append(fields, zap.String(logging.KeyXRayTraceID, id))
		}
		return fields
	}
}

// traceID returns the root id of the invocation's X-Ray trace. aws-lambda-go keeps the whole trace
// header ("Root=1-…;Parent=…;Sampled=1") in the context under this key.
func traceID(ctx context.Context) string {
	header, _ := ctx.Value("x-amzn-trace-id").(string)
	for part := range strings.SplitSeq(header, ";") {
		if root, ok := strings.CutPrefix(strings.TrimSpace(part), "Root="); ok {
			return root
		}
	}
	return ""
}
