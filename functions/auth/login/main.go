// Command login serves POST /v1/auth/login.
package main

import (
	"context"
	"errors"
	"time"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/functions/auth/authddb"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/internal/sessions"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/password"
)

func main() { backend.Main(auth.LoginRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	db, dbErr := tables.Open(ctx, s, tables.Auth)
	account, pair, address, limitErr := backend.LoginLimits(ctx, s)
	if err := errors.Join(dbErr, limitErr); err != nil {
		return nil, err
	}
	manager, key, err := sessions.OpenLogin(ctx, s, db.Auth, auth.ParseIdentifierKey)
	if err != nil {
		return nil, err
	}
	limits := auth.LoginLimits{Account: account, Pair: pair, Address: address}
	return auth.Login(auth.NewPasswordLogin(authddb.New(db.Auth, nil), password.Default(), manager, limits, key, time.Now)), nil
}
