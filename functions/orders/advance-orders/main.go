// Command advance-orders does what an event of a payment or a shipment means for its order.
package main

import (
	"context"
	"time"

	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/internal/checkout"
	"github.com/tienda-dev/tienda/internal/process"
	"github.com/tienda-dev/tienda/internal/queues"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/outbox/outboxqueue"
)

func main() { process.Func(build) }

func build(ctx context.Context, s *app.Setup) (outboxqueue.Function, error) {
	db, err := tables.Open(ctx, s, tables.Commerce)
	if err != nil {
		return nil, err
	}
	dead, err := queues.DeadLetters(ctx, s)
	if err != nil {
		return nil, err
	}
	return orders.AdvanceOrders(orders.NewService(checkout.Store(db.Commerce), nil, time.Now), dead), nil
}
