// Command create-quote serves POST /v1/quotes.
package main

import (
	"context"
	"time"

	"github.com/tienda-dev/tienda/functions/pricing"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/internal/prices"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { backend.Main(pricing.CreateQuoteRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	db, err := tables.Open(ctx, s, tables.Commerce)
	if err != nil {
		return nil, err
	}
	return pricing.CreateQuote(prices.Service(db.Commerce, time.Now)), nil
}
