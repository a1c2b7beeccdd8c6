// Command receive-carrier-event serves POST /v1/webhooks/carrier.
package main

import (
	"context"
	"errors"
	"time"

	"github.com/tienda-dev/tienda/functions/shipments"
	"github.com/tienda-dev/tienda/functions/shipments/shipmentsddb"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/internal/secret"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { backend.Main(shipments.ReceiveCarrierEventRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	var cfg shipments.Config
	db, dbErr := tables.Open(ctx, s, tables.Commerce)
	if err := errors.Join(dbErr, s.Env(&cfg)); err != nil {
		return nil, err
	}
	keys, err := secret.New(ctx, s, "CARRIER_KEY_SECRET", cfg.CarrierKeys, shipments.ParseCarrierKeys)
	if err != nil {
		return nil, err
	}
	s.Load(keys.Load)
	service := shipments.NewService(shipmentsddb.New(db.Commerce, nil), nil, time.Now)
	return shipments.ReceiveCarrierEvent(service, keys, time.Now), nil
}
