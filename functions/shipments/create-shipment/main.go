// Command create-shipment serves POST /v1/orders/{id}/shipments.
package main

import (
	"context"
	"time"

	"github.com/tienda-dev/tienda/functions/shipments"
	"github.com/tienda-dev/tienda/functions/shipments/shipmentsddb"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/internal/checkout"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { backend.Main(shipments.CreateShipmentRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	db, err := tables.Open(ctx, s, tables.Commerce)
	if err != nil {
		return nil, err
	}
	orders := checkout.NewShipping(db.Commerce)
	return shipments.CreateShipment(shipments.NewService(shipmentsddb.New(db.Commerce, orders), orders, time.Now)), nil
}
