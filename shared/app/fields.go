package app

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/middleware"
)

// lambdaFields returns the fields that tie a log line to its Lambda invocation: the first request
// of the process is a cold start; the ids come from the context, because the environment does
// not have them when requests run side by side.
func lambdaFields() middleware.LogFields {
	var served atomic.Bool
	return func(r *http.Request) []zap.Field {
		fields := []zap.Field{zap.Bool(logging.KeyColdStart, !served.Swap(true))}
		lc, ok := lambdacontext.FromContext(r.Context())
		if !ok {
			return fields
		}
		fields = append(fields, zap.String(logging.KeyFunctionRequestID, lc.AwsRequestID))
		if id := traceID(r.Context()); id != "" {
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
