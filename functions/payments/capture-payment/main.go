// Command capture-payment serves POST /v1/payments/{id}/capture.
package main

import (
	"context"
	"time"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/internal/checkout"
	"github.com/tienda-dev/tienda/internal/stripe"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { backend.Main(payments.CapturePaymentRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	db, err := tables.Open(ctx, s, tables.Commerce)
	if err != nil {
		return nil, err
	}
	provider, err := stripe.Open(ctx, s)
	if err != nil {
		return nil, err
	}
	return payments.CapturePayment(payments.NewService(checkout.Payments(db.Commerce), provider, time.Now)), nil
}
