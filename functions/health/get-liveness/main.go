// Command get-liveness serves GET /health/live.
package main

import (
	"context"
	"time"

	"github.com/tienda-dev/tienda/functions/health"
	"github.com/tienda-dev/tienda/internal/meta"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { meta.Main(health.GetLivenessRoute, build) }

func build(context.Context, *app.Setup) (api.Handler, error) { return health.GetLiveness(time.Now) }
