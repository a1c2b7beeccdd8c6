// Command list-order-shipments serves GET /v1/orders/{id}/shipments.
package main

import (
	"context"
	"errors"

	"github.com/tienda-dev/tienda/functions/shipments"
	"github.com/tienda-dev/tienda/functions/shipments/shipmentsddb"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/internal/checkout"
	"github.com/tienda-dev/tienda/internal/cursors"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { backend.Main(shipments.ListOrderShipmentsRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	db, dbErr := tables.Open(ctx, s, tables.Commerce)
	sealer, sealerErr := cursors.Open(ctx, s)
	if err := errors.Join(dbErr, sealerErr); err != nil {
		return nil, err
	}
	return shipments.ListOrderShipments(checkout.NewShipping(db.Commerce), shipmentsddb.New(db.Commerce, nil), sealer), nil
}
