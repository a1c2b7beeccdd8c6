//go:build integration

package catalogddb_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/functions/catalog/catalogddb"
	"github.com/tienda-dev/tienda/functions/catalog/catalogtest"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/page"
)

func TestStore(t *testing.T) {
	t.Parallel()
	catalogtest.Run(t, func(t *testing.T) catalog.Store {
		t.Helper()
		return catalogddb.New(ddbtest.Table(t))
	})
}

// naiveStore moves stock without a transaction: it reads, decides and writes.
type naiveStore struct {
	*catalogddb.Store

	table *ddb.Table
}

func (s naiveStore) Adjust(ctx context.Context, _ idempotency.Record, a catalog.Adjustment) error {
	stock, err := s.Inventory(ctx, a.ProductID)
	if err != nil {
		return err
	}
	left := stock.Available + a.Delta
	if left < 0 {
		return catalog.ErrWouldGoNegative
	}
	change := expression.Set(expression.Name("available"), expression.Value(left))
	return ddb.Commit(ctx, s.table.Client(), s.table.Update(ddb.Key{PK: "STK#" + stock.ProductID, SK: "S"}, change))
}

// A page costs one query, whatever is in the other statuses and categories, and search reads the rows and
// their products.
func TestOneQueryPerPage(t *testing.T) {
	t.Parallel()
	reads := &ddbtest.Reads{}
	store := catalogddb.New(ddbtest.Table(t, reads.Option))
	for i := range 45 {
		p := catalogtest.NewProduct(func(p *catalog.Product) {
			p.CreatedAt = catalogtest.Time(i)
			p.Status = []catalog.Status{catalog.Active, catalog.Draft, catalog.Active}[i%3]
			p.Category = []string{"tea", "cups"}[i%2]
		})
		if err := store.Create(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	reads.Take()
	for name, filter := range map[string]catalog.Filter{
		"Active":           {Status: catalog.Active},
		"Draft":            {Status: catalog.Draft},
		"Archived":         {Status: catalog.Archived},
		"ActiveInCategory": {Status: catalog.Active, Category: "tea"},
		"DraftInCategory":  {Status: catalog.Draft, Category: "cups"},
	} {
		var after []byte
		for pages := 1; ; pages++ {
			_, next, err := store.List(t.Context(), filter, 10, after)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]ddbtest.Read{{Operation: "Query"}}, reads.Take()); diff != "" {
				t.Errorf("%s: reads of page %d (-want +got):\n%s", name, pages, diff)
			}
			if next == nil {
				break
			}
			after = next
		}
	}
	for range 2 { // the second removes the changes that the first has summed
		if _, err := store.SumCategories(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	reads.Take()
	var after []byte
	for range 2 { // cups, tea
		_, next, err := store.Categories(t.Context(), 1, after)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]ddbtest.Read{{Operation: "Query"}}, reads.Take()); diff != "" {
			t.Errorf("reads of the categories after %s (-want +got):\n%s", after, diff)
		}
		after = next
	}
	// The phrase's rows, the word's rows and their products; the next page knows the word.
	_, next, err := store.Search(t.Context(), catalog.NewQuery("hou"), 10, nil)
	if err != nil {
		t.Fatal(err)
	}
	query, products := ddbtest.Read{Operation: "Query"}, ddbtest.Read{Operation: "BatchGetItem"}
	if diff := cmp.Diff([]ddbtest.Read{query, query, products}, reads.Take()); diff != "" {
		t.Errorf("reads of a search (-want +got):\n%s", diff)
	}
	if _, _, err = store.Search(t.Context(), catalog.NewQuery("hou"), 10, next); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]ddbtest.Read{query, products}, reads.Take()); diff != "" {
		t.Errorf("reads of its next page (-want +got):\n%s", diff)
	}
	// The phrase's rows, the counts of two words, the rarer word's rows and their products.
	if _, _, err := store.Search(t.Context(), catalog.NewQuery("house ble"), 10, nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]ddbtest.Read{query, query, query, query, products}, reads.Take()); diff != "" {
		t.Errorf("reads of a search for two words (-want +got):\n%s", diff)
	}
}

// Stock is read with one request, and so is an adjustment. Only if the stock is missing, the product is read too: to tell a
// product that does not exist from one whose stock is lost.
func TestStockIsOneRead(t *testing.T) {
	t.Parallel()
	reads := &ddbtest.Reads{}
	table := ddbtest.Table(t, reads.Option)
	store := catalogddb.New(table)
	service := catalog.NewService(store, time.Now)
	p, lost := catalogtest.NewProduct(), catalogtest.NewProduct()
	create(t, store, p)
	create(t, store, lost)
	if err := ddb.Commit(t.Context(), table.Client(), table.Delete(ddb.Key{PK: "STK#" + lost.ID, SK: "S"})); err != nil {
		t.Fatal(err)
	}
	reads.Take()
	inventory := func(id string) error { _, err := store.Inventory(t.Context(), id); return err }
	adjust := func(id string) error { _, err := service.Adjust(t.Context(), id, 5, "delivery"); return err }
	for name, call := range map[string]func(id string) error{"Inventory": inventory, "Adjust": adjust} {
		for id, want := range map[string]struct {
			failed, unknown bool
			reads           int
		}{
			p.ID:                           {reads: 1},
			catalogtest.NewID(p.CreatedAt): {failed: true, unknown: true, reads: 2},
			lost.ID:                        {failed: true, reads: 2},
		} {
			if err := call(id); (err != nil) != want.failed || errors.Is(err, catalog.ErrNotFound) != want.unknown {
				t.Errorf("%s: %v, want %+v", name, err, want)
			}
			if diff := cmp.Diff(slices.Repeat([]ddbtest.Read{{Operation: "GetItem", Consistent: true}}, want.reads), reads.Take()); diff != "" {
				t.Errorf("%s: reads (-want +got):\n%s", name, diff)
			}
		}
	}
}

