// Command register-user serves POST /v1/auth/register.
package main

import (
	"context"
	"errors"
	"time"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/functions/auth/authddb"
	"github.com/tienda-dev/tienda/functions/customers/customersddb"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/internal/tokenkeys"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/password"
)

func main() { backend.Main(auth.RegisterUserRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	db, dbErr := tables.Open(ctx, s, tables.Auth, tables.Commerce)
	key, keyErr := tokenkeys.Identifier(ctx, s, auth.ParseIdentifierKey)
	limit, limitErr := backend.RegisterAccount(ctx, s)
	if err := errors.Join(dbErr, keyErr, limitErr); err != nil {
		return nil, err
	}
	users := authddb.New(db.Auth, customersddb.New(db.Commerce))
	return auth.RegisterUser(auth.NewRegistrar(users, password.Default(), limit, key, time.Now)), nil
}
