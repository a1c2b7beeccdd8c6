// Command refresh-token serves POST /v1/auth/refresh.
package main

import (
	"context"
	"errors"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/functions/auth/authddb"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/internal/sessions"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { backend.Main(auth.RefreshTokenRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	db, dbErr := tables.Open(ctx, s, tables.Auth)
	limit, limitErr := backend.RefreshSession(ctx, s)
	if err := errors.Join(dbErr, limitErr); err != nil {
		return nil, err
	}
	manager, err := sessions.Open(ctx, s, db.Auth)
	if err != nil {
		return nil, err
	}
	return auth.RefreshToken(manager, auth.Lookup(authddb.New(db.Auth, nil)), manager.ReadRefresh, limit), nil
}
