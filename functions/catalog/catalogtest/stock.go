package catalogtest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/problem"
)

func testInventory(t *testing.T, newStore func(t *testing.T) catalog.Store) {
	t.Helper()
	t.Run("NewProductHasNone", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		p := madeAt(7, status(catalog.Draft))
		create(t, store, p)
		wantInventory(t, store, catalog.Inventory{ProductID: p.ID, SKU: p.SKU, Version: 1, UpdatedAt: Time(7)})
	})
	t.Run("UnknownIsNotFound", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		create(t, store, NewProduct())
		if _, err := store.Inventory(t.Context(), NewID(Time(0))); !errors.Is(err, catalog.ErrNotFound) {
			t.Errorf("Inventory: %v, want %v", err, catalog.ErrNotFound)
		}
	})
}

func testAdjust(t *testing.T, newStore func(t *testing.T) catalog.Store) {
	t.Helper()
	t.Run("MovesStock", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		p, other := NewProduct(), NewProduct()
		create(t, store, p, other)
		want := catalog.Inventory{ProductID: p.ID, SKU: p.SKU, Version: 1}
		for i, delta := range []int64{5, -2, 1_000_000, -1_000_000, -3} {
			a := newAdjustment(p, delta)
			a.CreatedAt = Time(200 + i)
			adjusted(t, store, newKey(), a)
			want.Available += delta
			want.Version++
			want.UpdatedAt = a.CreatedAt
			wantInventory(t, store, want)
		}
		wantInventory(t, store, catalog.Inventory{ProductID: other.ID, SKU: other.SKU, Version: 1, UpdatedAt: other.CreatedAt})
	})
	t.Run("SKUThatIsTheIDOfAnotherProduct", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		p := NewProduct()
		other := NewProduct(sku(p.ID))
		create(t, store, p, other)
		fill(t, store, p, 5)
		fill(t, store, other, 7)
		wantInventory(t, store, catalog.Inventory{ProductID: p.ID, SKU: p.SKU, Available: 5, Version: 2, UpdatedAt: Time(100)})
		wantInventory(t, store, catalog.Inventory{ProductID: other.ID, SKU: p.ID, Available: 7, Version: 2, UpdatedAt: Time(100)})
	})
	t.Run("UnknownProductGetsNoStock", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		p := NewProduct()
		create(t, store, p)
		unknown := NewProduct(sku(p.SKU))
		a := newAdjustment(unknown, 5)
		if err := store.Adjust(t.Context(), NewRecord(t, newKey(), a), a); err == nil {
			t.Error("the stock of a product that does not exist is adjusted")
		}
		if _, err := store.Inventory(t.Context(), unknown.ID); !errors.Is(err, catalog.ErrNotFound) {
			t.Errorf("Inventory: %v, want %v", err, catalog.ErrNotFound)
		}
		wantInventory(t, store, catalog.Inventory{ProductID: p.ID, SKU: p.SKU, Version: 1, UpdatedAt: p.CreatedAt})
	})
	t.Run("ArchivedProductsStillHaveStock", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		p := NewProduct()
		create(t, store, p)
		update(t, store, p, status(catalog.Archived))
		adjusted(t, store, newKey(), newAdjustment(p, 2))
	})
	t.Run("NeverBelowZero", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		p := NewProduct()
		create(t, store, p)
		fill(t, store, p, 3)
		key, take := newKey(), newAdjustment(p, -4)
		err := store.Adjust(t.Context(), NewRecord(t, key, take), take)
		if !errors.Is(err, catalog.ErrWouldGoNegative) {
			t.Fatalf("Adjust: %v, want %v", err, catalog.ErrWouldGoNegative)
		}
		e, ok := problem.As(err)
		if !ok || len(e.Errors) != 1 || e.Errors[0].Pointer != "/delta" || !strings.Contains(e.Errors[0].Detail, "3") {
			t.Errorf("Adjust: %+v does not name /delta and what is available", e)
		}
		wantInventory(t, store, catalog.Inventory{
			ProductID: p.ID, SKU: p.SKU, Available: 3, Version: 2, UpdatedAt: Time(100),
		})

		fill(t, store, p, 1) // a refused request has not used its key
		adjusted(t, store, key, take)
	})
}

