package catalog_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/page"
)

func TestCreateProduct(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	a := s.do("catalog", http.MethodPost, "/v1/products", `{"sku":"TEA-1","name":"Assam","description":"Strong","category":"black-tea",
		"tags":["loose"],"attributes":{"origin":"India"},"price":{"amount_minor":1250,"currency":"EUR"}}`)
	got := decode[catalog.Product](a)
	want := catalog.Product{
		ID: got.ID, SKU: "TEA-1", Name: "Assam", Description: "Strong", Category: "black-tea", Tags: []string{"loose"},
		Attributes: map[string]string{"origin": "India"}, Price: money.Money{AmountMinor: 1250, Currency: "EUR"},
		Status: catalog.Active, Version: 1, CreatedAt: got.CreatedAt, UpdatedAt: got.CreatedAt,
	}
	if diff := cmp.Diff(want, got); diff != "" || a.Status != http.StatusCreated || got.CreatedAt.IsZero() {
		t.Errorf("status %d (-want +got):\n%s", a.Status, diff)
	}
	if a.Header.Get("Location") != "/v1/products/"+got.ID || a.Header.Get("ETag") != `"1"` {
		t.Errorf("headers: %v", a.Header)
	}
	if bare := s.create("BARE", ""); bare.Tags == nil || bare.Attributes == nil {
		t.Errorf("tags and attributes must be [] and {}, not null: %+v", bare)
	}
	s.do("catalog", http.MethodPost, "/v1/products", `{"sku":"TEA-1","name":"x","category":"tea","price":{"amount_minor":1,"currency":"EUR"}}`).
		wantProblem(http.StatusConflict, "sku_exists", "/sku")
}

func TestCreateProductRefuses(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	valid := map[string]string{"sku": `"A"`, "name": `"n"`, "category": `"tea"`, "price": `{"amount_minor":1,"currency":"EUR"}`}
	tags := `["` + strings.Repeat(`x","`, 20) + `x"]`
	for name, tc := range map[string]struct{ member, value, pointer string }{
		"NoSKU":            {"sku", "", "/sku"},
		"SKUWithSpace":     {"sku", `"A B"`, "/sku"},
		"SKUTooLong":       {"sku", `"` + strings.Repeat("A", 65) + `"`, "/sku"},
		"NoName":           {"name", "", "/name"},
		"BlankName":        {"name", `"  "`, "/name"},
		"NameTooLong":      {"name", `"` + strings.Repeat("é", 201) + `"`, "/name"},
		"ControlCharacter": {"name", `"a\u0000"`, "/name"},
		"C1Control":        {"name", `"a\u0085"`, "/name"},
		"TwoLines":         {"name", `"a\nb"`, "/name"},
		"Invisible":        {"name", `"\u200b\ufeff"`, "/name"},
		"TurnsDirection":   {"description", `"a\u202eb"`, "/description"},
		"Noncharacter":     {"description", `"\uffff"`, "/description"},
		"AttributeControl": {"attributes", `{"a\u001b[31m":"x"}`, "/attributes"},
		"NullAttribute":    {"attributes", `{"a":null}`, "/attributes/a"},
		"EmptyStatus":      {"status", `""`, "/status"},
		"NoCategory":       {"category", "", "/category"},
		"CategoryNotSlug":  {"category", `"Black Tea"`, "/category"},
		"NoPrice":          {"price", "", "/price"},
		"NegativePrice":    {"price", `{"amount_minor":-1,"currency":"EUR"}`, "/price/amount_minor"},
		"UnknownCurrency":  {"price", `{"amount_minor":1,"currency":"XXZ"}`, "/price/currency"},
		"PriceAsText":      {"price", `{"amount_minor":"1","currency":"EUR"}`, "/price/amount_minor"},
		"PriceFraction":    {"price", `{"amount_minor":1.5,"currency":"EUR"}`, "/price/amount_minor"},
		"PriceIncomplete":  {"price", `{"currency":"EUR"}`, "/price/amount_minor"},
		"UnknownField":     {"colour", `"red"`, "/colour"},
		"IDOfTheClient":    {"id", `"01ARZ3NDEKTSV4RRFFQ69G5FAV"`, "/id"},
		"TooManyTags":      {"tags", tags, "/tags"},
		"BlankTag":         {"tags", `["a"," "]`, "/tags/1"},
		"AttributeNumber":  {"attributes", `{"a":1}`, "/attributes/a"},
		"Archived":         {"status", `"archived"`, "/status"},
		"UnknownStatus":    {"status", `"sold"`, "/status"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			members := []string{}
			for member, value := range valid {
				if member != tc.member {
					members = append(members, fmt.Sprintf("%q:%s", member, value))
				}
			}
			if tc.value != "" {
				members = append(members, fmt.Sprintf("%q:%s", tc.member, tc.value))
			}
			s.do("catalog", http.MethodPost, "/v1/products", "{"+strings.Join(members, ",")+"}").
				wantProblem(http.StatusUnprocessableEntity, "validation_failed", tc.pointer)
		})
	}
}

