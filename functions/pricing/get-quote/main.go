// Command get-quote serves GET /v1/quotes/{id}.
package main

import (
	"context"
	"time"

	"github.com/tienda-dev/tienda/functions/pricing"
	"github.com/tienda-dev/tienda/functions/pricing/pricingddb"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { backend.Main(pricing.GetQuoteRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	db, err := tables.Open(ctx, s, tables.Commerce)
	if err != nil {
		return nil, err
	}
	return pricing.GetQuote(pricing.NewService(pricingddb.New(db.Commerce), nil, time.Now)), nil
}
