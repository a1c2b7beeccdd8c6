// Command refresh-token serves POST /v1/auth/refresh.
package main

import (
	"context"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/functions/auth/authddb"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/internal/sessions"
	"github.com/tienda-dev/tienda/internal/tokenkeys"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { app.Main(auth.RefreshTokenRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	table, err := backend.OpenAuth(ctx, s)
	if err != nil {
		return nil, err
	}
	keys, err := tokenkeys.Open(ctx, s)
	if err != nil {
		return nil, err
	}
	manager, err := sessions.Open(s, table, keys)
	if err != nil {
		return nil, err
	}
	return auth.RefreshToken(manager, auth.Lookup(authddb.New(table, nil))), nil
}
