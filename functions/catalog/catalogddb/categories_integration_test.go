//go:build integration

package catalogddb_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/functions/catalog/catalogddb"
	"github.com/tienda-dev/tienda/functions/catalog/catalogtest"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
	"github.com/tienda-dev/tienda/shared/page"
)

func in(category string) func(*catalog.Product) {
	return func(p *catalog.Product) { p.Category = category }
}

// sum sums the categories and checks how many changes that were, and how many have items afterwards.
func sum(t *testing.T, store *catalogddb.Store, table *ddb.Table, want, left int) {
	t.Helper()
	if got, err := store.SumCategories(t.Context()); err != nil || got != want {
		t.Errorf("SumCategories: %d, %v; want %d", got, err, want)
	}
	if got := changes(t, table); got != left {
		t.Errorf("%d changes have items, want %d", got, left)
	}
}

func changes(t *testing.T, table *ddb.Table) int {
	t.Helper()
	n := 0
	for _, item := range scan(t, table) {
		if key, _ := ddb.KeyOf(item); key.PK == "CATEGORIES" && strings.Contains(key.SK, "#") {
			n++
		}
	}
	return n
}

func wantCategories(t *testing.T, store *catalogddb.Store, want ...catalog.Category) {
	t.Helper()
	got, _, err := store.Categories(t.Context(), page.MaxLimit, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(append([]catalog.Category{}, want...), got); diff != "" {
		t.Errorf("categories (-want +got):\n%s", diff)
	}
}

// The list does not depend on when the changes are summed, nor on whether an earlier release has summed some itself.
// A change keeps its item until the next time, for those who have read the old sum.
func TestSumCategoriesChangesNoCount(t *testing.T) {
	t.Parallel()
	table := ddbtest.Table(t)
	store := catalogddb.New(table)
	earlier := ddb.Key{PK: "CATEGORIES", SK: "tea"}.Item()
	earlier["active_products"] = &types.AttributeValueMemberN{Value: "3"}
	put(t, table, earlier)
	first, second := catalogtest.NewProduct(in("tea")), catalogtest.NewProduct(in("tea-2"))
	create(t, store, first, second, catalogtest.NewProduct(in("cups")))
	want := []catalog.Category{{Name: "cups", ActiveProducts: 1}, {Name: "tea", ActiveProducts: 4}, {Name: "tea-2", ActiveProducts: 1}}
	wantCategories(t, store, want...)
	sum(t, store, table, 3, 3)
	wantCategories(t, store, want...)

	for _, p := range []catalog.Product{first, second} {
		if err := store.Update(t.Context(), p, newVersion(p, in("cups"))); err != nil {
			t.Fatal(err)
		}
	}
	want = []catalog.Category{{Name: "cups", ActiveProducts: 3}, {Name: "tea", ActiveProducts: 3}}
	wantCategories(t, store, want...)
	sum(t, store, table, 4, 4)
	wantCategories(t, store, want...)
	sum(t, store, table, 0, 0)
	wantCategories(t, store, want...)
	sum(t, store, table, 0, 0)
	wantCategories(t, store, want...)
}

// More changes than one call sums and than one read returns.
func TestSumCategoriesOfAnImport(t *testing.T) {
	t.Parallel()
	const products = 1150
	table := ddbtest.Table(t)
	store := catalogddb.New(table)
	create(t, store, catalogtest.NewProduct(in("cups")), catalogtest.NewProduct(in("teas")))
	var items []ddb.Item
	for p := range products {
		item := ddb.Key{PK: "CATEGORIES", SK: fmt.Sprintf("tea#%026d#1", p)}.Item()
		item["change"] = &types.AttributeValueMemberN{Value: "1"}
		item["large"] = &types.AttributeValueMemberS{Value: strings.Repeat("x", 1000)}
		items = append(items, item)
	}
	put(t, table, items...)
	want := []catalog.Category{{Name: "cups", ActiveProducts: 1}, {Name: "tea", ActiveProducts: products}, {Name: "teas", ActiveProducts: 1}}
	wantCategories(t, store, want...)
	sum(t, store, table, 1+1000+1, products+2)
	wantCategories(t, store, want...)
	sum(t, store, table, products-1000, products-1000)
	wantCategories(t, store, want...)
	sum(t, store, table, 0, 0)
	wantCategories(t, store, want...)
}

// A call that ends in the middle has counted nothing twice, and the next one does the rest.
func TestSumCategoriesIsBrokenOff(t *testing.T) {
	t.Parallel()
	for name, done := range map[string]int{"BeforeTheItemsAreRemoved": 0, "BeforeTheSumIsWritten": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faults := &ddbtest.Faults{}
			table := ddbtest.Table(t, faults.Option)
			store := catalogddb.New(table)
			create(t, store, catalogtest.NewProduct(), catalogtest.NewProduct())
			sum(t, store, table, 2, 2)
			create(t, store, catalogtest.NewProduct())
			faults.Inject("TransactWriteItems", make([]ddbtest.Fault, done)...)
			faults.Inject("TransactWriteItems", ddbtest.Answer(http.StatusBadRequest, "ValidationException", ""))
			want := catalog.Category{Name: "coffee-beans", ActiveProducts: 3}
			if n, err := store.SumCategories(t.Context()); err == nil || n != 0 {
				t.Errorf("SumCategories: %d, %v; want an error", n, err)
			}
			wantCategories(t, store, want)
			sum(t, store, table, 1, 1)
			wantCategories(t, store, want)
		})
	}
}

// Changes are made, and summed by several callers whose answers are lost, at the same time.
func TestSumCategoriesWhileTheyChange(t *testing.T) {
	t.Parallel()
	const n = 24
	faults := &ddbtest.Faults{}
	table := ddbtest.Table(t, faults.Option)
	store := catalogddb.New(table)
	for range n {
		faults.Inject("TransactWriteItems", nil, ddbtest.LoseResponse, ddbtest.FailAfterCommit, ddbtest.Conflict, ddbtest.Throttle)
	}
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for range n / 4 {
				p := catalogtest.NewProduct(in("tea"))
				if err := store.Create(t.Context(), p); err != nil {
					t.Errorf("Create: %v", err)
				}
				if worker%2 == 0 {
					if err := store.Update(t.Context(), p, newVersion(p, in("cups"))); err != nil {
						t.Errorf("Update: %v", err)
					}
				}
				if _, err := store.SumCategories(t.Context()); err != nil {
					t.Errorf("SumCategories: %v", err)
				}
			}
		})
	}
	group.Wait()
	want := []catalog.Category{{Name: "cups", ActiveProducts: n / 2}, {Name: "tea", ActiveProducts: n / 2}}
	for range 2 {
		wantCategories(t, store, want...)
		if _, err := store.SumCategories(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	sum(t, store, table, 0, 0)
	wantCategories(t, store, want...)
}

// A release that does not know changes of categories reads the items of their partition. It must not show them as
// categories when it comes back.
func TestChangesAreNoSums(t *testing.T) {
	t.Parallel()
	table := ddbtest.Table(t)
	create(t, catalogddb.New(table), catalogtest.NewProduct())
	if changes(t, table) != 1 {
		t.Fatal("want one change")
	}
	items, _, err := table.Query(t.Context(), ddb.Query{Where: expression.Key(ddb.AttrPK).Equal(expression.Value("CATEGORIES"))})
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range items {
		if _, ok := item["active_products"]; ok {
			t.Errorf("a change has the attribute of a sum: %v", item)
		}
	}
}
