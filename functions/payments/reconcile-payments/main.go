// Command reconcile-payments asks the payment provider about payments whose outcome is unknown.
package main

import (
	"context"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/internal/checkout"
	"github.com/tienda-dev/tienda/internal/process"
	"github.com/tienda-dev/tienda/internal/stripe"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { process.Func(build) }

func build(ctx context.Context, s *app.Setup) (func(context.Context, events.EventBridgeEvent) (payments.Reconciled, error), error) {
	db, err := tables.Open(ctx, s, tables.Commerce)
	if err != nil {
		return nil, err
	}
	provider, err := stripe.Open(ctx, s)
	if err != nil {
		return nil, err
	}
	return payments.ReconcilePayments(payments.NewService(checkout.Payments(db.Commerce), provider, time.Now)), nil
}
