// Command get-my-profile serves GET /v1/customers/me.
package main

import (
	"context"

	"github.com/tienda-dev/tienda/functions/customers"
	"github.com/tienda-dev/tienda/functions/customers/customersddb"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { backend.Main(customers.GetMyProfileRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	db, err := tables.Open(ctx, s, tables.Commerce)
	if err != nil {
		return nil, err
	}
	return customers.GetMyProfile(customersddb.New(db.Commerce)), nil
}
