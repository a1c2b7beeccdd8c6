package catalog_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/internal/apitest"
	"github.com/tienda-dev/tienda/shared/page"
)

func TestListProducts(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	for i := range 5 {
		s.create(fmt.Sprintf("T%d", i), "")
	}
	s.create("DRAFT", `,"status":"draft"`)

	var skus []string
	target := "/v1/products?category=tea&limit=2"
	for next := target; next != ""; {
		got := apitest.Decode[page.Page[catalog.Product]](s.do("", http.MethodGet, next, ""))
		for _, p := range got.Data {
			skus = append(skus, p.SKU)
		}
		if got.HasMore != (got.NextCursor != "") {
			t.Errorf("has_more %t with cursor %q", got.HasMore, got.NextCursor)
		}
		next = ""
		if got.HasMore {
			next = target + "&cursor=" + got.NextCursor
		}
	}
	if len(skus) != 5 {
		t.Errorf("walked over %v, want the 5 active products", skus)
	}
	if a := s.do("", http.MethodGet, "/v1/products?category=none", ""); a.Status != http.StatusOK || !strings.Contains(a.Body, `"data":[]`) {
		t.Errorf("empty list: got %d %s", a.Status, a.Body)
	}

	for _, roles := range []string{"", "customer", "catalog"} {
		for _, status := range []string{"draft", "archived"} {
			s.do(roles, http.MethodGet, "/v1/products?status="+status, "").WantProblem(http.StatusForbidden, "status_not_visible", "status")
		}
	}
	for query, pointer := range map[string]string{
		"limit=0": "limit", "limit=101": "limit", "limit=x": "limit", "limit=": "limit", "status=sold": "status", "status=": "status",
		"category=A%20B": "category", "status=active&status=draft": "status",
	} {
		s.do("", http.MethodGet, "/v1/products?"+query, "").WantProblem(http.StatusBadRequest, "invalid_parameter", pointer)
	}
	s.do("", http.MethodGet, "/v1/products?category=%zz", "").WantProblem(http.StatusBadRequest, "malformed_query", "category")
	if a := s.do("", http.MethodGet, "/v1/products?a=%zz&b=1&b=2;limit=0", ""); a.Status != http.StatusOK {
		t.Errorf("unknown parameters: got %d %s, want 200", a.Status, a.Body)
	}

	cursor := apitest.Decode[page.Page[catalog.Product]](s.do("", http.MethodGet, target, "")).NextCursor
	for name, query := range map[string]string{
		"Garbage":       "/v1/products?category=tea&limit=2&cursor=x",
		"Empty":         "/v1/products?category=tea&limit=2&cursor=",
		"ChangedBit":    target + "&cursor=" + "B" + cursor[1:],
		"OtherFilter":   "/v1/products?limit=2&cursor=" + cursor,
		"OtherRoute":    "/v1/products/search?q=product&cursor=" + cursor,
		"GivenTwice":    target + "&cursor=" + cursor + "&cursor=" + cursor,
		"LineBreakedIn": target + "&cursor=" + cursor + "%0A",
	} {
		a := s.do("", http.MethodGet, query, "")
		code := "invalid_cursor"
		if name == "GivenTwice" {
			code = "invalid_parameter"
		}
		a.WantProblem(http.StatusBadRequest, code, "cursor")
	}
	s.do("customer", http.MethodGet, target+"&cursor="+cursor, "").Want(http.StatusOK) // the list is everybody's
}

func TestListStaffProducts(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	const path = "/v1/staff/products"
	for i := range 3 {
		s.create(fmt.Sprintf("ACTIVE%d", i), "")
		s.create(fmt.Sprintf("DRAFT%d", i), `,"status":"draft"`)
		p := s.create(fmt.Sprintf("ARCHIVED%d", i), "")
		s.do("catalog", http.MethodDelete, "/v1/products/"+p.ID, "").Want(http.StatusNoContent)
	}
	for query, want := range map[string]string{
		"": "ACTIVE", "?status=active": "ACTIVE", "?status=draft": "DRAFT", "?status=archived": "ARCHIVED", "?category=tea&status=draft": "DRAFT",
	} {
		a := s.do("support", http.MethodGet, path+query, "").Want(http.StatusOK)
		if a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: Cache-Control %s", query, a.Header.Get("Cache-Control"))
		}
		got := apitest.Decode[page.Page[catalog.Product]](a)
		if len(got.Data) != 3 || strings.Trim(got.Data[0].SKU, "0123456789") != want {
			t.Errorf("%s: got %s", query, a.Body)
		}
	}

	first := apitest.Decode[page.Page[catalog.Product]](s.do("catalog", http.MethodGet, path+"?status=draft&limit=2", ""))
	next := "&limit=2&cursor=" + first.NextCursor
	rest := apitest.Decode[page.Page[catalog.Product]](s.do("catalog", http.MethodGet, path+"?status=draft"+next, ""))
	if len(first.Data) != 2 || len(rest.Data) != 1 || rest.HasMore {
		t.Errorf("got pages of %d and %d", len(first.Data), len(rest.Data))
	}
	s.do("admin", http.MethodGet, path+"?status=draft"+next, "").WantProblem(http.StatusBadRequest, "invalid_cursor", "cursor") // another caller's
	s.do("catalog", http.MethodGet, path+"?status=active"+next, "").WantProblem(http.StatusBadRequest, "invalid_cursor", "cursor")
	s.do("catalog", http.MethodGet, path+"?status=sold", "").WantProblem(http.StatusBadRequest, "invalid_parameter", "status")
	s.do("", http.MethodGet, path, "").WantProblem(http.StatusUnauthorized, "missing_token")
	s.do("customer", http.MethodGet, path, "").WantProblem(http.StatusForbidden, "insufficient_role")
}