func TestGetProduct(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	active := s.create("ACTIVE", "")
	draft := s.create("DRAFT", `,"status":"draft"`)
	archived := s.create("ARCHIVED", "")
	s.do("catalog", http.MethodDelete, "/v1/products/"+archived.ID, "")

	a := s.do("", http.MethodGet, "/v1/products/"+active.ID, "")
	if a.Status != http.StatusOK || a.Header.Get("ETag") != `"1"` || decode[catalog.Product](a).SKU != "ACTIVE" {
		t.Errorf("got %d %v %s", a.Status, a.Header, a.Body)
	}
	if a := s.do("", http.MethodGet, "/v1/products/"+active.ID, "", "If-None-Match", `"1"`); a.Status != http.StatusNotModified || a.Body != "" {
		t.Errorf("with the ETag: got %d %q, want 304", a.Status, a.Body)
	}
	if a := s.do("support", http.MethodGet, "/v1/products/"+draft.ID, ""); a.Status != http.StatusOK {
		t.Errorf("staff reads a draft: got %d", a.Status)
	}
	for _, roles := range []string{"", "customer"} {
		s.do(roles, http.MethodGet, "/v1/products/"+draft.ID, "").wantProblem(http.StatusNotFound, "product_not_found")
	}
	s.do("catalog", http.MethodGet, "/v1/products/"+archived.ID, "").wantProblem(http.StatusGone, "product_archived")
	for _, id := range []string{"01ARZ3NDEKTSV4RRFFQ69G5FAV", "x", "a%2Fb", "%3F", strings.Repeat("9", 300)} {
		s.do("", http.MethodGet, "/v1/products/"+id, "").wantProblem(http.StatusNotFound, "product_not_found")
	}
}

func TestUpdateProduct(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	p := s.create("A", `,"description":"old","tags":["one"],"attributes":{"keep":"1","drop":"2"}`)
	target := "/v1/products/" + p.ID
	a := s.do("catalog", http.MethodPatch, target,
		`{"name":"New","description":null,"tags":null,"attributes":{"drop":null,"add":"3"},"price":{"amount_minor":7},"status":"draft"}`, "If-Match", `"1"`)
	got := decode[catalog.Product](a)
	want := p
	want.Name, want.Description, want.Tags, want.Status, want.Version, want.UpdatedAt = "New", "", []string{}, catalog.Draft, 2, got.UpdatedAt
	want.Attributes = map[string]string{"keep": "1", "add": "3"}
	want.Price.AmountMinor = 7
	if diff := cmp.Diff(want, got); diff != "" || a.Status != http.StatusOK || a.Header.Get("ETag") != `"2"` {
		t.Errorf("status %d, ETag %s (-want +got):\n%s", a.Status, a.Header.Get("ETag"), diff)
	}

	s.do("catalog", http.MethodPatch, target, `{}`).wantProblem(http.StatusPreconditionRequired, "precondition_required", "If-Match")
	s.do("catalog", http.MethodPatch, target, `{"name":"x"}`, "If-Match", `"1"`).wantProblem(http.StatusPreconditionFailed, "precondition_failed")
	for name, tc := range map[string]struct{ body, pointer string }{
		"NullName":        {`{"name":null}`, "/name"},
		"NullPrice":       {`{"price":null}`, "/price"},
		"NullCurrency":    {`{"price":{"currency":null}}`, "/price/currency"},
		"SKU":             {`{"sku":"B"}`, "/sku"},
		"UnknownInPrice":  {`{"price":{"vat":1}}`, "/price/vat"},
		"NegativePrice":   {`{"price":{"amount_minor":-1}}`, "/price/amount_minor"},
		"UnknownCurrency": {`{"price":{"currency":"ABC"}}`, "/price/currency"},
		"Archived":        {`{"status":"archived"}`, "/status"},
		"BadAttribute":    {`{"attributes":{"a":"` + strings.Repeat("x", 257) + `"}}`, "/attributes/a"},
	} {
		t.Run(name, func(t *testing.T) {
			s := s.in(t)
			s.do("catalog", http.MethodPatch, target, tc.body, "If-Match", `"2"`).
				wantProblem(http.StatusUnprocessableEntity, "validation_failed", tc.pointer)
		})
	}
	s.do("catalog", http.MethodDelete, target, "")
	s.do("catalog", http.MethodPatch, target, `{"name":"x"}`, "If-Match", `"3"`).wantProblem(http.StatusGone, "product_archived")
	s.do("catalog", http.MethodPatch, "/v1/products/01ARZ3NDEKTSV4RRFFQ69G5FAV", `{"name":"x"}`, "If-Match", `"3"`).wantProblem(http.StatusNotFound, "product_not_found")
}

