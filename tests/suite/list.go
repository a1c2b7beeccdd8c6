package suite

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func (c *Caller) testList(t *testing.T) {
	t.Run("ByStatus", func(t *testing.T) {
		t.Parallel()
		c.testVisibility(t)
	})
	t.Run("NewProductIsFirstWithoutFilter", func(t *testing.T) {
		t.Parallel()
		p := c.Create(t, NewProduct())
		// Others create products at the same time, but not a hundred.
		if ids := c.List(t, "limit", "100").ids(); !slices.Contains(ids, p.ID) {
			t.Errorf("%s is not among the newest: %v", p.ID, ids)
		}
		draft := c.Create(t, NewProduct().With(Document{"status": "draft"}))
		if ids := c.StaffList(t, "draft", "limit", "100").ids(); !slices.Contains(ids, draft.ID) {
			t.Errorf("%s is not among the newest drafts: %v", draft.ID, ids)
		}
	})
	t.Run("ChangesMoveProducts", func(t *testing.T) {
		t.Parallel()
		p := c.Create(t, NewProduct())
		next := c.patch(t, p, Document{"category": "c-" + unique()})
		if got := c.List(t, "category", p.Category).ids(); len(got) > 0 {
			t.Errorf("the old category still has %v", got)
		}
		if diff := cmp.Diff([]Product{next}, c.List(t, "category", next.Category).Data); diff != "" {
			t.Errorf("the new category (-want +got):\n%s", diff)
		}
		hidden := c.patch(t, next, Document{"status": "draft"})
		if got := c.List(t, "category", next.Category).ids(); len(got) > 0 {
			t.Errorf("everybody sees a draft: %v", got)
		}
		if got := c.StaffList(t, "draft", "category", next.Category).ids(); !slices.Equal(got, []string{hidden.ID}) {
			t.Errorf("staff sees the drafts %v, want %s", got, hidden.ID)
		}
	})
	t.Run("UnknownCategoryIsEmpty", func(t *testing.T) {
		t.Parallel()
		l := c.List(t, "category", "c-"+unique())
		if len(l.Data) > 0 || l.HasMore {
			t.Errorf("got %+v", l)
		}
	})
	t.Run("UnknownParameterIsIgnored", func(t *testing.T) {
		t.Parallel()
		c.List(t, "utm_source", "mail", "limit", "1")
	})

	for name, tc := range map[string]struct {
		query   string
		pointer string
	}{
		"LimitZero":         {"limit=0", "limit"},
		"LimitNegative":     {"limit=-1", "limit"},
		"LimitAboveMost":    {"limit=101", "limit"},
		"LimitWord":         {"limit=abc", "limit"},
		"LimitEmpty":        {"limit=", "limit"},
		"LimitFraction":     {"limit=1.0", "limit"},
		"LimitHuge":         {"limit=99999999999999999999", "limit"},
		"LimitPadded":       {"limit=%2010", "limit"},
		"LimitSigned":       {"limit=%2B10", "limit"},
		"LimitTwice":        {"limit=5&limit=6", "limit"},
		"StatusUnknown":     {"status=sold", "status"},
		"StatusEmpty":       {"status=", "status"},
		"StatusUpperCase":   {"status=ACTIVE", "status"},
		"StatusTwice":       {"status=active&status=active", "status"},
		"CategoryUpperCase": {"category=Coffee", "category"},
		"CategoryEmpty":     {"category=", "category"},
		"CategoryWithHash":  {"category=a%23active", "category"},
		"CategoryTooLong":   {"category=" + repeat("c", 65), "category"},
		"CategoryTwice":     {"category=a&category=b", "category"},
		"Semicolon":         {"limit=5;category=a", "limit"}, // data: only an ampersand separates
	} {
		t.Run("Refuses"+name, func(t *testing.T) {
			t.Parallel()
			c.Do(t, Request{Method: http.MethodGet, Path: "/v1/products?" + tc.query}).wantProblem(t, parameter(tc.pointer))
			c.Do(t, Request{Method: http.MethodGet, Path: "/v1/staff/products?" + tc.query, Token: c.As(t, roleCatalog)}).
				wantProblem(t, parameter(tc.pointer))
		})
	}
	for name, tc := range map[string]struct{ query, pointer string }{
		"BrokenEscape": {"category=%zz", "category"}, "BrokenEscapeOfTheCursor": {"cursor=%", "cursor"},
	} {
		t.Run("Refuses"+name, func(t *testing.T) {
			t.Parallel()
			c.Do(t, Request{Method: http.MethodGet, Path: "/v1/products?" + tc.query}).
				wantProblem(t, refused(http.StatusBadRequest, "malformed_query", tc.pointer))
		})
	}
}