func TestListOfLargeProductsFitsIntoLambdasResponse(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	attributes := make([]string, 40)
	for i := range attributes {
		attributes[i] = fmt.Sprintf(`"name-%02d":%q`, i, strings.Repeat("🛒", 256))
	}
	large := fmt.Sprintf(`,"description":%q,"attributes":{%s}`, strings.Repeat("🛒", 5000), strings.Join(attributes, ","))
	for i := range 60 {
		s.create(fmt.Sprintf("L%d", i), large)
	}
	read := map[string]bool{}
	target := "/v1/products?limit=100"
	for next := target; next != ""; {
		a := s.do("", http.MethodGet, next, "")
		if len(a.Body) > 3<<20 {
			t.Fatalf("a page has %d bytes", len(a.Body))
		}
		got := apitest.Decode[page.Page[catalog.Product]](a)
		for _, p := range got.Data {
			read[p.SKU] = true
		}
		next = ""
		if got.HasMore {
			next = target + "&cursor=" + got.NextCursor
		}
	}
	if len(read) != 60 {
		t.Errorf("walked over %d products, want 60", len(read))
	}
}

func TestSearchProducts(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.create("DARK-1", `,"tags":["Ethiopia"]`)
	s.create("LIGHT-1", "")
	for query, want := range map[string]int{"q=dark": 1, "q=ETH": 1, "q=prod": 2, "q=dark+ethi": 1, "q=dark+light": 0, "q=product&limit=1": 1} {
		if got := apitest.Decode[page.Page[catalog.Product]](s.do("", http.MethodGet, "/v1/products/search?"+query, "")); len(got.Data) != want {
			t.Errorf("%s: found %d, want %d", query, len(got.Data), want)
		}
	}
	for _, query := range []string{"", "q=", "q=%20-%20", "q=%E2%98%95", "q=%C2%AD"} {
		s.do("", http.MethodGet, "/v1/products/search?"+query, "").WantProblem(http.StatusBadRequest, "query_too_short", "q")
	}
	s.do("", http.MethodGet, "/v1/products/search?q=aa&q=bb", "").WantProblem(http.StatusBadRequest, "invalid_parameter", "q")
	// A limit cuts the query.
	for _, query := range []string{"a", "a b c", strings.Repeat("dark ", 500), strings.Repeat("抹", 500), "aa bb cc dd ee ff gg hh ii jj kk ll"} {
		s.do("", http.MethodGet, "/v1/products/search?q="+url.QueryEscape(query), "").Want(http.StatusOK)
	}
}

// Each row is a product and what people type to find it. It comes first, before newer ones that match too.
func TestSearchFindsWhatPeopleType(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	const title = "極上の深煎り珈琲豆を使ったこだわりの贅沢な水出しセット限定品" // 93 bytes
	rows := []struct {
		sku, name string
		queries   []string
	}{
		{"R-1", "Caf\u00e9 Ol\u00e9", []string{"Cafe\u0301 Ole\u0301", "cafe ole"}},
		{"R-2", "Cre\u0300me", []string{"Cr\u00e8me", "creme"}},
		{"R-3", "Weißbier", []string{"WEISSBIER", "weissbier"}},
		{"R-4", "Co\u00adlombia beans", []string{"Colombia"}},
		{"R-5", "cold\u200bbrew", []string{"coldbrew"}},
		{"R-6", "ＡＢＣ kettle", []string{"abc"}},
		{"R-7", "eﬃcient", []string{"efficient"}},
		{"R-8", "CO₂", []string{"co2"}},
		{"R-9", "抹茶碗", []string{"茶碗"}},
		{"R-10", "緑", []string{"緑"}},
		{"R-11", title, []string{title, "限定品"}},
		{"A-1", "Tray", []string{"A-1", "a-1"}},
		{"X", "Tray", []string{"X", "x"}},
		{"7", "Tray", []string{"7"}},
		{"R-12", "Paper filters, size 02, 100 pieces", []string{"Paper filters, size 02, 100 pieces"}},
	}
	for _, row := range rows {
		s.named(row.sku, row.name)
	}
	s.named("N-1", "A 1, X and 7")
	s.named("N-2", "Paper filters, size 02, 100 pieces, brown")
	for _, row := range rows {
		for _, q := range row.queries {
			got := apitest.Decode[page.Page[catalog.Product]](s.do("", http.MethodGet, "/v1/products/search?q="+url.QueryEscape(q), "").Want(http.StatusOK))
			if len(got.Data) == 0 || got.Data[0].SKU != row.sku {
				t.Errorf("%q does not find %q first: %d products", q, row.name, len(got.Data))
			}
		}
	}
}

func TestListCategories(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	if a := s.do("", http.MethodGet, "/v1/categories", ""); !strings.Contains(a.Body, `"data":[]`) {
		t.Errorf("empty: got %s", a.Body)
	}
	s.create("A", "")
	s.create("B", `,"status":"draft"`)
	got := apitest.Decode[page.Page[catalog.Category]](s.do("", http.MethodGet, "/v1/categories", ""))
	if diff := cmp.Diff([]catalog.Category{{Name: "tea", ActiveProducts: 1}}, got.Data); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
