package process

import (
	"context"

	"github.com/tienda-dev/tienda/shared/app"
)

// withTelemetry leaves telemetry out: `go build -overlay` puts this file in the place of internal/process/telemetry.go.
func withTelemetry(build app.Build) app.Build { return build }

func traced[In, Out any](build func(context.Context, *app.Setup) (func(context.Context, In) (Out, error), error)) func(context.Context, *app.Setup) (func(context.Context, In) (Out, error), error) {
	return build
}
