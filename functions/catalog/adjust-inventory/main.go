// Command adjust-inventory serves POST /v1/products/{id}/inventory/adjustments.
package main

import (
	"context"
	"time"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/functions/catalog/catalogddb"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { backend.Main(catalog.AdjustInventoryRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	db, err := tables.Open(ctx, s, tables.Commerce)
	if err != nil {
		return nil, err
	}
	return catalog.AdjustInventory(catalog.NewService(catalogddb.New(db.Commerce), time.Now)), nil
}
