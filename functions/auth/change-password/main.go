// Command change-password serves POST /v1/auth/password.
package main

import (
	"context"
	"time"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/functions/auth/authddb"
	"github.com/tienda-dev/tienda/functions/customers/customersddb"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/internal/sessions"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/password"
)

func main() { backend.Main(auth.ChangePasswordRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	db, err := tables.Open(ctx, s, tables.Auth, tables.Commerce)
	if err != nil {
		return nil, err
	}
	manager, key, err := sessions.OpenLogin(ctx, s, db.Auth, auth.ParseIdentifierKey)
	if err != nil {
		return nil, err
	}
	users := authddb.New(db.Auth, customersddb.New(db.Commerce))
	return auth.ChangePassword(auth.NewPasswordLogin(users, password.Default(), manager, auth.NoLimits(), key, time.Now)), nil
}
