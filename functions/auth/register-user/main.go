// Command register-user serves POST /v1/auth/register.
package main

import (
	"context"
	"time"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/functions/auth/authddb"
	"github.com/tienda-dev/tienda/functions/customers/customersddb"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/internal/tokenkeys"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/password"
)

func main() { app.Main(auth.RegisterUserRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	users, commerce, err := backend.OpenBoth(ctx, s)
	if err != nil {
		return nil, err
	}
	key, err := tokenkeys.Identifier(ctx, s, auth.ParseIdentifierKey)
	if err != nil {
		return nil, err
	}
	store := authddb.New(users, customersddb.New(commerce))
	return auth.RegisterUser(auth.NewRegistrar(store, password.Default(), key, time.Now)), nil
}
