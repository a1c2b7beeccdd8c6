//go:build integration

package catalogddb_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/functions/catalog/catalogddb"
	"github.com/tienda-dev/tienda/functions/catalog/catalogtest"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
	"github.com/tienda-dev/tienda/shared/idempotency"
)

// A new product never replaces an item that is there: another product with its id, or stock of its id.
func TestCreateReplacesNothing(t *testing.T) {
	t.Parallel()
	table := ddbtest.Table(t)
	store := catalogddb.New(table)
	first := catalogtest.NewProduct()
	create(t, store, first)
	// Without its stock only the product's own item is in the way.
	if err := ddb.Commit(t.Context(), table.Client(), table.Delete(ddb.Key{PK: "STK#" + first.ID, SK: "S"})); err != nil {
		t.Fatal(err)
	}
	sameID := catalogtest.NewProduct(func(p *catalog.Product) { p.ID = first.ID })
	stocked := catalogtest.NewProduct()
	stock := ddb.Key{PK: "STK#" + stocked.ID, SK: "S"}.Item()
	stock["available"] = &types.AttributeValueMemberN{Value: "7"}
	put(t, table, stock)
	for name, p := range map[string]catalog.Product{"SameID": sameID, "Stocked": stocked} {
		if err := store.Create(t.Context(), p); err == nil {
			t.Errorf("%s: it was created", name)
		}
	}
	if got, err := store.Get(t.Context(), first.ID); err != nil || cmp.Diff(first, got) != "" {
		t.Errorf("the first product is %+v, %v", got, err)
	}
	if _, err := store.Get(t.Context(), stocked.ID); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("the product with stock: %v", err)
	}
}

// Reindex keeps a row that its product has got, or may have got, after Reindex has read the product.
func TestReindexKeepsRowsOfChangedProducts(t *testing.T) {
	t.Parallel()
	for name, meanwhile := range map[string]func(*catalogddb.Store, *ddb.Table, catalog.Product) error{
		"Renamed": func(store *catalogddb.Store, _ *ddb.Table, p catalog.Product) error {
			return store.Update(t.Context(), p, newVersion(p, named("Blue cup")))
		},
		"ChangedByAnEarlierRelease": func(_ *catalogddb.Store, table *ddb.Table, p catalog.Product) error {
			change := expression.Set(expression.Name("words_version"), expression.Value(0))
			return ddb.Commit(t.Context(), table.Client(), table.Update(ddb.Key{PK: "P#" + p.ID, SK: "META"}, change))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faults := &ddbtest.Faults{}
			table := ddbtest.Table(t, faults.Option)
			store := catalogddb.New(table)
			p := catalogtest.NewProduct(named("Red cup"))
			create(t, store, p)
			row := rowOf("WORD#", "blue", p.ID, "blue cup")
			put(t, table, row)
			faults.Inject("TransactWriteItems", func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
				if err := meanwhile(store, table, p); err != nil {
					t.Error(err)
				}
				return next.RoundTrip(r)
			})
			if _, err := store.Reindex(t.Context()); err != nil {
				t.Fatal(err)
			}
			key, _ := ddb.KeyOf(row)
			if found, err := table.Get(t.Context(), key, &ddb.Key{}, true); err != nil || !found {
				t.Errorf("the row is there: %t, %v", found, err)
			}
		})
	}
}

// A product is settled with the words that it has then, not with those that were read.
func TestReindexSettlesWhatIsThere(t *testing.T) {
	t.Parallel()
	faults := &ddbtest.Faults{}
	table := ddbtest.Table(t, faults.Option)
	store := catalogddb.New(table)
	p := catalogtest.NewProduct(named("Red cup"))
	create(t, store, p)
	age(t, table, p)
	renamed := newVersion(p, named("Blue cup"))
	faults.Inject("TransactWriteItems", func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		change := expression.Set(expression.Name("name"), expression.Value(renamed.Name)).
			Set(expression.Name("version"), expression.Value(renamed.Version))
		if err := ddb.Commit(t.Context(), table.Client(), table.Update(ddb.Key{PK: "P#" + p.ID, SK: "META"}, change)); err != nil {
			t.Error(err)
		}
		return next.RoundTrip(r)
	})
	if _, err := store.Reindex(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantIndex(t, table, renamed)
}

// An adjustment with the id of another one moves nothing.
func TestAdjustmentReplacesNone(t *testing.T) {
	t.Parallel()
	store := catalogddb.New(ddbtest.Table(t))
	p := catalogtest.NewProduct()
	create(t, store, p)
	first := catalog.Adjustment{ID: "01JD7Q9W2V5K8N3M6P4R1S0T00", ProductID: p.ID, SKU: p.SKU, Delta: 5, Reason: "delivery", CreatedAt: catalogtest.Time(1)}
	second := first
	second.Delta, second.Reason = 7, "recount"
	if err := store.Adjust(t.Context(), idempotency.Record{}, first); err != nil {
		t.Fatal(err)
	}
	if err := store.Adjust(t.Context(), idempotency.Record{}, second); err == nil {
		t.Error("the second adjustment was made")
	}
	if stock, err := store.Inventory(t.Context(), p.ID); err != nil || stock.Available != 5 {
		t.Errorf("got %+v, %v, want 5 available", stock, err)
	}
}