func (c *Caller) testVisibility(t *testing.T) {
	category := "c-" + unique()
	active := c.Create(t, NewProduct().With(Document{"category": category}))
	draft := c.Create(t, NewProduct().With(Document{"category": category, "status": "draft"}))
	archived := c.Create(t, NewProduct().With(Document{"category": category}))
	c.archive(t, archived)

	const public, staff = "/v1/products", "/v1/staff/products"
	for name, tc := range map[string]struct {
		path, token, status string
		want                Product
	}{
		"StaffWithoutStatus": {staff, c.As(t, roleSupport), "", active},
		"StaffActive":        {staff, c.As(t, roleCatalog), "active", active},
		"StaffDraft":         {staff, c.As(t, roleAdmin), "draft", draft},
		"StaffArchived":      {staff, c.As(t, roleFulfilment), "archived", archived},
		"Public":             {public, "", "", active},
		"PublicActive":       {public, "", "active", active},
		"PublicAsStaff":      {public, c.As(t, roleCatalog), "", active},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parameters := []string{"category", category}
			if tc.status != "" {
				parameters = append(parameters, "status", tc.status)
			}
			if diff := cmp.Diff([]string{tc.want.ID}, c.page(t, tc.token, tc.path, parameters...).ids()); diff != "" {
				t.Errorf("products (-want +got):\n%s", diff)
			}
		})
	}
	for _, status := range []string{"draft", "archived"} {
		for name, token := range map[string]string{"Anonymous": "", "Customer": c.As(t, roleCustomer), "Staff": c.As(t, roleCatalog)} {
			t.Run(name+"MayNotListPublicly_"+status, func(t *testing.T) {
				t.Parallel()
				for _, path := range []string{"?status=" + status, "?category=" + category + "&status=" + status} {
					c.Do(t, Request{Method: http.MethodGet, Path: "/v1/products" + path, Token: token}).
						wantProblem(t, refused(http.StatusForbidden, "status_not_visible", "status"))
				}
			})
		}
	}
}

func (c *Caller) testCursor(t *testing.T) {
	category := "c-" + unique()
	var created []Product // newest first
	for range 21 {
		created = slices.Insert(created, 0, c.Create(t, NewProduct().With(Document{"category": category})))
	}
	for limit, sizes := range map[string][]int{
		"1": slices.Repeat([]int{1}, 21), "4": {4, 4, 4, 4, 4, 1}, "7": {7, 7, 7}, "": {20, 1}, "20": {20, 1}, "21": {21}, "100": {21},
	} {
		t.Run("WalkIsCompleteWithLimit_"+limit, func(t *testing.T) {
			t.Parallel()
			parameters := []string{"category", category}
			if limit != "" {
				parameters = append(parameters, "limit", limit)
			}
			var got []Product
			var gotSizes []int
			for _, page := range c.walk(t, "", "/v1/products", parameters...) {
				got, gotSizes = append(got, page.Data...), append(gotSizes, len(page.Data))
			}
			if diff := cmp.Diff(sizes, gotSizes); diff != "" {
				t.Errorf("sizes of the pages (-want +got):\n%s", diff)
			}
			wantNewestFirst(t, created, got)
		})
	}
	t.Run("StaffWalksOverDrafts", func(t *testing.T) {
		t.Parallel()
		category := "c-" + unique()
		var drafts []Product
		for i := range 6 {
			status := []string{"active", "draft"}[i%2]
			p := c.Create(t, NewProduct().With(Document{"category": category, "status": status}))
			if status == "draft" {
				drafts = slices.Insert(drafts, 0, p)
			}
		}
		var got []Product
		for _, page := range c.walk(t, c.As(t, roleAdmin), "/v1/staff/products", "category", category, "status", "draft", "limit", "2") {
			got = append(got, page.Data...)
		}
		wantNewestFirst(t, drafts, got)
	})
	t.Run("UnchangedPageIsNotModified", func(t *testing.T) {
		t.Parallel()
		c.testRevalidation(t, "/v1/products"+query("category", category, "limit", "3"))
		c.testRevalidation(t, "/v1/products/search"+query("q", created[0].SKU))
	})

	staff := c.As(t, roleCatalog)
	cursor := c.List(t, "category", category, "limit", "3").NextCursor
	if cursor == "" {
		t.Fatal("a list of 21 products has no second page")
	}
	t.Run("AnotherLimitIsTheSameList", func(t *testing.T) {
		t.Parallel()
		if got := c.List(t, "category", category, "limit", "5", "cursor", cursor); len(got.Data) != 5 {
			t.Errorf("got %d products, want 5", len(got.Data))
		}
	})
	refuse := func(name, token, path, cursor string, parameters ...string) {
		t.Run("Refuses"+name, func(t *testing.T) {
			t.Parallel()
			path := path + query(append(parameters, "cursor", cursor)...)
			c.Do(t, Request{Method: http.MethodGet, Path: path, Token: token}).
				wantProblem(t, refused(http.StatusBadRequest, "invalid_cursor", "cursor"))
		})
	}
	refuse("OfAnotherCategory", "", "/v1/products", cursor, "category", "c-"+unique())
	refuse("OfNoCategory", "", "/v1/products", cursor)
	refuse("OfAnotherRoute", "", "/v1/products/search", cursor, "q", "blend")
	staffCursor := c.StaffList(t, "active", "category", category, "limit", "3").NextCursor
	refuse("OfThePublicList", staff, "/v1/staff/products", cursor, "category", category)
	refuse("OfTheStaffList", "", "/v1/products", staffCursor, "category", category)
	refuse("OfAnotherCaller", c.As(t, roleSupport), "/v1/staff/products", staffCursor, "category", category)
	refuse("OfAnotherStatus", staff, "/v1/staff/products", staffCursor, "category", category, "status", "draft")
	refuse("Empty", "", "/v1/products", "", "category", category)
	refuse("CutOff", "", "/v1/products", cursor[:len(cursor)-1], "category", category)
	refuse("Longer", "", "/v1/products", cursor+"A", "category", category)
	refuse("Repeated", "", "/v1/products", cursor+cursor, "category", category)
	refuse("Nonsense", "", "/v1/products", "eyJQSyI6IngifQ", "category", category)
	refuse("VeryLong", "", "/v1/products", repeat("A", 5000), "category", category)
	refuse("NotBase64", "", "/v1/products", "☕", "category", category)
	t.Run("RefusesEveryChangedBit", func(t *testing.T) {
		t.Parallel()
		c.testTampering(t, category, cursor)
	})
}

