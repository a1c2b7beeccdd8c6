// Command expire-orders ends the orders that nobody has paid in time.
package main

import (
	"context"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/internal/checkout"
	"github.com/tienda-dev/tienda/internal/process"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { process.Func(build) }

func build(ctx context.Context, s *app.Setup) (func(context.Context, events.EventBridgeEvent) (orders.Expired, error), error) {
	db, err := tables.Open(ctx, s, tables.Commerce)
	if err != nil {
		return nil, err
	}
	return orders.ExpireOrders(orders.NewService(checkout.Store(db.Commerce), nil, time.Now)), nil
}
