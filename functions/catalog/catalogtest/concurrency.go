package catalogtest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/shared/idempotency"
)

// Sale is the result of many buyers who buy one product at the same time.
type Sale struct {
	// Sold is how many of them got a piece, Refused how many did not because nothing was left.
	Sold, Refused int
	// Left is the available stock afterwards.
	Left int64
}

// patience is how long all concurrent calls of a test may take. A store's own limit for a call without a
// deadline may be too short on a busy machine.
const patience = 2 * time.Minute

// Sell creates a product with pieces in stock and lets every buyer take one, all at the same time. It checks
// nothing: if a store oversells, Sold + Left is not pieces, or Sold is more than pieces.
func Sell(ctx context.Context, store catalog.Store, pieces int64, buyers int) (Sale, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	p := NewProduct()
	if err := store.Create(ctx, p); err != nil {
		return Sale{}, err
	}
	if err := store.Adjust(ctx, idempotency.Record{}, newAdjustment(p, pieces)); err != nil {
		return Sale{}, err
	}
	var sale Sale
	for _, err := range together(buyers, func(int) error {
		return store.Adjust(ctx, idempotency.Record{}, newAdjustment(p, -1))
	}) {
		switch {
		case err == nil:
			sale.Sold++
		case errors.Is(err, catalog.ErrWouldGoNegative):
			sale.Refused++
		default:
			return Sale{}, err
		}
	}
	stock, err := store.Inventory(ctx, p.ID)
	sale.Left = stock.Available
	return sale, err
}

func testConcurrency(t *testing.T, newStore func(t *testing.T) catalog.Store) {
	t.Helper()
	t.Run("HundredBuyersOfTwentyPieces", func(t *testing.T) {
		t.Parallel()
		got, err := Sell(t.Context(), newStore(t), 20, 100)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(Sale{Sold: 20, Refused: 80, Left: 0}, got); diff != "" {
			t.Errorf("sale (-want +got):\n%s", diff)
		}
	})
	t.Run("OneKeyAtOnceCountsOnce", func(t *testing.T) {
		t.Parallel()
		testOneKeyAtOnce(t, newStore(t))
	})
	t.Run("ManyCreatorsOfOneSKU", func(t *testing.T) {
		t.Parallel()
		testOneSKUAtOnce(t, newStore(t))
	})
	t.Run("ManyUpdatesFromOneVersion", func(t *testing.T) {
		t.Parallel()
		testOneVersionAtOnce(t, newStore(t))
	})
	t.Run("ManyCreatorsInOneCategory", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		for _, err := range together(16, func(int) error { return store.Create(ctx, NewProduct()) }) {
			if err != nil {
				t.Errorf("Create: %v", err)
			}
		}
		wantCategories(t, store, catalog.Category{Name: "coffee-beans", ActiveProducts: 16})
	})
}

func testOneKeyAtOnce(t *testing.T, store catalog.Store) {
	t.Helper()
	p := NewProduct()
	create(t, store, p)
	fill(t, store, p, 3) // enough for one
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	key := newKey()
	attempts := make([]catalog.Adjustment, 20)
	records := make([]idempotency.Record, len(attempts))
	for i := range attempts {
		attempts[i] = newAdjustment(p, -2)
		records[i] = NewRecord(t, key, attempts[i])
	}
	firsts, answers := 0, map[string]bool{}
	for i, err := range together(len(attempts), func(i int) error { return store.Adjust(ctx, records[i], attempts[i]) }) {
		answer := records[i].Answer
		if used, ok := errors.AsType[*idempotency.UsedError](err); ok {
			answer = used.Stored.Answer
		} else if err != nil {
			t.Fatalf("Adjust: %v", err)
		} else {
			firsts++
		}
		answers[string(answer.Body)] = true
	}
	if firsts != 1 || len(answers) != 1 {
		t.Errorf("%d attempts are first and %d answers are different, want 1 of each", firsts, len(answers))
	}
	wantInventory(t, store, catalog.Inventory{
		ProductID: p.ID, SKU: p.SKU, Available: 1, Version: 3, UpdatedAt: Time(100),
	})
}

func testOneSKUAtOnce(t *testing.T, store catalog.Store) {
	t.Helper()
	products := make([]catalog.Product, 10)
	for i := range products {
		products[i] = NewProduct(sku("WANTED"), name(fmt.Sprintf("Wanted w%02d", i)))
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	errs := together(len(products), func(i int) error { return store.Create(ctx, products[i]) })
	var won []catalog.Product
	for i, err := range errs {
		switch {
		case err == nil:
			won = append(won, products[i])
		case !errors.Is(err, catalog.ErrSKUExists):
			t.Errorf("Create: %v, want %v", err, catalog.ErrSKUExists)
		}
	}
	if len(won) != 1 {
		t.Fatalf("%d products have one SKU", len(won))
	}
	wantListed(t, store, active(), 50, won...)
	wantFound(t, store, "wanted", won...)
	wantCategories(t, store, catalog.Category{Name: "coffee-beans", ActiveProducts: 1})
	wantInventory(t, store, catalog.Inventory{
		ProductID: won[0].ID, SKU: "WANTED", Version: 1, UpdatedAt: won[0].CreatedAt,
	})
}

func testOneVersionAtOnce(t *testing.T, store catalog.Store) {
	t.Helper()
	p := NewProduct()
	create(t, store, p)
	changed := make([]catalog.Product, 10)
	for i := range changed {
		changed[i] = next(p, name(fmt.Sprintf("Changed c%02d", i)), category(fmt.Sprintf("c%02d", i)))
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	errs := together(len(changed), func(i int) error { return store.Update(ctx, p, changed[i]) })
	var won []catalog.Product
	for i, err := range errs {
		switch {
		case err == nil:
			won = append(won, changed[i])
		case !errors.Is(err, catalog.ErrStale):
			t.Errorf("Update: %v, want %v", err, catalog.ErrStale)
		}
	}
	if len(won) != 1 {
		t.Fatalf("%d updates from one version are done", len(won))
	}
	wantProduct(t, store, won[0])
	wantListed(t, store, active(), 50, won...)
	wantFound(t, store, "changed", won...)
	wantCategories(t, store, catalog.Category{Name: won[0].Category, ActiveProducts: 1})
}
