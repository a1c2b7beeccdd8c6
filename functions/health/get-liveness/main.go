// Command get-liveness serves GET /health/live.
package main

import (
	"context"
	"time"

	"github.com/tienda-dev/tienda/functions/health"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { backend.Main(health.GetLivenessRoute, build) }

func build(context.Context, *app.Setup) (api.Handler, error) { return health.GetLiveness(time.Now) }
