// Command revoke-token serves POST /v1/auth/revoke.
package main

import (
	"context"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/internal/sessions"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/internal/tokenkeys"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { backend.Main(auth.RevokeTokenRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	db, err := tables.Open(ctx, s, tables.Auth)
	if err != nil {
		return nil, err
	}
	verify, refresh, err := tokenkeys.OpenReaders(ctx, s)
	if err != nil {
		return nil, err
	}
	return auth.RevokeToken(verify, refresh, sessions.Revoker(db.Auth)), nil
}
