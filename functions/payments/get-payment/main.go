// Command get-payment serves GET /v1/payments/{id}.
package main

import (
	"context"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/internal/checkout"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { backend.Main(payments.GetPaymentRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	db, err := tables.Open(ctx, s, tables.Commerce)
	if err != nil {
		return nil, err
	}
	return payments.GetPayment(checkout.Payments(db.Commerce)), nil
}
