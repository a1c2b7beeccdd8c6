// Command list-sessions serves GET /v1/auth/sessions.
package main

import (
	"context"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/internal/sessions"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { app.Main(auth.ListSessionsRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	table, err := backend.OpenAuth(ctx, s)
	if err != nil {
		return nil, err
	}
	revoker, err := sessions.OpenRevoker(table)
	if err != nil {
		return nil, err
	}
	return auth.ListSessions(revoker), nil
}
