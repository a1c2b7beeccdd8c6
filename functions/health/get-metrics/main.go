// Command get-metrics serves GET /v1/metrics.
package main

import (
	"context"

	"github.com/tienda-dev/tienda/functions/health"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/telemetry"
	"github.com/tienda-dev/tienda/shared/telemetry/prom"
)

func main() {
	metrics, err := prom.New()
	if err != nil {
		panic(err) // its registry is new, so it refuses nothing
	}
	backend.Main(health.GetMetricsRoute, func(context.Context, *app.Setup) (api.Handler, error) {
		return health.GetMetrics(metrics), nil
	}, telemetry.WithReader(metrics.Reader))
}
