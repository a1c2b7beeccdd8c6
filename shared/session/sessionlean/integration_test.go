//go:build integration

package sessionlean_test

import (
	"context"
	"testing"

	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
	"github.com/tienda-dev/tienda/shared/session"
	"github.com/tienda-dev/tienda/shared/session/sessionddb"
	"github.com/tienda-dev/tienda/shared/session/sessionlean"
	"github.com/tienda-dev/tienda/shared/session/sessiontest"
)

// store writes with one client and reads states with the other.
type store struct {
	session.Store

	reader *sessionlean.Reader
}

func (s store) State(ctx context.Context, q session.Query) (session.State, error) {
	return s.reader.State(ctx, q)
}

// The whole suite with the reader of the authorizer, which must see the writes of the store.
func TestReader(t *testing.T) {
	t.Parallel()
	sessiontest.Run(t, func(t *testing.T) session.Store {
		t.Helper()
		table := ddbtest.Table(t)
		cfg := ddbtest.Config(t)
		reader, err := sessionlean.New(sessionlean.Config{
			Config: cfg.Config, Table: table.Name(), Endpoint: cfg.Endpoint,
		})
		if err != nil {
			t.Fatal(err)
		}
		return store{sessionddb.New(table), reader}
	})
}
