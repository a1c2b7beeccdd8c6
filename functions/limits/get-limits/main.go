// Command get-limits serves GET /v1/limits/{class}.
package main

import (
	"context"

	"github.com/tienda-dev/tienda/functions/auth/authddb"
	"github.com/tienda-dev/tienda/functions/limits"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/ratelimit"
)

func main() { backend.Main(limits.GetLimitsRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	db, err := tables.Open(ctx, s, tables.Auth)
	if err != nil {
		return nil, err
	}
	open := func(policies []ratelimit.Policy) (ratelimit.Limiter, error) { return backend.Counter(ctx, s, policies) }
	service, err := limits.NewService(open, authddb.New(db.Auth, nil).Identifier)
	if err != nil {
		return nil, err
	}
	return limits.GetLimits(service), nil
}
