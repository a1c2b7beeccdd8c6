package process

import (
	"context"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/telemetry"
	"github.com/tienda-dev/tienda/shared/tracing"
)

// TelemetryOption is an option of telemetry.Start.
type TelemetryOption = telemetry.Option

// withTelemetry starts telemetry before it runs build.
func withTelemetry(build app.Build, opts []TelemetryOption) app.Build {
	return func(ctx context.Context, s *app.Setup) (api.Handler, error) {
		if _, err := startTelemetry(ctx, s, opts...); err != nil {
			return nil, err
		}
		return build(ctx, s)
	}
}

// traced starts telemetry before it runs build, and makes a span of every event.
func traced[In, Out any](build func(context.Context, *app.Setup) (func(context.Context, In) (Out, error), error)) func(context.Context, *app.Setup) (func(context.Context, In) (Out, error), error) {
	return func(ctx context.Context, s *app.Setup) (func(context.Context, In) (Out, error), error) {
		t, err := startTelemetry(ctx, s)
		if err != nil {
			return nil, err
		}
		f, err := build(ctx, s)
		if err != nil {
			return nil, err
		}
		return tracing.Func(t.Tracer, lambdacontext.FunctionName, headersOf[In], f), nil
	}
}

// headersOf returns the headers of a request that an event describes.
func headersOf[In any](event In) map[string]string {
	if request, ok := any(event).(interface{ TraceHeaders() map[string]string }); ok {
		return request.TraceHeaders()
	}
	return nil
}
