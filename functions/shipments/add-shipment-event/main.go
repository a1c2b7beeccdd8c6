// Command add-shipment-event serves POST /v1/shipments/{id}/events.
package main

import (
	"context"
	"time"

	"github.com/tienda-dev/tienda/functions/shipments"
	"github.com/tienda-dev/tienda/functions/shipments/shipmentsddb"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { backend.Main(shipments.AddShipmentEventRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	db, err := tables.Open(ctx, s, tables.Commerce)
	if err != nil {
		return nil, err
	}
	return shipments.AddShipmentEvent(shipments.NewService(shipmentsddb.New(db.Commerce, nil), nil, time.Now)), nil
}
