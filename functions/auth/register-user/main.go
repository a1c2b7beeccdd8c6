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
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/internal/tokenkeys"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/password"
	"github.com/tienda-dev/tienda/shared/ratelimit"
)

func main() { backend.Main(auth.RegisterUserRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	db, dbErr := tables.Open(ctx, s, tables.Auth, tables.Commerce)
	key, keyErr := tokenkeys.Identifier(ctx, s, auth.ParseIdentifierKey)
	if err := errors.Join(dbErr, keyErr); err != nil {
		return nil, err
	}
	users := authddb.New(db.Auth, customersddb.New(db.Commerce))
	limit, err := backend.Limiter(ctx, s, policy.RegisterAccount(), ratelimit.Closed)
	if err != nil {
		return nil, err
	}
	return auth.RegisterUser(auth.NewRegistrar(users, password.Default(), limit, key, time.Now)), nil
}
