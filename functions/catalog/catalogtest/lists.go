package catalogtest

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/shared/page"
)

func testList(t *testing.T, newStore func(t *testing.T) catalog.Store) {
	t.Helper()
	t.Run("EveryFilterAndPageSize", func(t *testing.T) {
		t.Parallel()
		testListPages(t, newStore(t))
	})
	t.Run("KeepsEveryField", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		for _, change := range variations() {
			create(t, store, NewProduct(change))
		}
		listed := 0
		for _, s := range statuses() {
			for _, got := range walk(t, lister(store, catalog.Filter{Status: s}), 100)[0] {
				wantProduct(t, store, got)
				listed++
			}
		}
		if want := len(variations()); listed != want {
			t.Errorf("%d products are listed, want %d", listed, want)
		}
	})
	t.Run("FollowsAChange", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		p := NewProduct(status(catalog.Draft), category("tea"))
		create(t, store, p)
		wantListed(t, store, active(), 10)
		p = update(t, store, p, status(catalog.Active), category("cups"))
		wantListed(t, store, catalog.Filter{Status: catalog.Draft}, 10)
		wantListed(t, store, catalog.Filter{Category: "tea", Status: catalog.Active}, 10)
		wantListed(t, store, active(), 10, p)
		wantListed(t, store, catalog.Filter{Category: "cups", Status: catalog.Active}, 10, p)
	})
	t.Run("NewProductsDoNotShiftThePages", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		old := []catalog.Product{madeAt(3), madeAt(2), madeAt(1)}
		create(t, store, old...)
		first, position, err := store.List(t.Context(), active(), 1, nil)
		if err != nil || position == nil {
			t.Fatalf("List: position %q, %v", position, err)
		}
		create(t, store, madeAt(4), madeAt(5))
		rest, position, err := store.List(t.Context(), active(), 10, position)
		if err != nil || position != nil {
			t.Fatalf("List: position %q, %v", position, err)
		}
		if diff := cmp.Diff(ids(old), ids(append(first, rest...))); diff != "" {
			t.Errorf("products (-want +got):\n%s", diff)
		}
	})
	t.Run("MoreThanOneReadOfBigProducts", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		const n = 60
		var want []catalog.Product
		for i := range n { // 20 KB each: 1.2 MB in all
			p := madeAt(n - i)
			p.Description = strings.Repeat("é", 10_000)
			want = append(want, p)
		}
		together(4, func(worker int) error {
			for i := worker; i < n; i += 4 {
				if err := store.Create(t.Context(), want[i]); err != nil {
					t.Errorf("Create: %v", err)
				}
			}
			return nil
		})
		wantListed(t, store, catalog.Filter{Category: "coffee-beans", Status: catalog.Active}, 100, want...)
		wantListed(t, store, active(), 59, want...)
	})
	t.Run("MalformedPositionIsAnInvalidCursor", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		create(t, store, madeAt(1), madeAt(2))
		for _, bad := range malformed() {
			if _, _, err := store.List(t.Context(), active(), 1, []byte(bad)); !errors.Is(err, page.ErrInvalidCursor) {
				t.Errorf("List from %q: %v, want %v", bad, err, page.ErrInvalidCursor)
			}
		}
	})
}

func statuses() []catalog.Status {
	return []catalog.Status{catalog.Draft, catalog.Active, catalog.Archived}
}

// active selects all active products.
func active() catalog.Filter { return catalog.Filter{Status: catalog.Active} }

// malformed are positions that no store returns.
func malformed() []string {
	return []string{"x", "{", "[]", "{}", "null", `"a"`, `{"unknown":1}`}
}

// madeAt returns a product that was made n seconds after the first one.
func madeAt(n int, change ...func(*catalog.Product)) catalog.Product {
	return NewProduct(append([]func(*catalog.Product){func(p *catalog.Product) {
		p.CreatedAt, p.UpdatedAt = Time(n), Time(n)
		p.ID = NewID(p.CreatedAt)
		p.SKU = "SKU-" + p.ID
	}}, change...)...)
}

func testListPages(t *testing.T, store catalog.Store) {
	t.Helper()
	var all []catalog.Product
	for i, s := range []catalog.Status{catalog.Active, catalog.Draft, catalog.Archived, catalog.Active, catalog.Active} {
		for j, c := range []string{"tea", "cups", "tea"} {
			p := madeAt(i, status(s), category(c))
			p.CreatedAt = p.CreatedAt.Add(time.Duration(j/2) * time.Millisecond) // two of three at one time
			all = append(all, p)
		}
	}
	for _, i := range []int{7, 0, 14, 3, 9, 1, 12, 5, 11, 2, 13, 4, 10, 6, 8} {
		create(t, store, all[i])
	}
	slices.SortFunc(all, func(a, b catalog.Product) int {
		if newer := b.CreatedAt.Compare(a.CreatedAt.Time); newer != 0 {
			return newer
		}
		return strings.Compare(b.ID, a.ID)
	})
	for _, c := range []string{"", "tea", "cups", "none"} {
		for _, s := range statuses() {
			var want []catalog.Product
			for _, p := range all {
				if (c == "" || p.Category == c) && p.Status == s {
					want = append(want, p)
				}
			}
			for limit := 1; limit <= len(want)+1; limit++ {
				wantListed(t, store, catalog.Filter{Category: c, Status: s}, limit, want...)
			}
		}
	}
}

// wantListed checks the pages of a list: all but the last one are full, and the last one is not empty.
func wantListed(t *testing.T, store catalog.Store, filter catalog.Filter, limit int, want ...catalog.Product) {
	t.Helper()
	pages := walk(t, lister(store, filter), limit)
	wantPages := slices.Collect(slices.Chunk(want, limit))
	if len(want) == 0 {
		wantPages = [][]catalog.Product{nil}
	}
	if diff := cmp.Diff(wantPages, pages, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("List(%+v) by %d (-want +got):\n%s", filter, limit, diff)
	}
}
