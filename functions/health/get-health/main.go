// Command get-health serves GET /health.
package main

import (
	"context"
	"time"

	"github.com/tienda-dev/tienda/functions/health"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { app.Main(health.GetHealthRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	auth, commerce, err := backend.OpenBoth(ctx, s)
	if err != nil {
		return nil, err
	}
	return health.GetHealth(health.Tables{Commerce: commerce, Auth: auth}, time.Now)
}
