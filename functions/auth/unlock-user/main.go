// Command unlock-user serves POST /v1/users/{id}/unlock.
package main

import (
	"context"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/functions/auth/authddb"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { backend.Main(auth.UnlockUserRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	db, err := tables.Open(ctx, s, tables.Auth)
	if err != nil {
		return nil, err
	}
	logins, pairs, err := backend.LoginAccount(ctx, s)
	if err != nil {
		return nil, err
	}
	return auth.UnlockUser(auth.NewUnlocker(authddb.New(db.Auth, nil), logins, pairs)), nil
}
