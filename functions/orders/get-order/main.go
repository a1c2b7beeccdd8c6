// Command get-order serves GET /v1/orders/{id}.
package main

import (
	"context"
	"time"

	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/functions/orders/ordersddb"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { backend.Main(orders.GetOrderRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	db, err := tables.Open(ctx, s, tables.Commerce)
	if err != nil {
		return nil, err
	}
	return orders.GetOrder(orders.NewService(ordersddb.New(db.Commerce, nil, nil), nil, time.Now)), nil
}
