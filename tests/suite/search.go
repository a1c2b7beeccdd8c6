package suite

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func (c *Caller) testSearch(t *testing.T) {
	const path = "/v1/products/search"
	find := func(t *testing.T, q string) []string {
		t.Helper()
		ids := c.page(t, "", path, "q", q).ids()
		slices.Sort(ids)
		return ids
	}

	word, maker := unique(), unique()
	first := c.Create(t, NewProduct().With(Document{
		"name": "Morning " + strings.ToUpper(word) + " roast", "tags": []string{"by-" + maker, "washed"},
	}))
	second := c.Create(t, NewProduct().With(Document{"name": "Evening " + word, "tags": []string{"natural"}}))
	both := []string{first.ID, second.ID}
	slices.Sort(both)
	for name, tc := range map[string]struct {
		q    string
		want []string
	}{
		"WholeWord":            {word, both},
		"PrefixOfWord":         {word[:8], both},
		"OtherLetterCase":      {strings.ToUpper(word), both},
		"WithPunctuation":      {"(" + word + ")!", both},
		"TwoWords":             {word + " morning", []string{first.ID}},
		"TwoPrefixes":          {"even " + word[:9], []string{second.ID}},
		"OrderOfWordsIsFree":   {"roast " + word + " morn", []string{first.ID}},
		"WordOfTag":            {maker, []string{first.ID}},
		"WordsOfNameAndTag":    {word + " natural", []string{second.ID}},
		"WordOfSKU":            {strings.TrimPrefix(first.SKU, "SKU-"), []string{first.ID}},
		"EndOfWordIsNotEnough": {word[1:], []string{}},
		"UnknownWord":          {unique(), []string{}},
		"OneOfTwoIsNotEnough":  {word + " " + unique(), []string{}},
		"ShortWordIsLeftOut":   {word + " a", both},
		"SameWordTwice":        {word + " " + word, both},
		"FiveWords":            {"morning roast washed by " + word, []string{first.ID}},
		"QuotesAndWildcards":   {`"` + word + `"*%_`, both},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, find(t, tc.q)); diff != "" {
				t.Errorf("q=%q (-want +got):\n%s", tc.q, diff)
			}
		})
	}
	t.Run("AnswersWholeProducts", func(t *testing.T) {
		t.Parallel()
		if diff := cmp.Diff([]Product{first}, c.page(t, "", path, "q", maker).Data); diff != "" {
			t.Errorf("product (-want +got):\n%s", diff)
		}
	})
	t.Run("ActiveProductsOnly", func(t *testing.T) {
		t.Parallel()
		word := unique()
		p := c.Create(t, NewProduct().With(Document{"name": "Roast " + word, "status": "draft"}))
		if got := find(t, word); len(got) > 0 {
			t.Errorf("draft: found %v", got)
		}
		p = c.patch(t, p, Document{"status": "active"})
		if got := find(t, word); !slices.Equal(got, []string{p.ID}) {
			t.Errorf("active: found %v, want %s", got, p.ID)
		}
		c.archive(t, p)
		if got := find(t, word); len(got) > 0 {
			t.Errorf("archived: found %v", got)
		}
	})
	t.Run("ByNewWordsAfterChange", func(t *testing.T) {
		t.Parallel()
		before, after := unique(), unique()
		p := c.Create(t, NewProduct().With(Document{"name": before}))
		c.patch(t, p, Document{"name": after})
		if got := find(t, before); len(got) > 0 {
			t.Errorf("found by its old name: %v", got)
		}
		if got := find(t, after); !slices.Equal(got, []string{p.ID}) {
			t.Errorf("by its new name: %v, want %s", got, p.ID)
		}
	})
	for name, query := range map[string]string{
		"UnknownParametersTwice": "utm=1&q=" + word + "&utm=2", "UnknownBrokenEscape": "utm=100%&q=" + word, "SemicolonInTheQuery": "q=" + word + ";",
		"UnknownWithSemicolons": "a=1;limit=0&q=" + word,
	} {
		t.Run("Ignores"+name, func(t *testing.T) {
			t.Parallel()
			var list Listing
			c.Do(t, Request{Method: http.MethodGet, Path: path + "?" + query}).want(t, http.StatusOK).decode(t, &list)
			got := list.ids()
			slices.Sort(got)
			if diff := cmp.Diff(both, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", query, diff)
			}
		})
	}
	c.testSearchPages(t)

	c.testSearchScripts(t)

	for name, q := range map[string]string{
		"LongWord": repeat("x", 1000), "ManyWords": word + " morning roast washed by " + maker + " one two three four five six", "SingleLetters": "a b c",
		"JapaneseTitle": "極上の深煎り珈琲豆を使ったこだわりの贅沢な水出しセット限定品",
	} {
		t.Run("LimitCuts"+name, func(t *testing.T) {
			t.Parallel()
			if got := find(t, q); len(got) > 0 {
				t.Errorf("found %v", got)
			}
		})
	}
	for name, query := range map[string]string{
		"WithoutQuery": "", "EmptyQuery": "?q=", "OnlyPunctuation": "?q=%2B%2B%20-%20!", "OnlyInvisible": "?q=%C2%AD%E2%80%8B",
	} {
		t.Run("Refuses"+name, func(t *testing.T) {
			t.Parallel()
			c.Do(t, Request{Method: http.MethodGet, Path: path + query}).
				wantProblem(t, refused(http.StatusBadRequest, "query_too_short", "q"))
		})
	}
	for name, tc := range map[string]struct{ query, pointer string }{
		"QueryTwice":     {"q=one&q=two", "q"},
		"LimitZero":      {"q=blend&limit=0", "limit"},
		"LimitAboveMost": {"q=blend&limit=101", "limit"},
		"LimitWord":      {"q=blend&limit=abc", "limit"},
	} {
		t.Run("Refuses"+name, func(t *testing.T) {
			t.Parallel()
			c.Do(t, Request{Method: http.MethodGet, Path: path + "?" + tc.query}).wantProblem(t, parameter(tc.pointer))
		})
	}
}

