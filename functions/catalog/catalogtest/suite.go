// Package catalogtest has a test suite for every catalog.Store, and a store in memory that passes it.
package catalogtest

import (
	"context"
	"crypto/rand"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/oklog/ulid/v2"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/page"
)

// Run runs the suite. newStore returns an empty store that no other test uses.
//
// The suite reads lists and searches right after a change. A store with a delay must be so fast that a test
// does not see it, as DynamoDB Local is.
func Run(t *testing.T, newStore func(t *testing.T) catalog.Store) {
	t.Helper()
	for _, part := range []struct {
		name string
		test func(t *testing.T, newStore func(t *testing.T) catalog.Store)
	}{
		{"Create", testCreate},
		{"Update", testUpdate},
		{"Categories", testCategories},
		{"List", testList},
		{"Search", testSearch},
		{"Inventory", testInventory},
		{"Adjust", testAdjust},
		{"AdjustmentKey", testAdjustmentKey},
		{"Concurrency", testConcurrency},
		{"Context", testContext},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			part.test(t, newStore)
		})
	}
}

// Time returns a fixed time, n seconds after the first one.
func Time(n int) api.Time {
	return api.NewTime(time.Date(2026, time.March, 1, 12, 0, n, 0, time.UTC))
}

// NewID returns a new id of something that was created at the time.
func NewID(at api.Time) string {
	return ulid.MustNew(ulid.Timestamp(at.Time), rand.Reader).String()
}

// NewProduct returns an active product in its first version, as the service passes one to a store. Its SKU is
// unique.
func NewProduct(change ...func(*catalog.Product)) catalog.Product {
	at := Time(0)
	p := catalog.Product{
		ID:          NewID(at),
		Name:        "House Blend",
		Description: "Beans for every day.",
		Category:    "coffee-beans",
		Tags:        []string{"arabica", "washed"},
		Attributes:  map[string]string{"roast": "medium"},
		Price:       money.Money{AmountMinor: 1250, Currency: "EUR"},
		Status:      catalog.Active,
		Version:     1,
		CreatedAt:   at,
		UpdatedAt:   at,
	}
	p.SKU = "SKU-" + p.ID
	for _, f := range change {
		f(&p)
	}
	return p
}

// next returns the following version of p with changes.
func next(p catalog.Product, change ...func(*catalog.Product)) catalog.Product {
	p.Version++
	p.UpdatedAt = p.UpdatedAt.Add(time.Second)
	for _, f := range change {
		f(&p)
	}
	return p
}

// newAdjustment returns an adjustment as the service passes one to a store.
func newAdjustment(p catalog.Product, delta int64) catalog.Adjustment {
	return catalog.Adjustment{
		ID: NewID(Time(100)), ProductID: p.ID, SKU: p.SKU, Delta: delta, Reason: "delivery", CreatedAt: Time(100),
	}
}

// NewRecord returns the record of an attempt to adjust stock, as the service passes one to a store.
func NewRecord(t testing.TB, key idempotency.Key, a catalog.Adjustment) idempotency.Record {
	t.Helper()
	r, err := idempotency.Done(idempotency.WithKey(t.Context(), key), a.CreatedAt.Time, http.StatusCreated, nil, a)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// newKey returns a key that was not used.
func newKey() idempotency.Key {
	return idempotency.Key{ID: rand.Text(), Fingerprint: "fingerprint"}
}

func status(s catalog.Status) func(*catalog.Product) {
	return func(p *catalog.Product) { p.Status = s }
}

func category(name string) func(*catalog.Product) {
	return func(p *catalog.Product) { p.Category = name }
}

func name(name string, tags ...string) func(*catalog.Product) {
	return func(p *catalog.Product) { p.Name, p.Tags = name, tags }
}

func sku(sku string) func(*catalog.Product) {
	return func(p *catalog.Product) { p.SKU = sku }
}

// create stores products with their stock.
func create(t *testing.T, store catalog.Store, products ...catalog.Product) {
	t.Helper()
	for _, p := range products {
		if err := store.Create(t.Context(), p); err != nil {
			t.Fatalf("Create(%s): %v", p.SKU, err)
		}
	}
}

// update stores the next version of p and returns it.
func update(t *testing.T, store catalog.Store, p catalog.Product, change ...func(*catalog.Product)) catalog.Product {
	t.Helper()
	after := next(p, change...)
	if err := store.Update(t.Context(), p, after); err != nil {
		t.Fatalf("Update(%s to version %d): %v", p.SKU, after.Version, err)
	}
	return after
}

// fill adds pieces to the stock of a product.
func fill(t *testing.T, store catalog.Store, p catalog.Product, pieces int64) {
	t.Helper()
	adjusted(t, store, newKey(), newAdjustment(p, pieces))
}

func wantProduct(t *testing.T, store catalog.Store, want catalog.Product) {
	t.Helper()
	got, err := store.Get(t.Context(), want.ID)
	if err != nil {
		t.Errorf("Get: %v", err)
		return
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("product (-want +got):\n%s", diff)
	}
}

func wantInventory(t *testing.T, store catalog.Store, want catalog.Inventory) {
	t.Helper()
	got, err := store.Inventory(t.Context(), want.ProductID)
	if err != nil {
		t.Errorf("Inventory: %v", err)
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("inventory (-want +got):\n%s", diff)
	}
}

func wantCategories(t *testing.T, store catalog.Store, want ...catalog.Category) {
	t.Helper()
	got, next, err := store.Categories(t.Context(), page.MaxLimit, nil)
	if err != nil || next != nil {
		t.Errorf("Categories: %v, next page %s", err, next)
		return
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("categories (-want +got):\n%s", diff)
	}
}

// pager is List or Search without the bounds of the page.
type pager func(ctx context.Context, limit int, after []byte) ([]catalog.Product, []byte, error)

func lister(store catalog.Store, filter catalog.Filter) pager {
	return func(ctx context.Context, limit int, after []byte) ([]catalog.Product, []byte, error) {
		return store.List(ctx, filter, limit, after)
	}
}

func searcher(store catalog.Store, query string) pager {
	return func(ctx context.Context, limit int, after []byte) ([]catalog.Product, []byte, error) {
		return store.Search(ctx, catalog.NewQuery(query), limit, after)
	}
}

// walk reads all pages and returns their products.
func walk(t *testing.T, read pager, limit int) [][]catalog.Product {
	t.Helper()
	const tooMany = 1000
	var pages [][]catalog.Product
	var after []byte
	for range tooMany {
		products, position, err := read(t.Context(), limit, after)
		if err != nil {
			t.Fatalf("page %d: %v", len(pages)+1, err)
		}
		if len(products) > limit {
			t.Fatalf("page %d has %d products, the limit is %d", len(pages)+1, len(products), limit)
		}
		pages = append(pages, products)
		if position == nil {
			return pages
		}
		after = position
	}
	t.Fatalf("no end after %d pages", tooMany)
	return nil
}

func ids(products []catalog.Product) []string {
	list := make([]string, len(products))
	for i, p := range products {
		list[i] = p.ID
	}
	return list
}

// together runs n calls of f at once and returns what they returned.
func together[T any](n int, f func(i int) T) []T {
	results := make([]T, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			results[i] = f(i)
		})
	}
	close(start)
	wg.Wait()
	return results
}
