// Command list-discounts serves GET /v1/discounts.
package main

import (
	"context"
	"errors"

	"github.com/tienda-dev/tienda/functions/pricing"
	"github.com/tienda-dev/tienda/functions/pricing/pricingddb"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/internal/cursors"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { backend.Main(pricing.ListDiscountsRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	db, dbErr := tables.Open(ctx, s, tables.Commerce)
	sealer, sealerErr := cursors.Open(ctx, s)
	if err := errors.Join(dbErr, sealerErr); err != nil {
		return nil, err
	}
	return pricing.ListDiscounts(pricingddb.New(db.Commerce), sealer), nil
}
