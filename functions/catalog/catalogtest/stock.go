package catalogtest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/catalog"
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
			a := newAdjustment(p.ID, delta)
			a.CreatedAt = Time(200 + i)
			adjusted(t, store, newKey(), a, p.SKU)
			want.Available += delta
			want.Version++
			want.UpdatedAt = a.CreatedAt
			wantInventory(t, store, want)
		}
		wantInventory(t, store, catalog.Inventory{ProductID: other.ID, SKU: other.SKU, Version: 1, UpdatedAt: other.CreatedAt})
	})
	t.Run("UnknownIsNotFound", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		create(t, store, NewProduct())
		_, _, err := store.Adjust(t.Context(), newKey(), newAdjustment(NewID(Time(0)), 1))
		if !errors.Is(err, catalog.ErrNotFound) {
			t.Errorf("Adjust: %v, want %v", err, catalog.ErrNotFound)
		}
	})
	t.Run("ArchivedProductsStillHaveStock", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		p := NewProduct()
		create(t, store, p)
		update(t, store, p, status(catalog.Archived))
		adjusted(t, store, newKey(), newAdjustment(p.ID, 2), p.SKU)
	})
	t.Run("NeverBelowZero", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		p := NewProduct()
		create(t, store, p)
		fill(t, store, p.ID, 3)
		key, take := newKey(), newAdjustment(p.ID, -4)
		_, _, err := store.Adjust(t.Context(), key, take)
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

		fill(t, store, p.ID, 1) // a refused request has not used its key
		adjusted(t, store, key, take, p.SKU)
	})
}

// adjusted checks that an adjustment is done as it was asked for.
func adjusted(t *testing.T, store catalog.Store, key catalog.AdjustmentKey, a catalog.Adjustment, sku string) {
	t.Helper()
	got, replayed, err := store.Adjust(t.Context(), key, a)
	if err != nil {
		t.Fatalf("Adjust(%d): %v", a.Delta, err)
	}
	a.SKU = sku
	if diff := cmp.Diff(a, got); diff != "" {
		t.Errorf("adjustment (-want +got):\n%s", diff)
	}
	if replayed {
		t.Error("a new adjustment is reported as a replay")
	}
}

func testAdjustmentKey(t *testing.T, newStore func(t *testing.T) catalog.Store) {
	t.Helper()
	t.Run("RepeatedCountsOnce", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		p := NewProduct()
		create(t, store, p)
		fill(t, store, p.ID, 5)
		key, first := newKey(), newAdjustment(p.ID, -5)
		adjusted(t, store, key, first, p.SKU)

		again := first // the service draws a new id and reads the clock again
		again.ID, again.CreatedAt = NewID(Time(300)), Time(300)
		replays(t, store, key, again, first) // although nothing is left
		update(t, store, p, status(catalog.Archived))
		replays(t, store, key, again, first)
		wantInventory(t, store, catalog.Inventory{
			ProductID: p.ID, SKU: p.SKU, Available: 0, Version: 3, UpdatedAt: Time(100),
		})
	})
	t.Run("AnotherRequestIsRefused", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		p, other := NewProduct(), NewProduct()
		create(t, store, p, other)
		key, first := newKey(), newAdjustment(p.ID, 5)
		adjusted(t, store, key, first, p.SKU)
		for name, change := range map[string]func(*catalog.Adjustment){
			"product":         func(a *catalog.Adjustment) { a.ProductID = other.ID },
			"delta":           func(a *catalog.Adjustment) { a.Delta = 6 },
			"refusable delta": func(a *catalog.Adjustment) { a.Delta = -100 },
			"reason":          func(a *catalog.Adjustment) { a.Reason = "loss" },
		} {
			a := newAdjustment(p.ID, 5)
			change(&a)
			if _, _, err := store.Adjust(t.Context(), key, a); !errors.Is(err, catalog.ErrKeyReused) {
				t.Errorf("Adjust with another %s: %v, want %v", name, err, catalog.ErrKeyReused)
			}
		}
		wantInventory(t, store, catalog.Inventory{
			ProductID: p.ID, SKU: p.SKU, Available: 5, Version: 2, UpdatedAt: Time(100),
		})
		wantInventory(t, store, catalog.Inventory{ProductID: other.ID, SKU: other.SKU, Version: 1, UpdatedAt: other.CreatedAt})
	})
	t.Run("BelongsToItsPrincipal", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		p := NewProduct()
		create(t, store, p)
		for _, key := range []catalog.AdjustmentKey{
			{Principal: "a", Key: "b|c"},
			{Principal: "a|b", Key: "c"},
			{Principal: "a", Key: "b#c"},
			{Principal: "a#b", Key: "c"},
			{Principal: "a", Key: "bc"},
			{Principal: "ab", Key: "c"},
			{Principal: "a", Key: "BC"},
			{Principal: "", Key: "abc"},
			{Principal: "c", Key: "a"},
		} {
			adjusted(t, store, key, newAdjustment(p.ID, 1), p.SKU)
		}
	})
	t.Run("LivesForADay", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		p := NewProduct()
		create(t, store, p)
		key, first := newKey(), newAdjustment(p.ID, 5)
		adjusted(t, store, key, first, p.SKU)

		again := newAdjustment(p.ID, 5)
		again.CreatedAt = Time(100 + 24*60*60 - 1)
		replays(t, store, key, again, first)
		other := newAdjustment(p.ID, 2)
		other.CreatedAt = Time(100 + 24*60*60)
		adjusted(t, store, key, other, p.SKU)
		replays(t, store, key, other, other)
		wantInventory(t, store, catalog.Inventory{
			ProductID: p.ID, SKU: p.SKU, Available: 7, Version: 3, UpdatedAt: other.CreatedAt,
		})
	})
}

// replays checks that the request is answered with the first adjustment. An adjustment with the same id is the
// store's own retry and not a replay.
func replays(t *testing.T, store catalog.Store, key catalog.AdjustmentKey, again, first catalog.Adjustment) {
	t.Helper()
	got, replayed, err := store.Adjust(t.Context(), key, again)
	if err != nil {
		t.Fatalf("Adjust again: %v", err)
	}
	got.SKU = ""
	if diff := cmp.Diff(first, got); diff != "" {
		t.Errorf("adjustment (-want +got):\n%s", diff)
	}
	if want := again.ID != first.ID; replayed != want {
		t.Errorf("replayed is %t, want %t", replayed, want)
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
			_, err := store.Categories(ended)
			return err
		},
		"Inventory": func() error { _, err := store.Inventory(ended, p.ID); return err },
		"Adjust": func() error {
			_, _, err := store.Adjust(ended, newKey(), newAdjustment(p.ID, 1))
			return err
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