// adjusted checks that an adjustment is done.
func adjusted(t *testing.T, store catalog.Store, key idempotency.Key, a catalog.Adjustment) {
	t.Helper()
	if err := store.Adjust(t.Context(), NewRecord(t, key, a), a); err != nil {
		t.Fatalf("Adjust(%d): %v", a.Delta, err)
	}
}

func testAdjustmentKey(t *testing.T, newStore func(t *testing.T) catalog.Store) {
	t.Helper()
	t.Run("RepeatedCountsOnce", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		p := NewProduct()
		create(t, store, p)
		fill(t, store, p, 5)
		key, first := newKey(), newAdjustment(p, -5)
		record := NewRecord(t, key, first)
		for range 2 { // the second call is the same attempt again
			if err := store.Adjust(t.Context(), record, first); err != nil {
				t.Fatalf("Adjust: %v", err)
			}
		}

		again := first // the service draws a new id and reads the clock again
		again.ID, again.CreatedAt = NewID(Time(300)), Time(300)
		replays(t, store, key, again, record) // although nothing is left
		update(t, store, p, status(catalog.Archived))
		replays(t, store, key, again, record)
		wantInventory(t, store, catalog.Inventory{
			ProductID: p.ID, SKU: p.SKU, Available: 0, Version: 3, UpdatedAt: Time(100),
		})
	})
	t.Run("LivesForADay", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		p := NewProduct()
		create(t, store, p)
		key, first := newKey(), newAdjustment(p, 5)
		adjusted(t, store, key, first)

		again := newAdjustment(p, 5)
		again.CreatedAt = Time(100 + 24*60*60 - 1)
		replays(t, store, key, again, NewRecord(t, key, first))
		other := newAdjustment(p, 2)
		other.CreatedAt = Time(100 + 24*60*60)
		adjusted(t, store, key, other)
		replays(t, store, key, again, NewRecord(t, key, other))
		wantInventory(t, store, catalog.Inventory{
			ProductID: p.ID, SKU: p.SKU, Available: 7, Version: 3, UpdatedAt: other.CreatedAt,
		})
	})
}

// replays checks that an attempt gets the first one's answer.
func replays(t *testing.T, store catalog.Store, key idempotency.Key, again catalog.Adjustment, first idempotency.Record) {
	t.Helper()
	used, ok := errors.AsType[*idempotency.UsedError](store.Adjust(t.Context(), NewRecord(t, key, again), again))
	if !ok {
		t.Fatal("Adjust again does not find the key in use")
	}
	if diff := cmp.Diff(first.Answer, used.Stored.Answer); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}

func testContext(t *testing.T, newStore func(t *testing.T) catalog.Store) {
	t.Helper()
	store := newStore(t)
	p := NewProduct()
	create(t, store, p)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range map[string]func() error{
		"Get":    func() error { _, err := store.Get(ended, p.ID); return err },
		"Create": func() error { return store.Create(ended, NewProduct()) },
		"Update": func() error { return store.Update(ended, p, next(p, status(catalog.Archived))) },
		"List":   func() error { _, _, err := store.List(ended, active(), 1, nil); return err },
		"Search": func() error { _, _, err := store.Search(ended, catalog.NewQuery("house"), 1, nil); return err },
		"Categories": func() error {
			_, _, err := store.Categories(ended, 1, nil)
			return err
		},
		"Inventory": func() error { _, err := store.Inventory(ended, p.ID); return err },
		"Adjust": func() error {
			return store.Adjust(ended, NewRecord(t, newKey(), newAdjustment(p, 1)), newAdjustment(p, 1))
		},
	} {
		if err := call(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s with an ended context: %v, want %v", name, err, context.Canceled)
		}
	}
	wantProduct(t, store, p)
	wantListed(t, store, active(), 10, p)
	wantInventory(t, store, catalog.Inventory{ProductID: p.ID, SKU: p.SKU, Version: 1, UpdatedAt: p.CreatedAt})
}
