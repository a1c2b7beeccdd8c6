// Command sum-categories sums the changes of the categories' products.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/events"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/functions/catalog/catalogddb"
	"github.com/tienda-dev/tienda/internal/process"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { process.Func(build) }

func build(ctx context.Context, s *app.Setup) (func(context.Context, events.EventBridgeEvent) (catalog.Summed, error), error) {
	db, err := tables.Open(ctx, s, tables.Commerce)
	if err != nil {
		return nil, err
	}
	return catalog.SumCategories(catalogddb.New(db.Commerce)), nil
}
