// Command set-user-roles serves PUT /v1/users/{id}/roles.
package main

import (
	"context"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/functions/auth/authddb"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { app.Main(auth.SetUserRolesRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	table, err := backend.OpenAuth(ctx, s)
	if err != nil {
		return nil, err
	}
	return auth.SetUserRoles(auth.NewAdministrator(authddb.New(table, nil))), nil
}
