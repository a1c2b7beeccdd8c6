//go:build integration

package bench_test

import (
	"context"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/functions/catalog/catalogddb"
	"github.com/tienda-dev/tienda/functions/catalog/catalogtest"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
)

// TestReadUnitsDoNotGrowWithTheTable reads a product, and a page of five, from a table with 10, 100 and 1,000 products, and
// compares the read request units that DynamoDB reports.
func TestReadUnitsDoNotGrowWithTheTable(t *testing.T) {
	t.Parallel()
	m := &meter{operations: []string{"GetItem", "Query"}}
	store := catalogddb.New(ddbtest.Table(t, m.option))
	began := time.Now().Add(-time.Hour)
	var last string
	fill := func(from, to int) {
		group, ctx := errgroup.WithContext(t.Context())
		group.SetLimit(8)
		for i := from; i < to; i++ {
			p := catalogtest.NewProduct(func(p *catalog.Product) {
				p.CreatedAt = api.NewTime(began.Add(time.Duration(i) * time.Second))
				p.ID = catalogtest.NewID(p.CreatedAt)
			})
			last = p.ID
			group.Go(func() error { return store.Create(ctx, p) })
		}
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	units := func(read func(ctx context.Context) error) (calls int, units float64) {
		calls, units = m.calls, m.units
		if err := read(t.Context()); err != nil {
			t.Fatal(err)
		}
		return m.calls - calls, m.units - units
	}
	have := 0
	for _, n := range []int{10, 100, 1000} {
		fill(have, n)
		have = n
		calls, page := units(func(ctx context.Context) error {
			products, next, err := store.List(ctx, catalog.Filter{Status: catalog.Active}, 5, nil)
			if err == nil && (len(products) != 5 || next == nil) {
				t.Errorf("%d products: the page has %d", n, len(products))
			}
			return err
		})
		_, one := units(func(ctx context.Context) error { _, err := store.Get(ctx, last); return err })
		t.Logf("%d products: %d query of %g units for a page, %g for one", n, calls, page, one)
		// Six items, which are less than 4 KB together: an eventually consistent read is half a unit.
		if calls != 1 || page == 0 || page > 1 || one == 0 || one > 1 {
			t.Errorf("%d products: %d queries of %g units for a page, %g for one product", n, calls, page, one)
		}
	}
}
