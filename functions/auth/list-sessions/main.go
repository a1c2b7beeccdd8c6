// Command list-sessions serves GET /v1/auth/sessions.
package main

import (
	"context"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/internal/sessions"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { backend.Main(auth.ListSessionsRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	db, err := tables.Open(ctx, s, tables.Auth)
	if err != nil {
		return nil, err
	}
	return auth.ListSessions(sessions.Revoker(db.Auth)), nil
}
