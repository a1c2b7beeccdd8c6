// Command create-order serves POST /v1/orders.
package main

import (
	"context"
	"time"

	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/internal/checkout"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { backend.Main(orders.CreateOrderRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	db, err := tables.Open(ctx, s, tables.Commerce)
	if err != nil {
		return nil, err
	}
	return orders.CreateOrder(checkout.Orders(db.Commerce, time.Now)), nil
}
