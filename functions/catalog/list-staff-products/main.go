// Command list-staff-products serves GET /v1/staff/products.
package main

import (
	"context"
	"errors"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/functions/catalog/catalogddb"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/internal/cursors"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { backend.Main(catalog.ListStaffProductsRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	db, dbErr := tables.Open(ctx, s, tables.Commerce)
	sealer, sealerErr := cursors.Open(ctx, s)
	if err := errors.Join(dbErr, sealerErr); err != nil {
		return nil, err
	}
	return catalog.ListStaffProducts(catalogddb.New(db.Commerce), sealer), nil
}
