// Command get-readiness serves GET /health/ready.
package main

import (
	"context"
	"time"

	"github.com/tienda-dev/tienda/functions/health"
	"github.com/tienda-dev/tienda/internal/meta"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { meta.Main(health.GetReadinessRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	db, err := tables.Open(ctx, s, tables.Auth, tables.Commerce)
	if err != nil {
		return nil, err
	}
	return health.GetReadiness(health.Tables{Commerce: db.Commerce, Auth: db.Auth}, time.Now)
}
