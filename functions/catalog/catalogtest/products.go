package catalogtest

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/page"
	"github.com/tienda-dev/tienda/shared/problem"
)

// variations change one field of a product each; together they change every field that an update may change.
func variations() map[string]func(*catalog.Product) {
	return map[string]func(*catalog.Product){
		"Name":              func(p *catalog.Product) { p.Name = "Другое имя <&>\n" },
		"Description":       func(p *catalog.Product) { p.Description = "Something else." },
		"NoDescription":     func(p *catalog.Product) { p.Description = "" },
		"Category":          category("tea"),
		"Tags":              func(p *catalog.Product) { p.Tags = []string{"washed", "arabica", "washed"} },
		"NoTags":            func(p *catalog.Product) { p.Tags = nil },
		"Attributes":        func(p *catalog.Product) { p.Attributes = map[string]string{"roast": "", "a/b~c": "d"} },
		"NoAttributes":      func(p *catalog.Product) { p.Attributes = nil },
		"PriceAmount":       func(p *catalog.Product) { p.Price.AmountMinor = 1<<62 + 1 },
		"PriceCurrency":     func(p *catalog.Product) { p.Price.Currency = "JPY" },
		"FreeOfCharge":      func(p *catalog.Product) { p.Price = money.Money{AmountMinor: 0, Currency: "EUR"} },
		"Status":            status(catalog.Draft),
		"Archived":          status(catalog.Archived),
		"TimeToMillisecond": func(p *catalog.Product) { p.UpdatedAt = Time(5).Add(7 * time.Millisecond) },
	}
}

func testCreate(t *testing.T, newStore func(t *testing.T) catalog.Store) {
	t.Helper()
	t.Run("KeepsEveryField", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		plain := NewProduct()
		create(t, store, plain)
		wantProduct(t, store, plain)
		for _, change := range variations() {
			p := NewProduct(change)
			create(t, store, p)
			wantProduct(t, store, p)
		}
	})
	t.Run("MissingListsComeBackEmpty", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		p := NewProduct(func(p *catalog.Product) { p.Tags, p.Attributes = nil, nil })
		create(t, store, p)
		got, err := store.Get(t.Context(), p.ID)
		if err != nil {
			t.Fatal(err)
		}
		if got.Tags == nil || got.Attributes == nil {
			t.Errorf("tags %v, attributes %v; they would be null in JSON", got.Tags, got.Attributes)
		}
	})
	t.Run("UnknownIsNotFound", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		create(t, store, NewProduct())
		if _, err := store.Get(t.Context(), NewID(Time(0))); !errors.Is(err, catalog.ErrNotFound) {
			t.Errorf("Get: %v, want %v", err, catalog.ErrNotFound)
		}
	})
	t.Run("TakenSKUWritesNothing", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		first := NewProduct(sku("TAKEN-1"))
		second := NewProduct(sku("TAKEN-1"), category("tea"), name("Second Flush"))
		create(t, store, first)
		fill(t, store, first, 3)
		wantSKUTaken(t, store.Create(t.Context(), second))

		wantProduct(t, store, first)
		wantInventory(t, store, catalog.Inventory{
			ProductID: first.ID, SKU: first.SKU, Available: 3, Version: 2, UpdatedAt: Time(100),
		})
		if _, err := store.Get(t.Context(), second.ID); !errors.Is(err, catalog.ErrNotFound) {
			t.Errorf("Get of the refused product: %v, want %v", err, catalog.ErrNotFound)
		}
		wantCategories(t, store, catalog.Category{Name: first.Category, ActiveProducts: 1})
		wantFound(t, store, "second")
	})
	t.Run("SKUOfAnArchivedProductStaysTaken", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		first := NewProduct(sku("TAKEN-2"))
		create(t, store, first)
		update(t, store, first, status(catalog.Archived))
		wantSKUTaken(t, store.Create(t.Context(), NewProduct(sku("TAKEN-2"))))
	})
	t.Run("SKUsDifferByCase", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		create(t, store, NewProduct(sku("case")), NewProduct(sku("CASE")))
	})
	t.Run("RepeatedIsTheSameCreation", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		p := NewProduct()
		create(t, store, p)
		fill(t, store, p, 5)
		create(t, store, p)
		wantCategories(t, store, catalog.Category{Name: p.Category, ActiveProducts: 1})
		wantInventory(t, store, catalog.Inventory{
			ProductID: p.ID, SKU: p.SKU, Available: 5, Version: 2, UpdatedAt: Time(100),
		})
	})
	t.Run("ProductsShareNothingWithTheStore", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		want := NewProduct()
		p := want
		p.Tags, p.Attributes = slices.Clone(want.Tags), maps.Clone(want.Attributes)
		create(t, store, p)
		p.Tags[0], p.Attributes["roast"] = "changed", "changed"
		got, err := store.Get(t.Context(), p.ID)
		if err != nil {
			t.Fatal(err)
		}
		got.Tags[0], got.Attributes["roast"] = "changed", "changed"
		wantProduct(t, store, want)
	})
}

func wantSKUTaken(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, catalog.ErrSKUExists) {
		t.Fatalf("Create: %v, want %v", err, catalog.ErrSKUExists)
	}
	if e, ok := problem.As(err); !ok || len(e.Errors) != 1 || e.Errors[0].Pointer != "/sku" {
		t.Errorf("Create: %v does not name /sku", err)
	}
}