func TestArchiveProduct(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	p := s.create("A", "")
	target := "/v1/products/" + p.ID
	s.do("catalog", http.MethodDelete, target, "", "If-Match", `"9"`).wantProblem(http.StatusPreconditionFailed, "precondition_failed")
	s.do("catalog", http.MethodDelete, target, "", "If-Match", "").wantProblem(http.StatusBadRequest, "invalid_parameter", "If-Match")
	for range 2 {
		if a := s.do("catalog", http.MethodDelete, target, ""); a.Status != http.StatusNoContent || a.Body != "" {
			t.Errorf("got %d %q, want 204", a.Status, a.Body)
		}
	}
	s.do("catalog", http.MethodDelete, "/v1/products/nothing", "").wantProblem(http.StatusNotFound, "product_not_found")
	s.do("catalog", http.MethodPost, "/v1/products", `{"sku":"A","name":"x","category":"tea","price":{"amount_minor":1,"currency":"EUR"}}`).
		wantProblem(http.StatusConflict, "sku_exists")
}

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
		got := decode[page.Page[catalog.Product]](s.do("", http.MethodGet, next, ""))
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
	if got := decode[page.Page[catalog.Product]](s.do("catalog", http.MethodGet, "/v1/products?status=draft", "")); len(got.Data) != 1 {
		t.Errorf("staff lists drafts: got %d, want 1", len(got.Data))
	}
	if a := s.do("", http.MethodGet, "/v1/products?category=none", ""); a.Status != http.StatusOK || !strings.Contains(a.Body, `"data":[]`) {
		t.Errorf("empty list: got %d %s", a.Status, a.Body)
	}

	s.do("", http.MethodGet, "/v1/products?status=draft", "").wantProblem(http.StatusForbidden, "status_not_visible", "status")
	for query, pointer := range map[string]string{
		"limit=0": "limit", "limit=101": "limit", "limit=x": "limit", "limit=": "limit", "status=sold": "status", "status=": "status",
		"category=A%20B": "category", "status=active&status=draft": "status",
	} {
		s.do("", http.MethodGet, "/v1/products?"+query, "").wantProblem(http.StatusBadRequest, "invalid_parameter", pointer)
	}
	s.do("", http.MethodGet, "/v1/products?a=%zz", "").wantProblem(http.StatusBadRequest, "malformed_query")

	cursor := decode[page.Page[catalog.Product]](s.do("", http.MethodGet, target, "")).NextCursor
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
		if got := decode[problemBody](a); a.Status != http.StatusBadRequest || (got.Code != "invalid_cursor" && name != "GivenTwice") {
			t.Errorf("%s: got %d %s", name, a.Status, a.Body)
		}
	}
	s.do("customer", http.MethodGet, target+"&cursor="+cursor, "").wantProblem(http.StatusBadRequest, "invalid_cursor")
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
		got := decode[page.Page[catalog.Product]](a)
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
		if got := decode[page.Page[catalog.Product]](s.do("", http.MethodGet, "/v1/products/search?"+query, "")); len(got.Data) != want {
			t.Errorf("%s: found %d, want %d", query, len(got.Data), want)
		}
	}
	for _, query := range []string{"", "q=", "q=a", "q=%20-%20"} {
		s.do("", http.MethodGet, "/v1/products/search?"+query, "").wantProblem(http.StatusBadRequest, "query_too_short", "q")
	}
	for _, query := range []string{"q=aa+bb+cc+dd+ee+ff", "q=" + strings.Repeat("a", 101), "q=aa&q=bb"} {
		s.do("", http.MethodGet, "/v1/products/search?"+query, "").wantProblem(http.StatusBadRequest, "invalid_parameter", "q")
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
	got := decode[page.Page[catalog.Category]](s.do("", http.MethodGet, "/v1/categories", ""))
	if diff := cmp.Diff([]catalog.Category{{Name: "tea", ActiveProducts: 1}}, got.Data); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
