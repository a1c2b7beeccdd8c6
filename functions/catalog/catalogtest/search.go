package catalogtest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/shared/page"
)

func testSearch(t *testing.T, newStore func(t *testing.T) catalog.Store) {
	t.Helper()
	t.Run("ByWordsOfNameTagsAndSKU", func(t *testing.T) {
		t.Parallel()
		testSearchWords(t, newStore(t))
	})
	t.Run("FollowsAChange", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		p := NewProduct(status(catalog.Draft), name("Morning Blend"))
		create(t, store, p)
		wantFound(t, store, "morning")
		p = update(t, store, p, status(catalog.Active))
		wantFound(t, store, "morning", p)
		p = update(t, store, p, name("Evening Blend"))
		wantFound(t, store, "morning")
		wantFound(t, store, "evening", p)
		wantFound(t, store, "blend eve", p)
		wantFound(t, store, "blend mor")
		p = update(t, store, p, func(p *catalog.Product) { p.Price.AmountMinor = 9 })
		wantFound(t, store, "evening", p)
		p = update(t, store, p, status(catalog.Draft), name("Night Blend"))
		wantFound(t, store, "evening")
		wantFound(t, store, "night")
		p = update(t, store, p, status(catalog.Active))
		wantFound(t, store, "night", p)
		update(t, store, p, status(catalog.Archived))
		wantFound(t, store, "night")
		wantFound(t, store, "blend")
	})
	t.Run("EveryPageSize", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		var want []catalog.Product
		for i := range 9 {
			// Each has several words that start alike; every other one has the second word too.
			p := NewProduct(name(fmt.Sprintf("Coffee coffeepot coff%d", i)))
			if i%2 == 0 {
				p.Tags = []string{"filter"}
				want = append(want, p)
			}
			create(t, store, p)
		}
		for limit := 1; limit <= len(want)+1; limit++ {
			wantSearched(t, store, "coff filt", limit, want...)
			wantSearched(t, store, "filt coff", limit, want...)
		}
	})
	t.Run("AsManyWordsAsAProductHas", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		words := func(letter string) (list []string) {
			for i := range catalog.MaxWords {
				list = append(list, fmt.Sprintf("%s%02d%s", letter, i, strings.Repeat("ж", 29)))
			}
			return list
		}
		find := func(words []string, want ...catalog.Product) {
			t.Helper()
			for query := range slices.Chunk(words, catalog.MaxQueryWords) {
				wantFound(t, store, strings.Join(query, " "), want...)
			}
		}
		p := NewProduct(sku("1"), name(strings.Join(words("a"), " ")))
		create(t, store, p)
		find(words("a"), p)
		p = update(t, store, p, name(strings.Join(words("b"), " "))) // no word stays
		find(words("a"))
		find(words("b"), p)
		p = update(t, store, p, name(strings.Join(words("a"), " "))) // right after such a change
		find(words("b"))
		find(words("a"), p)
		update(t, store, p, status(catalog.Archived))
		find(words("a"))
	})
	t.Run("InAnyScript", func(t *testing.T) {
		t.Parallel()
		testScripts(t, newStore(t))
	})
	t.Run("ExactSKUAndNameComeFirst", func(t *testing.T) {
		t.Parallel()
		testExact(t, newStore(t))
	})
	t.Run("MalformedPositionIsAnInvalidCursor", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		create(t, store, NewProduct(name("Coffee")), NewProduct(name("Coffee")))
		for _, bad := range malformed() {
			if _, _, err := store.Search(t.Context(), catalog.NewQuery("coffee"), 1, []byte(bad)); !errors.Is(err, page.ErrInvalidCursor) {
				t.Errorf("Search from %q: %v, want %v", bad, err, page.ErrInvalidCursor)
			}
		}
	})
}