// testSearchScripts searches as people type.
func (c *Caller) testSearchScripts(t *testing.T) {
	const path = "/v1/products/search"
	word := unique()
	for name, tc := range map[string]struct {
		name    string
		queries []string
	}{
		"Accents":       {"Caf\u00e9 Ol\u00e9", []string{"Cafe\u0301 Ole\u0301", "cafe ole"}},
		"CaseFolding":   {"Weißbier", []string{"WEISSBIER", "weissbier"}},
		"Invisible":     {"Co\u00adlombia cold\u200bbrew", []string{"Colombia", "coldbrew"}},
		"Compatibility": {"ＡＢＣ eﬃcient CO₂", []string{"abc", "efficient", "co2"}},
		"Pairs":         {"抹茶碗", []string{"茶碗", "抹"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := c.Create(t, NewProduct().With(Document{"name": tc.name + " " + word + name}))
			for _, q := range tc.queries {
				if got := c.page(t, "", path, "q", q+" "+word+name).ids(); !slices.Equal(got, []string{p.ID}) {
					t.Errorf("q=%q: found %v, want %s", q, got, p.ID)
				}
			}
		})
	}
	t.Run("OwnNameAndSKUComeFirst", func(t *testing.T) {
		t.Parallel()
		name := "Paper filters, size 02, 100 pieces " + unique()
		p := c.Create(t, NewProduct().With(Document{"name": name}))
		c.Create(t, NewProduct().With(Document{"name": name + " " + p.SKU}))
		for _, q := range []string{name, p.SKU, strings.ToLower(p.SKU)} {
			if got := c.page(t, "", path, "q", q, "limit", "1").ids(); !slices.Equal(got, []string{p.ID}) {
				t.Errorf("q=%q: found %v first, want %s", q, got, p.ID)
			}
		}
	})
}

func (c *Caller) testSearchPages(t *testing.T) {
	const path = "/v1/products/search"
	word := unique()
	var want []string
	for range 5 {
		want = append(want, c.Create(t, NewProduct().With(Document{"name": "Blend " + word})).ID)
	}
	slices.Sort(want)
	for limit, sizes := range map[string][]int{"1": {1, 1, 1, 1, 1}, "2": {2, 2, 1}, "5": {5}, "100": {5}} {
		for kind, q := range map[string]string{"OneWord": word, "TwoWords": word + " blend"} {
			t.Run("WalkIsCompleteWith"+kind+"AndLimit_"+limit, func(t *testing.T) {
				t.Parallel()
				var got []string
				var gotSizes []int
				for _, page := range c.walk(t, "", path, "q", q, "limit", limit) {
					got, gotSizes = append(got, page.ids()...), append(gotSizes, len(page.Data))
				}
				slices.Sort(got)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("products (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(sizes, gotSizes); diff != "" {
					t.Errorf("sizes of the pages (-want +got):\n%s", diff)
				}
			})
		}
	}
	t.Run("RefusesCursorOfAnotherQuery", func(t *testing.T) {
		t.Parallel()
		cursor := c.page(t, "", path, "q", word, "limit", "2").NextCursor
		c.Do(t, Request{Method: http.MethodGet, Path: path + query("q", word+" blend", "cursor", cursor)}).
			wantProblem(t, refused(http.StatusBadRequest, "invalid_cursor", "cursor"))
	})
}
