// Command create-product serves POST /v1/products.
package main

import (
	"context"
	"time"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/functions/catalog/catalogddb"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { app.Main(catalog.CreateProductRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	table, err := backend.Open(ctx, s)
	if err != nil {
		return nil, err
	}
	return catalog.CreateProduct(catalog.NewService(catalogddb.New(table), time.Now)), nil
}