func testSearchWords(t *testing.T, store catalog.Store) {
	t.Helper()
	blend := NewProduct(sku("COF-250.x1"), name("House Blend, dark ROAST", "Fair-Trade", "espresso"))
	decaf := NewProduct(sku("COF-251"), name("Decaf Dark Dark darkest", "espresso"))
	muesli := NewProduct(sku("M1"), name("Müsli 東京 кофейный"))
	long := NewProduct(sku(strings.Repeat("L0NG", 16)), name("Z"))
	draft := NewProduct(sku("D1"), status(catalog.Draft), name("Dark Secret"))
	archived := NewProduct(sku("A1"), status(catalog.Archived), name("Dark Past"))
	create(t, store, blend, decaf, muesli, long, draft, archived)

	for _, tt := range []struct {
		query string
		want  []catalog.Product
	}{
		{"house", []catalog.Product{blend}},
		{"ho", []catalog.Product{blend}},
		{"ouse", nil},
		{"houses", nil},
		{"dark", []catalog.Product{blend, decaf}},
		{"da", []catalog.Product{blend, decaf}},
		{"dark dark", []catalog.Product{blend, decaf}},
		{"dark da", []catalog.Product{blend, decaf}},
		{"darkest dark", []catalog.Product{decaf}},
		{"roast dark", []catalog.Product{blend}},
		{"dark roast", []catalog.Product{blend}},
		{"dark oast", nil},
		{"decaf roast", nil},
		{"decaf house dark", nil},
		{"decaf dark house", nil},
		{"espr", []catalog.Product{blend, decaf}},
		{"fair trade x1", []catalog.Product{blend}},
		{"cof", []catalog.Product{blend, decaf}},
		{"cof 250", []catalog.Product{blend}},
		{"mu", []catalog.Product{muesli}},
		{"MÜS", []catalog.Product{muesli}},
		{"東京 коф", []catalog.Product{muesli}},
		{long.SKU, []catalog.Product{long}},
		{"l0ngl0", []catalog.Product{long}},
		{"secret", nil},
		{"past", nil},
		{"a", nil},
		{"a b", nil},
		{"", nil},
		{" - ", nil},
	} {
		wantFound(t, store, tt.query, tt.want...)
	}
}

func testScripts(t *testing.T, store catalog.Store) {
	t.Helper()
	for _, tt := range []struct {
		name    string
		queries []string
	}{
		{"Caf\u00e9 Ol\u00e9", []string{"Cafe\u0301 Ole\u0301", "Caf\u00e9 Ol\u00e9", "cafe ole", "CAFÉ"}},
		{"Creme\u0301 Bru\u0302le\u0301e", []string{"Crem\u00e9 Br\u00fbl\u00e9e", "creme brulee"}},
		{"Weißbier", []string{"WEISSBIER", "weissbier", "Weißb", "WEIẞBIER"}},
		{"Co\u00adlombia beans", []string{"Colombia", "co\u00adlom"}},
		{"cold\u200bbrew", []string{"coldbrew", "cold\u200bbr\u2060ew\ufeff"}},
		{"ＡＢＣ kettle", []string{"abc", "ａｂｃ"}},
		{"eﬃcient", []string{"efficient", "EFFI"}},
		{"CO₂", []string{"co2", "CO₂"}},
		{"抹茶碗", []string{"茶碗", "抹茶", "抹茶碗", "碗", "抹"}},
		{"緑", []string{"緑"}},
		{"ﾊﾟｽﾀ", []string{"パスタ", "スタ", "タ"}},
		{"アイスコーヒー豆", []string{"コーヒー", "ｺｰﾋｰ", "コーヒー豆"}},
		{"ひらがな", []string{"らが", "ひ\u3089か\u3099"}},
		{"아이스커피", []string{"커피", "아이스"}},
		{"กาแฟเย็น", []string{"เย็น", "กาแฟ"}},
		{"Iced抹香250g", []string{"iced", "抹香", "250g"}},
		{"हिन्दी चाय", []string{"हिन्दी", "चाय"}},
		{"שָׁלוֹם", []string{"שלום"}},
		{"قَهْوَة", []string{"قهوة"}},
		{"Ёлка", []string{"елка", "ЁЛКА"}},
		{"Smørrebrød Łódź", []string{"smorrebrod lodz", "SMØRRE"}},
		{"İzmir Işık", []string{"izmir isik", "IŞIK", "ışık"}},
		{"ΟΔΥΣΣΕΥΣ", []string{"οδυσσευς", "Οδυσσεύς"}},
		{"Paper filters, size 02, 100 pieces", []string{"Paper filters, size 02, 100 pieces"}},
		{"極上の深煎り珈琲豆を使ったこだわりの贅沢な水出しセット限定品", []string{"極上の深煎り珈琲豆を使ったこだわりの贅沢な水出しセット限定品", "限定品"}},
	} {
		p := NewProduct(name(tt.name))
		create(t, store, p)
		for _, query := range tt.queries {
			wantFound(t, store, query, p)
		}
	}
	for _, query := range []string{"か", "碗抹", "コヒ"} { // another voicing, another order
		wantFound(t, store, query)
	}
}

