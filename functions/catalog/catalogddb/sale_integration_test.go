//go:build integration

package catalogddb_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/functions/catalog/catalogddb"
	"github.com/tienda-dev/tienda/functions/catalog/catalogtest"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
	"github.com/tienda-dev/tienda/shared/idempotency"
)

// Pieces move from one counter to another, and never below zero.
func TestMovements(t *testing.T) {
	t.Parallel()
	table := ddbtest.Table(t)
	store := catalogddb.New(table)
	p := catalogtest.NewProduct()
	if err := store.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	now := catalogtest.Time(10)
	if err := store.Adjust(t.Context(), idempotency.Record{}, catalog.Adjustment{
		ID: catalogtest.NewID(now), ProductID: p.ID, SKU: p.SKU, Delta: 5, Reason: "delivery", CreatedAt: now,
	}); err != nil {
		t.Fatal(err)
	}
	type move = func(productID string, quantity int64, now time.Time) ddb.Write
	for i, step := range []struct {
		name                      string
		move                      move
		quantity                  int64
		ok                        bool
		available, reserved, sold int64
	}{
		{"ReserveTooMany", store.Reserve, 6, false, 5, 0, 0},
		{"Reserve", store.Reserve, 5, true, 0, 5, 0},
		{"ReserveOfNothing", store.Reserve, 1, false, 0, 5, 0},
		{"ReleaseTooMany", store.Release, 6, false, 0, 5, 0},
		{"Release", store.Release, 2, true, 2, 3, 0},
		{"SellTooMany", store.Sell, 4, false, 2, 3, 0},
		{"Sell", store.Sell, 3, true, 2, 0, 3},
		{"RestockTooMany", store.Restock, 4, false, 2, 0, 3},
		{"Restock", store.Restock, 3, true, 5, 0, 0},
	} {
		at := catalogtest.Time(20 + i)
		err := ddb.Commit(t.Context(), table.Client(), step.move(p.ID, step.quantity, at.Time))
		if (err == nil) != step.ok {
			t.Errorf("%s: %v", step.name, err)
		}
		got, err := store.Inventory(t.Context(), p.ID)
		if err != nil {
			t.Fatal(err)
		}
		if got.Available != step.available || got.Reserved != step.reserved || got.Sold != step.sold {
			t.Errorf("after %s: %+v", step.name, got)
		}
		if step.ok && got.UpdatedAt != at {
			t.Errorf("after %s: updated at %v, want %v", step.name, got.UpdatedAt, at)
		}
	}
}

func TestShortage(t *testing.T) {
	t.Parallel()
	table := ddbtest.Table(t)
	store := catalogddb.New(table)
	p := catalogtest.NewProduct()
	if err := store.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{p.ID, "NONE"} {
		err := ddb.Commit(t.Context(), table.Client(), store.Reserve(id, 1, catalogtest.Time(1).Time))
		short, ok := errors.AsType[*catalog.ShortError](err)
		if !ok {
			t.Fatalf("Reserve: %v", err)
		}
		if diff := cmp.Diff(&catalog.ShortError{ProductID: id}, short); diff != "" {
			t.Errorf("shortage (-want +got):\n%s", diff)
		}
	}
}

func TestCheckPrice(t *testing.T) {
	t.Parallel()
	table := ddbtest.Table(t)
	store := catalogddb.New(table)
	active := catalogtest.NewProduct()
	draft := catalogtest.NewProduct(func(p *catalog.Product) { p.Status = catalog.Draft })
	for _, p := range []catalog.Product{active, draft} {
		if err := store.Create(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	for name, tc := range map[string]struct {
		id      string
		version int64
		want    error
	}{
		"SameVersion":  {active.ID, 1, nil},
		"OtherVersion": {active.ID, 2, catalog.ErrProductChanged},
		"NotForSale":   {draft.ID, 1, catalog.ErrProductChanged},
		"Unknown":      {"NONE", 1, catalog.ErrProductChanged},
	} {
		if err := ddb.Commit(t.Context(), table.Client(), store.CheckPrice(tc.id, tc.version)); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
}