// The suite's sale must distinguish a store that oversells from one that does not.
func TestNaiveStoreOversells(t *testing.T) {
	t.Parallel()
	table := ddbtest.Table(t)
	sale, err := catalogtest.Sell(t.Context(), naiveStore{Store: catalogddb.New(table), table: table}, 20, 100)
	if err != nil {
		t.Fatal(err)
	}
	if sale.Sold <= 20 {
		t.Errorf("%d of 20 pieces are sold: the sale would not notice a store that oversells", sale.Sold)
	}
}

// lost are the ways in which DynamoDB does the work and its answer does not arrive.
func lost() map[string]ddbtest.Fault {
	return map[string]ddbtest.Fault{
		"LostResponse":    ddbtest.LoseResponse,
		"FailAfterCommit": ddbtest.FailAfterCommit,
		"BrokenOff":       ddbtest.BreakOff,
	}
}

// open returns a store whose requests suffer faults.
func open(t *testing.T) (*catalogddb.Store, *ddbtest.Faults) {
	t.Helper()
	faults := &ddbtest.Faults{}
	return catalogddb.New(ddbtest.Table(t, faults.Option)), faults
}

func TestLostAnswers(t *testing.T) {
	t.Parallel()
	for name, fault := range lost() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, faults := open(t)
			oneEffectEach(t, store, func() {
				faults.Inject("TransactWriteItems", fault, ddbtest.Throttle, fault)
			})
			if got := faults.Attempts("TransactWriteItems"); got != 12 {
				t.Errorf("%d attempts, want 4 for each of 3 changes: the faults have not come through", got)
			}
		})
	}
}

func TestConflictsAndThrottlingPass(t *testing.T) {
	t.Parallel()
	store, faults := open(t)
	oneEffectEach(t, store, func() {
		faults.Inject("TransactWriteItems", ddbtest.Conflict, ddbtest.Throttle, ddbtest.Refuse, ddbtest.Conflict)
	})
}

// oneEffectEach makes each change once under faults and checks its answer and its effect.
func oneEffectEach(t *testing.T, store *catalogddb.Store, spoil func()) {
	t.Helper()
	p := catalogtest.NewProduct()
	spoil()
	if err := store.Create(t.Context(), p); err != nil {
		t.Fatalf("Create: %v", err)
	}

	after := p
	after.Version, after.Name, after.Category = 2, "Renamed", "tea"
	spoil()
	if err := store.Update(t.Context(), p, after); err != nil {
		t.Fatalf("Update: %v", err)
	}

	a := catalog.Adjustment{ID: catalogtest.NewID(p.CreatedAt), ProductID: p.ID, SKU: p.SKU, Delta: 5, Reason: "delivery", CreatedAt: p.CreatedAt}
	spoil()
	if err := store.Adjust(t.Context(), catalogtest.NewRecord(t, idempotency.Key{ID: "k", Fingerprint: "f"}, a), a); err != nil {
		t.Fatalf("Adjust: %v", err)
	}

	stored, err := store.Get(t.Context(), p.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(after, stored); diff != "" {
		t.Errorf("product (-want +got):\n%s", diff)
	}
	stock, err := store.Inventory(t.Context(), p.ID)
	if err != nil || stock.Available != 5 || stock.Version != 2 {
		t.Errorf("inventory %+v, %v; want 5 available in version 2", stock, err)
	}
	categories, _, err := store.Categories(t.Context(), page.MaxLimit, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]catalog.Category{{Name: "tea", ActiveProducts: 1}}, categories); diff != "" {
		t.Errorf("categories (-want +got):\n%s", diff)
	}
}

// unanswered reports whether a store returns err because DynamoDB does not answer. On a busy machine the
// context may end in the middle of an attempt.
func unanswered(err error) bool {
	return errors.Is(err, ddb.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded)
}

func TestUnavailableWritesNothing(t *testing.T) {
	t.Parallel()
	store, faults := open(t)
	p := catalogtest.NewProduct()
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	for range 1000 {
		faults.Inject("TransactWriteItems", ddbtest.Throttle)
	}
	if err := store.Create(ctx, p); !unanswered(err) {
		t.Errorf("Create: %v, want %v", err, ddb.ErrUnavailable)
	}
	if _, err := store.Get(t.Context(), p.ID); !errors.Is(err, catalog.ErrNotFound) {
		t.Errorf("Get: %v, want %v", err, catalog.ErrNotFound)
	}
}

func TestSearchWithUnprocessedKeysIsUnavailable(t *testing.T) {
	t.Parallel()
	faults := &ddbtest.Faults{}
	table := ddbtest.Table(t, faults.Option)
	store := catalogddb.New(table)
	p := catalogtest.NewProduct()
	if err := store.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	unprocessed := func(_ http.RoundTripper, r *http.Request) (*http.Response, error) {
		body := fmt.Sprintf(`{"UnprocessedKeys":{%q:{"Keys":[{"PK":{"S":"P#%s"},"SK":{"S":"META"}}]}}}`, table.Name(), p.ID)
		return ddbtest.Respond(r, http.StatusOK, body), nil
	}
	for range 100 {
		faults.Inject("BatchGetItem", unprocessed)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	found, _, err := store.Search(ctx, catalog.NewQuery("house"), 10, nil)
	if !unanswered(err) {
		t.Errorf("Search: %d products, %v; want %v", len(found), err, ddb.ErrUnavailable)
	}
}
