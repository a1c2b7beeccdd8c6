// Command list-categories serves GET /v1/categories.
package main

import (
	"context"
	"errors"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/functions/catalog/catalogddb"
	"github.com/tienda-dev/tienda/internal/backend"
	"github.com/tienda-dev/tienda/internal/cursors"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
)

func main() { backend.Main(catalog.ListCategoriesRoute, build) }

func build(ctx context.Context, s *app.Setup) (api.Handler, error) {
	var cfg catalog.Config
	db, dbErr := tables.Open(ctx, s, tables.Commerce)
	sealer, sealerErr := cursors.Open(ctx, s)
	if err := errors.Join(dbErr, sealerErr, s.Env(&cfg)); err != nil {
		return nil, err
	}
	return catalog.ListCategories(catalogddb.New(db.Commerce), sealer, cfg), nil
}
