// Command change-password serves POST /v1/auth/password.
package main

import (
	"context"
	"time"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/functions/auth/authddb"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/internal/sessions"
	"github.com/tienda-dev/tienda/internal/tokenkeys"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/password"
)

func main() { app.Main(auth.ChangePasswordRoute, build) }

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
	key, err := tokenkeys.Identifier(ctx, s, auth.ParseIdentifierKey)
	if err != nil {
		return nil, err
	}
	users := auth.NewPasswordLogin(authddb.New(table, nil), password.Default(), manager, key, time.Now)
	return auth.ChangePassword(users), nil
}
