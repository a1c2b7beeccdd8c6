// Command settle-payments moves the money that the events of orders and shipments ask for.
package main

import (
	"context"
	"time"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/internal/checkout"
	"github.com/tienda-dev/tienda/internal/process"
	"github.com/tienda-dev/tienda/internal/queues"
	"github.com/tienda-dev/tienda/internal/stripe"
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
	provider, err := stripe.Open(ctx, s)
	if err != nil {
		return nil, err
	}
	dead, err := queues.DeadLetters(ctx, s)
	if err != nil {
		return nil, err
	}
	return payments.SettlePayments(payments.NewService(checkout.Payments(db.Commerce), provider, time.Now), dead), nil
}
