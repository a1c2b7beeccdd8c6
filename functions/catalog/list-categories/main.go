// Command list-categories serves GET /v1/categories.
package main

import (
	"context"
	"errors"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/functions/catalog/catalogddb"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { app.Main(catalog.ListCategoriesRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	var cfg catalog.Config
	table, tableErr := backend.Open(ctx, s)
	if err := errors.Join(tableErr, s.Env(&cfg)); err != nil {
		return nil, err
	}
	return catalog.ListCategories(catalogddb.New(table), cfg), nil
}
