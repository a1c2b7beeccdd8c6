package main

import (
	"context"
	"fmt"
	"io"

	"github.com/tienda-dev/tienda/functions/catalog/catalogddb"
	"github.com/tienda-dev/tienda/internal/tables"
	"github.com/tienda-dev/tienda/local/admin"
	"github.com/tienda-dev/tienda/shared/ddb"
)

// commerceTable is the logical id of the products' table.
const commerceTable = "CommerceTable"

// reindex lets search find the products of earlier releases: of the API that runs on this machine on the port, or on
// AWS if the environment names a table.
func reindex(ctx context.Context, root string, getenv func(string) string, port string, out io.Writer) error {
	table, cfg := getenv(string(tables.Commerce)), admin.AWS(getenv)
	if table == "" {
		var err error
		if cfg, err = localDynamoDB(root, getenv, port); err != nil {
			return err
		}
		table = commerceTable
	}
	client, err := ddb.Open(cfg)
	if err != nil {
		return err
	}
	done, err := catalogddb.New(ddb.NewTable(client, table)).Reindex(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "products that search finds again: %d; old rows removed: %d\n", done.Products, done.Rows)
	return err
}
