package suite

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func (c *Caller) testList(t *testing.T) {
	t.Run("ByStatusAndCaller", func(t *testing.T) {
		t.Parallel()
		c.testVisibility(t)
	})
	t.Run("NewProductStandsFirstWithoutFilter", func(t *testing.T) {
		t.Parallel()
		p := c.Create(t, NewProduct())
		// Others create products at the same time, but not a hundred.
		if ids := c.List(t, "", "limit", "100").ids(); !slices.Contains(ids, p.ID) {
			t.Errorf("%s is not among the newest: %v", p.ID, ids)
		}
	})
	t.Run("ChangesMoveProducts", func(t *testing.T) {
		t.Parallel()
		p := c.Create(t, NewProduct())
		next := c.patch(t, p, Document{"category": "c-" + unique()})
		if got := c.List(t, "", "category", p.Category).ids(); len(got) > 0 {
			t.Errorf("the old category still has %v", got)
		}
		if diff := cmp.Diff([]Product{next}, c.List(t, "", "category", next.Category).Data); diff != "" {
			t.Errorf("the new category (-want +got):\n%s", diff)
		}
		hidden := c.patch(t, next, Document{"status": "draft"})
		if got := c.List(t, "", "category", next.Category).ids(); len(got) > 0 {
			t.Errorf("everybody sees a draft: %v", got)
		}
		if got := c.List(t, c.As(t, roleSupport), "category", next.Category, "status", "draft").ids(); !slices.Equal(got, []string{hidden.ID}) {
			t.Errorf("staff sees the drafts %v, want %s", got, hidden.ID)
		}
	})
	t.Run("UnknownCategoryIsEmpty", func(t *testing.T) {
		t.Parallel()
		l := c.List(t, "", "category", "c-"+unique())
		if len(l.Data) > 0 || l.HasMore {
			t.Errorf("got %+v", l)
		}
	})
	t.Run("UnknownParameterIsIgnored", func(t *testing.T) {
		t.Parallel()
		c.List(t, "", "utm_source", "mail", "limit", "1")
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
	} {
		t.Run("Refuses"+name, func(t *testing.T) {
			t.Parallel()
			c.Do(t, Request{Method: http.MethodGet, Path: "/v1/products?" + tc.query}).wantProblem(t, parameter(tc.pointer))
		})
	}
	for name, query := range map[string]string{"BrokenEscape": "category=%zz", "Semicolon": "limit=5;category=a"} {
		t.Run("Refuses"+name, func(t *testing.T) {
			t.Parallel()
			c.Do(t, Request{Method: http.MethodGet, Path: "/v1/products?" + query}).
				wantProblem(t, refused(http.StatusBadRequest, "malformed_query"))
		})
	}
}

func (c *Caller) testVisibility(t *testing.T) {
	category := "c-" + unique()
	active := c.Create(t, NewProduct().With(Document{"category": category}))
	draft := c.Create(t, NewProduct().With(Document{"category": category, "status": "draft"}))
	archived := c.Create(t, NewProduct().With(Document{"category": category}))
	c.archive(t, archived)

	staff := c.As(t, roleCatalog)
	for name, tc := range map[string]struct {
		token, status string
		want          []string
	}{
		"StaffSeesEverything": {staff, "", []string{active.ID, draft.ID, archived.ID}},
		"StaffActive":         {staff, "active", []string{active.ID}},
		"StaffDraft":          {staff, "draft", []string{draft.ID}},
		"StaffArchived":       {staff, "archived", []string{archived.ID}},
		"AnonymousSeesActive": {"", "", []string{active.ID}},
		"AnonymousActive":     {"", "active", []string{active.ID}},
		"CustomerSeesActive":  {c.As(t), "", []string{active.ID}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parameters := []string{"category", category}
			if tc.status != "" {
				parameters = append(parameters, "status", tc.status)
			}
			got := c.List(t, tc.token, parameters...).ids()
			slices.Sort(got)
			slices.Sort(tc.want)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("products (-want +got):\n%s", diff)
			}
		})
	}
	for _, status := range []string{"draft", "archived"} {
		for name, token := range map[string]string{"Anonymous": "", "Customer": c.As(t, roleCustomer)} {
			t.Run(name+"MayNotAskFor_"+status, func(t *testing.T) {
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
	t.Run("StaffWalksPastDrafts", func(t *testing.T) {
		t.Parallel()
		category := "c-" + unique()
		var created []Product
		for i := range 6 {
			status := []string{"active", "draft"}[i%2]
			created = slices.Insert(created, 0, c.Create(t, NewProduct().With(Document{"category": category, "status": status})))
		}
		var got []Product
		for _, page := range c.walk(t, c.As(t, roleAdmin), "/v1/products", "category", category, "limit", "2") {
			got = append(got, page.Data...)
		}
		wantNewestFirst(t, created, got)
	})

	staff := c.As(t, roleCatalog)
	cursor := c.List(t, "", "category", category, "limit", "3").NextCursor
	if cursor == "" {
		t.Fatal("a list of 21 products has no second page")
	}
	t.Run("AnotherLimitIsTheSameList", func(t *testing.T) {
		t.Parallel()
		if got := c.List(t, "", "category", category, "limit", "5", "cursor", cursor); len(got.Data) != 5 {
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
	refuse("OfAnotherCaller", staff, "/v1/products", cursor, "category", category, "status", "active")
	refuse("OfAnotherStatus", staff, "/v1/products", c.List(t, staff, "category", category, "limit", "3").NextCursor,
		"category", category, "status", "active")
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
// of the same millisecond may stand in any order.
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
	at, err := time.Parse(time.RFC3339, p.CreatedAt)
	if err != nil {
		t.Fatalf("%s: %v", p.ID, err)
	}
	return at
}