func testUpdate(t *testing.T, newStore func(t *testing.T) catalog.Store) {
	t.Helper()
	t.Run("KeepsEveryField", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		for _, change := range variations() {
			p := NewProduct()
			create(t, store, p)
			wantProduct(t, store, update(t, store, p, change))
		}
	})
	t.Run("AnotherVersionIsStale", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		first := NewProduct()
		create(t, store, first)
		second := update(t, store, first, name("Second"))
		err := store.Update(t.Context(), first, next(first, name("Late"), category("tea")))
		if !errors.Is(err, catalog.ErrStale) {
			t.Errorf("Update: %v, want %v", err, catalog.ErrStale)
		}
		ahead := next(second)
		if err := store.Update(t.Context(), ahead, next(ahead)); !errors.Is(err, catalog.ErrStale) {
			t.Errorf("Update from a version to come: %v, want %v", err, catalog.ErrStale)
		}
		wantProduct(t, store, second)
		wantCategories(t, store, catalog.Category{Name: first.Category, ActiveProducts: 1})
		wantFound(t, store, "late")
	})
	t.Run("UnknownIsNotFound", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		p := NewProduct()
		if err := store.Update(t.Context(), p, next(p)); !errors.Is(err, catalog.ErrNotFound) {
			t.Errorf("Update: %v, want %v", err, catalog.ErrNotFound)
		}
		wantCategories(t, store)
	})
	t.Run("RepeatedIsTheSameChange", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		p := NewProduct()
		create(t, store, p)
		after := update(t, store, p, category("tea"))
		if err := store.Update(t.Context(), p, after); err != nil {
			t.Errorf("Update: %v", err)
		}
		wantProduct(t, store, after)
		wantCategories(t, store, catalog.Category{Name: "tea", ActiveProducts: 1})
	})
	t.Run("IdentitySKUAndVersionAreHeld", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		p := NewProduct()
		create(t, store, p)
		for _, change := range []func(*catalog.Product){
			func(p *catalog.Product) { p.ID = NewID(Time(0)) },
			sku("ANOTHER"),
			func(p *catalog.Product) { p.Version++ },
			func(p *catalog.Product) { p.Version-- },
		} {
			if err := store.Update(t.Context(), p, next(p, change)); err == nil {
				t.Error("Update accepted another id, SKU or version")
			}
		}
		wantProduct(t, store, p)
	})
	t.Run("StockIsNotTouched", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		p := NewProduct()
		create(t, store, p)
		fill(t, store, p, 7)
		update(t, store, update(t, store, p, name("Other")), status(catalog.Archived))
		wantInventory(t, store, catalog.Inventory{
			ProductID: p.ID, SKU: p.SKU, Available: 7, Version: 2, UpdatedAt: Time(100),
		})
	})
}

func testCategories(t *testing.T, newStore func(t *testing.T) catalog.Store) {
	t.Helper()
	t.Run("NoneIsAnEmptyList", func(t *testing.T) {
		t.Parallel()
		got, next, err := newStore(t).Categories(t.Context(), 1, nil)
		if err != nil || got == nil || len(got) != 0 || next != nil {
			t.Errorf("Categories: %v, %s, %v; want an empty list that is not nil, and no next page", got, next, err)
		}
	})
	t.Run("ByName", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		for _, c := range []string{"tea", "cups", "coffee-beans", "tea-2", "tea"} {
			create(t, store, NewProduct(category(c)))
		}
		wantCategories(t, store,
			catalog.Category{Name: "coffee-beans", ActiveProducts: 1}, catalog.Category{Name: "cups", ActiveProducts: 1},
			catalog.Category{Name: "tea", ActiveProducts: 2}, catalog.Category{Name: "tea-2", ActiveProducts: 1})
	})
	t.Run("PageByPage", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		var want []catalog.Category
		for _, c := range []string{"a", "a-2", "b", "ba", "c", "tea", "tea-2", "teas"} {
			for range 5 { // more items than one read has
				create(t, store, NewProduct(category(c)))
			}
			want = append(want, catalog.Category{Name: c, ActiveProducts: 5})
			archived := NewProduct(category(c + "-old"))
			create(t, store, archived)
			update(t, store, archived, status(catalog.Archived))
		}
		for limit := 1; limit <= len(want)+1; limit++ {
			var got []catalog.Category
			var after []byte
			for range want {
				list, next, err := store.Categories(t.Context(), limit, after)
				if err != nil || len(list) > limit || len(list) < limit && next != nil {
					t.Fatalf("limit %d after %s: %v, %s, %v", limit, after, list, next, err)
				}
				got = append(got, list...)
				if after = next; after == nil {
					break
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("limit %d (-want +got):\n%s", limit, diff)
			}
		}
		for _, after := range []string{"{}", `""`, "null", "x"} {
			if _, _, err := store.Categories(t.Context(), 1, []byte(after)); !errors.Is(err, page.ErrInvalidCursor) {
				t.Errorf("after %s: %v, want %v", after, err, page.ErrInvalidCursor)
			}
		}
	})
	t.Run("CountEveryTransition", func(t *testing.T) {
		t.Parallel()
		type state struct {
			category string
			status   catalog.Status
		}
		var states []state
		for _, s := range []catalog.Status{catalog.Draft, catalog.Active, catalog.Archived} {
			states = append(states, state{"cups", s}, state{"tea", s})
		}
		store := newStore(t)
		count := map[string]int64{}
		want := func() []catalog.Category {
			var list []catalog.Category
			for _, c := range []string{"cups", "tea"} {
				if count[c] > 0 {
					list = append(list, catalog.Category{Name: c, ActiveProducts: count[c]})
				}
			}
			return list
		}
		for _, from := range states {
			for _, to := range states {
				p := NewProduct(category(from.category), status(from.status))
				create(t, store, p)
				update(t, store, p, category(to.category), status(to.status))
				if to.status == catalog.Active {
					count[to.category]++
				}
				wantCategories(t, store, want()...)
				if t.Failed() {
					t.Fatalf("after %v to %v", from, to)
				}
			}
		}
	})
}
