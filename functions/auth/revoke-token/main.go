// Command revoke-token serves POST /v1/auth/revoke.
package main

import (
	"context"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/internal/sessions"
	"github.com/tienda-dev/tienda/internal/tokenkeys"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { app.Main(auth.RevokeTokenRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	table, err := backend.OpenAuth(ctx, s)
	if err != nil {
		return nil, err
	}
	verify, refresh, err := tokenkeys.OpenReaders(ctx, s)
	if err != nil {
		return nil, err
	}
	revoker, err := sessions.OpenRevoker(table)
	if err != nil {
		return nil, err
	}
	return auth.RevokeToken(verify, refresh, revoker), nil
}
