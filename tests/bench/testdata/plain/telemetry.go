package process

import (
	"context"

	"github.com/tienda-dev/tienda/shared/app"
)

// TelemetryOption is none: `go build -overlay` puts this file in the place of internal/process/telemetry.go.
type TelemetryOption struct{}

// withTelemetry leaves telemetry out.
func withTelemetry(build app.Build, _ []TelemetryOption) app.Build { return build }

func traced[In, Out any](build func(context.Context, *app.Setup) (func(context.Context, In) (Out, error), error)) func(context.Context, *app.Setup) (func(context.Context, In) (Out, error), error) {
	return build
}