func testExact(t *testing.T, store catalog.Store) {
	t.Helper()
	names := []string{"A 100 a", "X", "7 seas 1", "Paper filters, size 02, 100 pieces, brown"}
	for i := range 12 {
		create(t, store, NewProduct(sku(fmt.Sprintf("B%d", i)), name(names[i%len(names)], "A1", "X7", "77", "paper filters size 02 100 pieces")))
	}
	filters := NewProduct(sku("F-1"), name("Paper filters, size 02, 100 pieces"))
	create(t, store, filters)
	for _, form := range []string{"A-1", "X.", "7", "c_d-e.F", "Z-0000000000-0000000000-0000000000-0000000000"} {
		p := NewProduct(sku(form), name("Something else"))
		create(t, store, p)
		for _, query := range []string{form, strings.ToLower(form), " " + form + " "} {
			wantFirst(t, store, query, p)
		}
	}
	wantFirst(t, store, filters.Name, filters)
	wantFirst(t, store, "PAPER FILTERS size 02 — 100 pieces", filters)

	filters = update(t, store, filters, name("Cone"))
	wantFound(t, store, "Cone", filters)
	filters = update(t, store, filters, status(catalog.Draft))
	wantFound(t, store, "F-1")
	filters = update(t, store, filters, status(catalog.Active))
	wantFirst(t, store, "f-1", filters)

	// More exact products than a page holds.
	var twins []catalog.Product
	for range 5 {
		twins = append(twins, NewProduct(name("Twin mug")))
	}
	create(t, store, twins...)
	other := NewProduct(name("Twin mug, large"))
	create(t, store, other)
	for limit := 1; limit <= 7; limit++ {
		wantSearched(t, store, "twin mug", limit, append(twins, other)...)
	}
}

// wantFirst checks the first product of a search, with pages of every size up to 3.
func wantFirst(t *testing.T, store catalog.Store, query string, want catalog.Product) {
	t.Helper()
	for limit := 1; limit <= 3; limit++ {
		got, _, err := store.Search(t.Context(), catalog.NewQuery(query), limit, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 0 || got[0].ID != want.ID {
			t.Errorf("Search(%q) by %d: %d products, and the first is not %s", query, limit, len(got), want.SKU)
		}
		wantOnce(t, store, query, limit)
	}
}

// wantOnce checks that no product is on two pages.
func wantOnce(t *testing.T, store catalog.Store, query string, limit int) {
	t.Helper()
	seen := map[string]bool{}
	for _, p := range slices.Concat(walk(t, searcher(store, query), limit)...) {
		if seen[p.ID] {
			t.Errorf("Search(%q) by %d: %s comes twice", query, limit, p.SKU)
		}
		seen[p.ID] = true
	}
}

// wantFound searches with a page that holds everything.
func wantFound(t *testing.T, store catalog.Store, query string, want ...catalog.Product) {
	t.Helper()
	wantSearched(t, store, query, 50, want...)
}

// wantSearched checks the products of all pages of a search. Their order depends on the store, and pages need
// not be full.
func wantSearched(t *testing.T, store catalog.Store, query string, limit int, want ...catalog.Product) {
	t.Helper()
	pages := walk(t, searcher(store, query), limit)
	got := slices.Concat(pages...)
	for i, page := range pages {
		if len(page) == 0 && i < len(pages)-1 {
			t.Errorf("Search(%q) by %d: page %d of %d is empty", query, limit, i+1, len(pages))
		}
	}
	byID := cmpopts.SortSlices(func(a, b catalog.Product) bool { return a.ID < b.ID })
	if diff := cmp.Diff(want, got, byID, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("Search(%q) by %d (-want +got):\n%s", query, limit, diff)
	}
}