// testRevalidation reads a public list twice and asks with its entity tag. The caller does not matter.
func (c *Caller) testRevalidation(t *testing.T, path string) {
	t.Helper()
	a := c.Do(t, Request{Method: http.MethodGet, Path: path}).want(t, http.StatusOK)
	a.wantHeader(t, headerCacheControl, publicCache)
	again := c.Do(t, Request{Method: http.MethodGet, Path: path, Token: c.As(t, roleCatalog)}).want(t, http.StatusOK)
	if !bytes.Equal(a.Body, again.Body) {
		t.Errorf("%s: two answers:\n%s\n%s", path, a.Body, again.Body)
	}
	tag := a.Header.Get(headerETag)
	unchanged := c.Do(t, Request{
		Method: http.MethodGet, Path: path, Header: map[string]string{headerIfNoneMatch: tag},
	}).want(t, http.StatusNotModified)
	unchanged.wantHeader(t, headerETag, tag)
	unchanged.wantHeader(t, headerCacheControl, publicCache)
}

// testTampering changes one bit in every third byte of the cursor.
func (c *Caller) testTampering(t *testing.T, category, cursor string) {
	sealed, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		t.Fatalf("the cursor is not base64url: %v", err)
	}
	for i := 0; i < len(sealed); i += 3 {
		changed := slices.Clone(sealed)
		changed[i] ^= 1 << (i % 8)
		path := "/v1/products" + query("category", category, "cursor", base64.RawURLEncoding.EncodeToString(changed))
		a := c.Do(t, Request{Method: http.MethodGet, Path: path})
		if a.Status != http.StatusBadRequest || a.problem(t).Code != "invalid_cursor" {
			t.Fatalf("a changed bit in byte %d of %d: %d %s", i, len(sealed), a.Status, a.Body)
		}
	}
}

// wantNewestFirst reports products that are not the created ones, or not in their order. Products
// of the same millisecond may come in any order.
func wantNewestFirst(t TB, created, got []Product) {
	t.Helper()
	if !slices.IsSortedFunc(got, func(a, b Product) int { return madeAt(t, b).Compare(madeAt(t, a)) }) {
		t.Errorf("not newest first")
	}
	byID := func(a, b Product) int { return strings.Compare(a.ID, b.ID) }
	if diff := cmp.Diff(slices.SortedFunc(slices.Values(created), byID), slices.SortedFunc(slices.Values(got), byID)); diff != "" {
		t.Errorf("products (-created +listed):\n%s", diff)
	}
}

func madeAt(t TB, p Product) time.Time {
	t.Helper()
	at, err := time.Parse(timeLayout, p.CreatedAt)
	if err != nil {
		t.Fatalf("%s: %v", p.ID, err)
	}
	return at
}
