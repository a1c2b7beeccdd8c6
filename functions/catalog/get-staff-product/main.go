// Command get-staff-product serves GET /v1/staff/products/{id}.
package main

import (
	"context"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/functions/catalog/catalogddb"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { app.Main(catalog.GetStaffProductRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	table, err := backend.Open(ctx, s)
	if err != nil {
		return nil, err
	}
	return catalog.GetStaffProduct(catalogddb.New(table)), nil
}
