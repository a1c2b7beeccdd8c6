// Command get-my-profile serves GET /v1/customers/me.
package main

import (
	"context"

	"github.com/tienda-dev/tienda/functions/customers"
	"github.com/tienda-dev/tienda/functions/customers/customersddb"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { app.Main(customers.GetMyProfileRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	table, err := backend.Open(ctx, s)
	if err != nil {
		return nil, err
	}
	return customers.GetMyProfile(customersddb.New(table)), nil
}
