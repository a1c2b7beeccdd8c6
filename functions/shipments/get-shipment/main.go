// Command get-shipment serves GET /v1/shipments/{id}.
package main

import (
	"context"

	"github.com/tienda-dev/tienda/functions/shipments"
	"github.com/tienda-dev/tienda/functions/shipments/shipmentsddb"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { backend.Main(shipments.GetShipmentRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	db, err := tables.Open(ctx, s, tables.Commerce)
	if err != nil {
		return nil, err
	}
	return shipments.GetShipment(shipmentsddb.New(db.Commerce, nil)), nil
}
