//go:build integration

package catalogddb_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/functions/catalog/catalogddb"
	"github.com/tienda-dev/tienda/functions/catalog/catalogtest"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
)

func named(name string) func(*catalog.Product) {
	return func(p *catalog.Product) { p.Name, p.Tags = name, nil }
}

func create(t *testing.T, store *catalogddb.Store, products ...catalog.Product) {
	t.Helper()
	for _, p := range products {
		if err := store.Create(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
}

// put writes items as they are.
func put(t *testing.T, table *ddb.Table, items ...ddb.Item) {
	t.Helper()
	for chunk := range slices.Chunk(items, 25) {
		var requests []types.WriteRequest
		for _, item := range chunk {
			requests = append(requests, types.WriteRequest{PutRequest: &types.PutRequest{Item: item}})
		}
		_, err := table.Client().SDK().BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{
			RequestItems: map[string][]types.WriteRequest{table.Name(): requests},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// rowOf returns a row that finds a product by a word of the text.
func rowOf(prefix, word, id, text string) ddb.Item {
	item := ddb.Key{PK: prefix + word[:2], SK: word + "#" + id}.Item()
	item["text"] = &types.AttributeValueMemberS{Value: " " + text}
	return item
}

// putMany writes rows as if n products had the words. The products do not exist.
func putMany(t *testing.T, table *ddb.Table, n int, words ...string) {
	t.Helper()
	var items []ddb.Item
	for i := range n {
		for _, word := range words {
			items = append(items, rowOf("WORD#", word, fmt.Sprintf("%05d", i), strings.Join(words, " ")))
		}
	}
	put(t, table, items...)
}

// Rows and products are read one after the other, and a product may have changed in between.
func TestSearchDropsRowsThatAreOlderThanTheirProduct(t *testing.T) {
	t.Parallel()
	table := ddbtest.Table(t)
	store := catalogddb.New(table)
	active := catalogtest.NewProduct(named("Outdated"))
	renamed := catalogtest.NewProduct(named("Renamed"))
	draft := catalogtest.NewProduct(named("Outdated"), func(p *catalog.Product) { p.Status = catalog.Draft })
	create(t, store, active, renamed, draft)
	put(t, table,
		rowOf("WORD#", "outdated", renamed.ID, "outdated"), rowOf("WORD#", "outdated", draft.ID, "outdated"),
		rowOf("WORD#", "outdated", catalogtest.NewID(active.CreatedAt), "outdated"),
		ddb.Key{PK: "PHRASE#outdated", SK: "2#" + renamed.ID}.Item(), ddb.Key{PK: "PHRASE#outdated", SK: "1#" + draft.ID}.Item())

	for _, query := range []string{"outdated", "outda"} {
		found, next, err := store.Search(t.Context(), catalog.NewQuery(query), 1, nil)
		if err != nil || next != nil {
			t.Fatalf("Search(%q): next %q, %v", query, next, err)
		}
		if diff := cmp.Diff([]catalog.Product{active}, found, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("Search(%q) (-want +got):\n%s", query, diff)
		}
	}
}

// Very many products have one of the words, and hardly any has both.
func TestSearchReadsTheRarestWord(t *testing.T) {
	t.Parallel()
	reads := &ddbtest.Reads{}
	table := ddbtest.Table(t, reads.Option)
	store := catalogddb.New(table)
	putMany(t, table, 600, "coffee", "bean")
	putMany(t, table, 150, "unusual") // more than are counted at first
	last := catalogtest.NewProduct(named("coffee rara unusual"))
	create(t, store, last)
	for query, want := range map[string]struct{ found, reads int }{
		// The rows of the phrase, the counts, the rows of the rarest word and the product.
		"coffee rara":     {1, 1 + 2 + 1 + 1},
		"rara coff":       {1, 1 + 2 + 1 + 1},
		"coffee bean rar": {0, 1 + 3 + 1},
		"coffee unusua":   {1, 1 + 2*2 + 1 + 1},
	} {
		reads.Take()
		found, next, err := store.Search(t.Context(), catalog.NewQuery(query), 20, nil)
		if err != nil || next != nil || len(found) != want.found {
			t.Errorf("Search(%q): %d products, next %q, %v; want %d", query, len(found), next, err, want.found)
		}
		if n := len(reads.Take()); n != want.reads {
			t.Errorf("Search(%q) takes %d reads, want %d: more have read a common word", query, n, want.reads)
		}
	}
}

// Every word is common and one product has them all. It is on the first page, although its row is the last.
func TestNoPageIsEmptyAndHasMore(t *testing.T) {
	t.Parallel()
	table := ddbtest.Table(t)
	store := catalogddb.New(table)
	putMany(t, table, 1300, "coffee")
	putMany(t, table, 450, "sugar")
	both := catalogtest.NewProduct(named("Zz sugar coffee")) // its id is greater than those of the rows
	create(t, store, both)
	for _, query := range []string{"coffee sugar", "sug cof"} {
		found, next, err := store.Search(t.Context(), catalog.NewQuery(query), 1, nil)
		if err != nil || next != nil || len(found) != 1 || found[0].ID != both.ID {
			t.Errorf("Search(%q): %d products, next %q, %v; want the one product", query, len(found), next, err)
		}
	}
}

// wantIndex checks that the table has exactly the rows that the products need.
func wantIndex(t *testing.T, table *ddb.Table, products ...catalog.Product) {
	t.Helper()
	want, got := map[string]int{}, map[string]int{}
	for _, p := range products {
		if p.Status != catalog.Active {
			continue
		}
		for _, word := range p.Words() {
			want["row "+word+"#"+p.ID]++
		}
		sku, name := p.Phrases()
		want["phrase "+sku+" 1#"+p.ID]++
		want["phrase "+name+" 2#"+p.ID]++
	}
	for _, item := range scan(t, table) {
		key, _ := ddb.KeyOf(item)
		phrase, isPhrase := strings.CutPrefix(key.PK, "PHRASE#")
		var record struct {
			WordsVersion int      `dynamodbav:"words_version"`
			StaleWords   []string `dynamodbav:"stale_words"`
		}
		if err := ddb.Decode(item, &record); err != nil {
			t.Fatal(err)
		}
		switch {
		case isPhrase:
			got["phrase "+phrase+" "+key.SK]++
		case strings.HasPrefix(key.PK, "WORD#"):
			got["row "+key.SK]++
		case strings.HasPrefix(key.PK, "TOK#"), strings.HasPrefix(key.PK, "COUNT#"):
			got["old row "+key.PK+" "+key.SK]++
		case strings.HasPrefix(key.PK, "P#") && (record.WordsVersion != 1 || record.StaleWords != nil):
			got["unsettled "+key.PK]++
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what finds products (-want +got):\n%s", diff)
	}
}

func scan(t *testing.T, table *ddb.Table) []ddb.Item {
	t.Helper()
	var items []ddb.Item
	pages := dynamodb.NewScanPaginator(table.Client().SDK(), &dynamodb.ScanInput{TableName: new(table.Name()), ConsistentRead: new(true)})
	for pages.HasMorePages() {
		out, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, out.Items...)
	}
	return items
}

// age makes a product what the first release stored: with rows of its own, and without these.
func age(t *testing.T, table *ddb.Table, p catalog.Product) {
	t.Helper()
	for _, item := range scan(t, table) {
		key, _ := ddb.KeyOf(item)
		if strings.HasPrefix(key.PK, "WORD#") && strings.HasSuffix(key.SK, p.ID) || strings.HasPrefix(key.PK, "PHRASE#") && strings.HasSuffix(key.SK, p.ID) {
			if err := ddb.Commit(t.Context(), table.Client(), table.Delete(key)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, word := range p.Words() {
		if p.Status == catalog.Active {
			put(t, table, rowOf("TOK#", word, p.ID, strings.Join(p.Words(), " ")))
		}
	}
	forget(t, table, p)
}

// forget makes a product what the first release leaves of it when it changes it.
func forget(t *testing.T, table *ddb.Table, p catalog.Product) {
	t.Helper()
	change := expression.Remove(expression.Name("words_version"))
	if err := ddb.Commit(t.Context(), table.Client(), table.Update(ddb.Key{PK: "P#" + p.ID, SK: "META"}, change)); err != nil {
		t.Fatal(err)
	}
}

func newVersion(p catalog.Product, change ...func(*catalog.Product)) catalog.Product {
	p.Version++
	for _, f := range change {
		f(&p)
	}
	return p
}

func TestReindexFindsTheProductsOfTheFirstRelease(t *testing.T) {
	t.Parallel()
	table := ddbtest.Table(t)
	store := catalogddb.New(table)
	old := catalogtest.NewProduct(named("Cafe Ole"))
	draft := catalogtest.NewProduct(named("Cafe draft"), func(p *catalog.Product) { p.Status = catalog.Draft })
	recent := catalogtest.NewProduct(named("Cafe new"))
	mixed := catalogtest.NewProduct(named("Cafe mixed")) // changed by both releases
	create(t, store, old, draft, recent, mixed)
	age(t, table, old)
	age(t, table, draft)
	forget(t, table, mixed)
	put(t, table,
		rowOf("WORD#", "stray", recent.ID, "stray"), ddb.Key{PK: "PHRASE#stray", SK: "2#" + recent.ID}.Item(),
		ddb.Key{PK: "COUNT#ca", SK: "cafe"}.Item())

	if found, _, err := store.Search(t.Context(), catalog.NewQuery("ole"), 10, nil); err != nil || len(found) != 0 {
		t.Fatalf("the product is found before: %d, %v; the test proves nothing", len(found), err)
	}
	got, err := store.Reindex(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := catalogddb.Reindexed{Products: 3, Rows: len(old.Words()) + 3}
	if got != want {
		t.Errorf("Reindex: %+v, want %+v", got, want)
	}
	wantIndex(t, table, old, draft, recent, mixed)
	if found, _, err := store.Search(t.Context(), catalog.NewQuery("OLÉ"), 10, nil); err != nil || len(found) != 1 {
		t.Errorf("the old product is found %d times, %v", len(found), err)
	}
	if got, err := store.Reindex(t.Context()); err != nil || got != (catalogddb.Reindexed{}) {
		t.Errorf("Reindex again: %+v, %v; want nothing to do", got, err)
	}
}

func TestChangeOfAProductOfTheFirstRelease(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*catalog.Product){
		"Renamed":  named("Cafe con leche"),
		"Price":    func(p *catalog.Product) { p.Price.AmountMinor++ },
		"Archived": func(p *catalog.Product) { p.Status = catalog.Archived },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := ddbtest.Table(t)
			store := catalogddb.New(table)
			p := catalogtest.NewProduct(named("Cafe Ole"))
			create(t, store, p)
			age(t, table, p)
			after := newVersion(p, change)
			if err := store.Update(t.Context(), p, after); err != nil {
				t.Fatal(err)
			}
			if _, err := store.Reindex(t.Context()); err != nil { // removes the old rows
				t.Fatal(err)
			}
			wantIndex(t, table, after)
		})
	}
}

// An earlier release changed all words of a product in two transactions, and has not made the second one.
func TestStaleWordsOfAnEarlierRelease(t *testing.T) {
	t.Parallel()
	words := func(letter string) func(*catalog.Product) {
		var list []string
		for i := range catalog.MaxWords {
			list = append(list, fmt.Sprintf("%s%02d", letter, i))
		}
		return named(strings.Join(list, " "))
	}
	for name, repair := range map[string]func(*catalogddb.Store, catalog.Product) (catalog.Product, error){
		"ThenChanged": func(store *catalogddb.Store, p catalog.Product) (catalog.Product, error) {
			after := newVersion(p, named("Short"))
			return after, store.Update(t.Context(), p, after)
		},
		"ThenReindexed": func(store *catalogddb.Store, p catalog.Product) (catalog.Product, error) {
			_, err := store.Reindex(t.Context())
			return p, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := ddbtest.Table(t)
			store := catalogddb.New(table)
			before := catalogtest.NewProduct(words("a"))
			create(t, store, before)
			p := newVersion(before, words("b"))
			if err := store.Update(t.Context(), before, p); err != nil {
				t.Fatal(err)
			}
			wantIndex(t, table, p) // one transaction is enough now
			removed := before.Words()[1:]
			change := expression.Set(expression.Name("words_version"), expression.Value(0)).
				Set(expression.Name("stale_words"), expression.Value(removed))
			for _, word := range removed[:catalog.MaxWords/2] {
				put(t, table, rowOf("WORD#", word, p.ID, strings.Join(before.Words(), " ")))
			}
			if err := ddb.Commit(t.Context(), table.Client(), table.Update(ddb.Key{PK: "P#" + p.ID, SK: "META"}, change)); err != nil {
				t.Fatal(err)
			}
			for query, want := range map[string]int{"a01": 0, "a01 a02": 0, "b01 b02": 1} {
				if found, _, err := store.Search(t.Context(), catalog.NewQuery(query), 10, nil); err != nil || len(found) != want {
					t.Errorf("%s is found %d times, %v; want %d", query, len(found), err, want)
				}
			}
			last, err := repair(store, p)
			if err != nil {
				t.Fatal(err)
			}
			wantIndex(t, table, last)
		})
	}
}

// The rows stay right when products with common words change at the same moment.
func TestRowsUnderConcurrentChanges(t *testing.T) {
	t.Parallel()
	table := ddbtest.Table(t)
	store := catalogddb.New(table)
	products := make([]catalog.Product, 8)
	errs := make(chan error)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // more than a store's own limit, for a busy machine
	defer cancel()
	for i := range products {
		go func() {
			p := catalogtest.NewProduct(named("Common words"))
			err := store.Create(ctx, p)
			if err == nil && i%2 == 0 {
				before := p
				p = newVersion(p, named("Common name"))
				err = store.Update(ctx, before, p)
			}
			products[i] = p
			errs <- err
		}()
	}
	for range products {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	wantIndex(t, table, products...)
}
