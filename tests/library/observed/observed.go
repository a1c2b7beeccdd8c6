// Package observed adds traces and metrics to a function, as docs/library.md shows it.
package observed

import (
	"context"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/telemetry"
)

// Build starts telemetry before it runs build.
func Build(build app.Build) app.Build {
	return func(ctx context.Context, s *app.Setup) (api.Handler, error) {
		if _, err := telemetry.Start(ctx, s); err != nil {
			return nil, err
		}
		return build(ctx, s)
	}
}
