package catalog_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/functions/catalog/catalogtest"
	"github.com/tienda-dev/tienda/internal/apitest"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/money"
)

func TestCreateProduct(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	a := s.do("catalog", http.MethodPost, "/v1/products", `{"sku":"TEA-1","name":"Assam","description":"Strong","category":"black-tea",
		"tags":["loose"],"attributes":{"origin":"India"},"price":{"amount_minor":1250,"currency":"EUR"}}`)
	got := apitest.Decode[catalog.Product](a)
	want := catalog.Product{
		ID: got.ID, SKU: "TEA-1", Name: "Assam", Description: "Strong", Category: "black-tea", Tags: []string{"loose"},
		Attributes: map[string]string{"origin": "India"}, Price: money.Money{AmountMinor: 1250, Currency: "EUR"},
		Status: catalog.Active, Version: 1, CreatedAt: got.CreatedAt, UpdatedAt: got.CreatedAt,
	}
	if diff := cmp.Diff(want, got); diff != "" || a.Status != http.StatusCreated || got.CreatedAt.IsZero() {
		t.Errorf("status %d (-want +got):\n%s", a.Status, diff)
	}
	if a.Header.Get("ETag") != `"1"` {
		t.Errorf("headers: %v", a.Header)
	}
	for _, base := range []string{"", "/prod", "/shop/eu"} { // a stage, a mapping key
		requested := url.URL{Path: base + "/v1/products"}
		if u, err := requested.Parse(a.Header.Get("Location")); err != nil || u.Path != base+"/v1/products/"+got.ID {
			t.Errorf("below %q the Location %q is %v, %v", base, a.Header.Get("Location"), u, err)
		}
	}
	if bare := s.create("BARE", ""); bare.Tags == nil || bare.Attributes == nil {
		t.Errorf("tags and attributes must be [] and {}, not null: %+v", bare)
	}
	s.do("catalog", http.MethodPost, "/v1/products", `{"sku":"TEA-1","name":"x","category":"tea","price":{"amount_minor":1,"currency":"EUR"}}`).
		WantProblem(http.StatusConflict, "sku_exists", "/sku")
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
		"HangulFillers":    {"name", `"\u115f\u1160\u3164\uffa0"`, "/name"},
		"BlankBraille":     {"name", `"\u2800"`, "/name"},
		"FillerAfterName":  {"name", `"Mug\u3164"`, "/name"},
		"BlankNote":        {"name", `"\ud834\udd59"`, "/name"},
		"BrailleTag":       {"tags", `["a","\u2800"]`, "/tags/1"},
		"FillerAttribute":  {"attributes", `{"\u3164":"x"}`, "/attributes"},
		"FillerValue":      {"attributes", `{"a":"\u3164"}`, "/attributes/a"},
		"FillerText":       {"description", `"\u3164 \u2800"`, "/description"},
		"BlankTag":         {"tags", `["a"," "]`, "/tags/1"},
		"TagWithTab":       {"tags", `["a","b\tc"]`, "/tags/1"},
		"SpaceBeforeName":  {"name", `" Mug"`, "/name"},
		"FillerTag":        {"tags", `["a","\u3164"]`, "/tags/1"},
		"BlankAttribute":   {"attributes", `{"\u2800":"x"}`, "/attributes"},
		"TurnsDirection":   {"description", `"a\u202eb"`, "/description"},
		"Noncharacter":     {"description", `"\uffff"`, "/description"},
		"AttributeControl": {"attributes", `{"a\u001b[31m":"x"}`, "/attributes"},
		"NullAttribute":    {"attributes", `{"a":null}`, "/attributes/a"},
		"EmptyStatus":      {"status", `""`, "/status"},
		"NullStatus":       {"status", "null", "/status"},
		"NoCategory":       {"category", "", "/category"},
		"CategoryNotSlug":  {"category", `"Black Tea"`, "/category"},
		"NoPrice":          {"price", "", "/price"},
		"NegativePrice":    {"price", `{"amount_minor":-1,"currency":"EUR"}`, "/price/amount_minor"},
		"UnknownCurrency":  {"price", `{"amount_minor":1,"currency":"XXZ"}`, "/price/currency"},
		"PriceAsText":      {"price", `{"amount_minor":"1","currency":"EUR"}`, "/price/amount_minor"},
		"PriceFraction":    {"price", `{"amount_minor":1.5,"currency":"EUR"}`, "/price/amount_minor"},
		"PriceIncomplete":  {"price", `{"currency":"EUR"}`, "/price/amount_minor"},
		"PriceRounded":     {"price", `{"amount_minor":9007199254740993,"currency":"EUR"}`, "/price/amount_minor"},
		"UnknownField":     {"colour", `"red"`, "/colour"},
		"IDOfTheClient":    {"id", `"01ARZ3NDEKTSV4RRFFQ69G5FAV"`, "/id"},
		"TooManyTags":      {"tags", tags, "/tags"},
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
				WantProblem(http.StatusUnprocessableEntity, "validation_failed", tc.pointer)
		})
	}
}

func TestAllFaultsOfAProductAreNamedTogether(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.do("catalog", http.MethodPost, "/v1/products", `{"name":"","colour":"red","tags":["a",7," "],"price":{},"Category":"tea","description":{}}`).
		WantProblem(http.StatusUnprocessableEntity, "validation_failed", "/colour", "/tags/1", "/price/amount_minor", "/price/currency",
			"/Category", "/description", "/sku", "/name", "/category", "/tags/2")
	p := s.create("A", "")
	s.do("catalog", http.MethodPatch, "/v1/products/"+p.ID,
		`{"sku":"B","name":"","price":{"amount_minor":9007199254740992,"currency":"XXZ"},"attributes":{"a":1,"b":"\u0000"}}`, "If-Match", `"1"`).
		WantProblem(http.StatusUnprocessableEntity, "validation_failed", "/sku", "/price/amount_minor", "/attributes/a", "/name", "/attributes/b", "/price/currency")
}

func TestGetProduct(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	active := s.create("ACTIVE", "")
	draft := s.create("DRAFT", `,"status":"draft"`)
	archived := s.create("ARCHIVED", "")
	s.do("catalog", http.MethodDelete, "/v1/products/"+archived.ID, "")

	a := s.do("", http.MethodGet, "/v1/products/"+active.ID, "").Want(http.StatusOK)
	if a.Header.Get("ETag") != `"1"` || a.Header.Get("Cache-Control") != publicCache || apitest.Decode[catalog.Product](a).SKU != "ACTIVE" {
		t.Errorf("got %v %s", a.Header, a.Body)
	}
	a = s.do("", http.MethodGet, "/v1/products/"+active.ID, "", "If-None-Match", `"1"`).Want(http.StatusNotModified)
	if a.Header.Get("Cache-Control") != publicCache || a.Body != "" {
		t.Errorf("with the ETag: got %v %q", a.Header, a.Body)
	}
	// What a role may read is on routes of its own: the public route shows the same to everybody.
	for _, roles := range []string{"", "customer", "catalog"} {
		s.do(roles, http.MethodGet, "/v1/products/"+draft.ID, "").WantProblem(http.StatusNotFound, "product_not_found")
		s.do(roles, http.MethodGet, "/v1/products/"+archived.ID, "").WantProblem(http.StatusGone, "product_archived")
	}
	for _, id := range []string{"01ARZ3NDEKTSV4RRFFQ69G5FAV", "x", "a%2Fb", "%3F", strings.Repeat("9", 300)} {
		s.do("", http.MethodGet, "/v1/products/"+id, "").WantProblem(http.StatusNotFound, "product_not_found")
	}
}

func TestGetStaffProduct(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	products := map[string]catalog.Product{
		"active": s.create("ACTIVE", ""), "draft": s.create("DRAFT", `,"status":"draft"`), "archived": s.create("ARCHIVED", ""),
	}
	s.do("catalog", http.MethodDelete, "/v1/products/"+products["archived"].ID, "").Want(http.StatusNoContent)
	for status, p := range products {
		target := "/v1/staff/products/" + p.ID
		for _, role := range policy.Staff() {
			a := s.do(role, http.MethodGet, target, "").Want(http.StatusOK)
			got := apitest.Decode[catalog.Product](a)
			if string(got.Status) != status || got.ID != p.ID || a.Header.Get("ETag") != api.ETag(got.Version) || a.Header.Get("Cache-Control") != "private, no-cache" {
				t.Errorf("%s as %s: got %v %s", status, role, a.Header, a.Body)
			}
			s.do(role, http.MethodGet, target, "", "If-None-Match", api.ETag(got.Version)).Want(http.StatusNotModified)
		}
		s.do("", http.MethodGet, target, "").WantProblem(http.StatusUnauthorized, "missing_token")
		s.do("customer service", http.MethodGet, target, "").WantProblem(http.StatusForbidden, "insufficient_role")
	}
	for _, id := range []string{"01ARZ3NDEKTSV4RRFFQ69G5FAV", "x"} {
		s.do("catalog", http.MethodGet, "/v1/staff/products/"+id, "").WantProblem(http.StatusNotFound, "product_not_found")
	}
}

// Every public read may be cached and revalidated, ignores credentials, and has refusals that nobody keeps.
func TestPublicReads(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	p := s.create("A", "")
	s.create("B", "")
	for name, tc := range map[string]struct{ target, refused string }{
		"get-product":     {"/v1/products/" + p.ID, "/v1/products/x"},
		"list-products":   {"/v1/products?category=tea&limit=1", "/v1/products?limit=0"},
		"search-products": {"/v1/products/search?q=product&limit=1", "/v1/products/search"},
		"list-categories": {"/v1/categories", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := s.in(t)
			a := s.do("", http.MethodGet, tc.target, "").Want(http.StatusOK)
			etag := a.Header.Get("ETag")
			if etag == "" || a.Header.Get("Cache-Control") != publicCache || a.Header.Get("Vary") != "Origin" {
				t.Errorf("got %v", a.Header)
			}
			for _, token := range []string{"Bearer garbage", "Basic dXNlcjpwYXNz", "x"} {
				if with := s.do("", http.MethodGet, tc.target, "", "Authorization", token); with.Status != http.StatusOK || with.Body != a.Body {
					t.Errorf("Authorization: %s: got %d %s", token, with.Status, with.Body)
				}
			}
			again := s.do("", http.MethodGet, tc.target, "", "If-None-Match", etag).Want(http.StatusNotModified)
			if again.Body != "" || again.Header.Get("ETag") != etag || again.Header.Get("Cache-Control") != publicCache {
				t.Errorf("304 with %v %q", again.Header, again.Body)
			}
			s.do("", http.MethodGet, tc.target, "", "If-None-Match", `"0"`).Want(http.StatusOK)
			if tc.refused == "" {
				return
			}
			if a := s.do("", http.MethodGet, tc.refused, ""); a.Status < 400 || a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("ETag") != "" {
				t.Errorf("refused: got %d %v", a.Status, a.Header)
			}
		})
	}

	target := "/v1/products?category=tea"
	before := s.do("", http.MethodGet, target, "").Header.Get("ETag")
	s.create("C", "")
	if a := s.do("", http.MethodGet, target, "", "If-None-Match", before); a.Status != http.StatusOK || a.Header.Get("ETag") == before {
		t.Errorf("a changed list: got %d with %v", a.Status, a.Header)
	}
}

func TestUpdateProduct(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	p := s.create("A", `,"description":"old","tags":["one"],"attributes":{"keep":"1","drop":"2"}`)
	target := "/v1/products/" + p.ID
	a := s.do("catalog", http.MethodPatch, target,
		`{"name":"New","description":null,"tags":null,"attributes":{"drop":null,"add":"3"},"price":{"amount_minor":7},"status":"draft"}`, "If-Match", `"1"`)
	got := apitest.Decode[catalog.Product](a)
	want := p
	want.Name, want.Description, want.Tags, want.Status, want.Version, want.UpdatedAt = "New", "", []string{}, catalog.Draft, 2, got.UpdatedAt
	want.Attributes = map[string]string{"keep": "1", "add": "3"}
	want.Price.AmountMinor = 7
	if diff := cmp.Diff(want, got); diff != "" || a.Status != http.StatusOK || a.Header.Get("ETag") != `"2"` {
		t.Errorf("status %d, ETag %s (-want +got):\n%s", a.Status, a.Header.Get("ETag"), diff)
	}

	s.do("catalog", http.MethodPatch, target, `{}`).WantProblem(http.StatusPreconditionRequired, "precondition_required", "If-Match")
	s.do("catalog", http.MethodPatch, target, `{"name":"x"}`, "If-Match", `"1"`).WantProblem(http.StatusPreconditionFailed, "precondition_failed")
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
				WantProblem(http.StatusUnprocessableEntity, "validation_failed", tc.pointer)
		})
	}
	s.do("catalog", http.MethodDelete, target, "")
	s.do("catalog", http.MethodPatch, target, `{"name":"x"}`, "If-Match", `"3"`).WantProblem(http.StatusGone, "product_archived")
	s.do("catalog", http.MethodPatch, "/v1/products/01ARZ3NDEKTSV4RRFFQ69G5FAV", `{"name":"x"}`, "If-Match", `"3"`).WantProblem(http.StatusNotFound, "product_not_found")
}

func TestPatchThatChangesNothing(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	p := s.create("A", `,"tags":["one"],"attributes":{"a":"1"}`)
	bare := s.create("B", "")
	for _, tc := range []struct {
		p    catalog.Product
		body string
	}{
		{p, `{}`},
		{p, `{"price":{},"attributes":{}}`},
		{p, `{"attributes":{"none":null}}`},
		{p, `{"name":"Product A","description":null,"tags":["one"],"attributes":{"a":"1"},"price":{"amount_minor":100},"status":"active"}`},
		{bare, `{"tags":null,"attributes":null}`},
		{bare, `{"tags":[],"attributes":{}}`},
	} {
		target := "/v1/products/" + tc.p.ID
		a := s.do("catalog", http.MethodPatch, target, tc.body, "If-Match", `"1"`).Want(http.StatusOK)
		if diff := cmp.Diff(tc.p, apitest.Decode[catalog.Product](a)); diff != "" || a.Header.Get("ETag") != `"1"` {
			t.Errorf("%s: ETag %s (-want +got):\n%s", tc.body, a.Header.Get("ETag"), diff)
		}
		if got := apitest.Decode[catalog.Product](s.do("", http.MethodGet, target, "")); got.Version != 1 {
			t.Errorf("%s: version %d is stored", tc.body, got.Version)
		}
		s.do("catalog", http.MethodPatch, target, tc.body, "If-Match", `"2"`).WantProblem(http.StatusPreconditionFailed, "precondition_failed")
	}
}

// Rules change. What a product has from before must not stop a change of something else.
func TestPatchValidatesWhatItChanges(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	old := catalogtest.NewProduct(func(p *catalog.Product) {
		p.Name, p.Category, p.Tags = "\u3164", "Old Category", []string{"\u2800"}
		p.Description = strings.Repeat("x", catalog.MaxDescription+1)
		p.Price = money.Money{AmountMinor: -1, Currency: "DEM"}
		p.Attributes = map[string]string{"\u3164": "\x00"}
		for i := range catalog.MaxAttributes {
			p.Attributes[strconv.Itoa(i)] = ""
		}
	})
	if err := s.store.Create(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	target := "/v1/products/" + old.ID
	for i, body := range []string{
		`{"name":"New"}`, `{"category":"new"}`, `{"tags":["new"]}`, `{"description":"new"}`, `{"price":{"amount_minor":1}}`,
		`{"attributes":{"7":"new"}}`, `{"attributes":{"\u3164":null}}`, `{"price":{"currency":"EUR"}}`, `{"status":"draft"}`,
	} {
		s.do("catalog", http.MethodPatch, target, body, "If-Match", api.ETag(int64(i+1))).Want(http.StatusOK)
	}
	s.do("catalog", http.MethodPatch, target, `{"attributes":{"one more":""}}`, "If-Match", `"10"`).
		WantProblem(http.StatusUnprocessableEntity, "validation_failed", "/attributes")
}

// Every path with an id takes it in lower case, and answers with the canonical one.
func TestIDsInLowerCase(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	p := s.create("A", "")
	for _, route := range catalog.Routes() {
		if !strings.Contains(route.Path, "{id}") {
			continue
		}
		if route.Method == http.MethodDelete {
			defer func() { // after the others, which read the product
				s.do("catalog", route.Method, strings.Replace(route.Path, "{id}", strings.ToLower(p.ID), 1), "").Want(http.StatusNoContent)
			}()
			continue
		}
		body := map[string]string{"update-product": `{"name":"New"}`, "adjust-inventory": `{"delta":1,"reason":"r"}`}[route.Name]
		a := s.do("catalog fulfilment", route.Method, strings.Replace(route.Path, "{id}", strings.ToLower(p.ID), 1), body,
			"If-Match", `"1"`, "Idempotency-Key", "k")
		if a.Status >= http.StatusMultipleChoices || !strings.Contains(a.Body, `id":"`+p.ID+`"`) {
			t.Errorf("%s: got %d %s", route.Key(), a.Status, a.Body)
		}
	}
	// A key belongs to the product, however its id is written.
	a := s.do("catalog fulfilment", http.MethodPost, "/v1/products/"+p.ID+"/inventory/adjustments", `{"delta":1,"reason":"r"}`, "Idempotency-Key", "k")
	if a.Want(http.StatusCreated).Header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("got %s", a.Body)
	}
}

func TestArchiveProduct(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	p := s.create("A", "")
	target := "/v1/products/" + p.ID
	s.do("catalog", http.MethodDelete, target, "", "If-Match", `"9"`).WantProblem(http.StatusPreconditionFailed, "precondition_failed")
	s.do("catalog", http.MethodDelete, target, "", "If-Match", "").WantProblem(http.StatusBadRequest, "invalid_parameter", "If-Match")
	for range 2 {
		if a := s.do("catalog", http.MethodDelete, target, ""); a.Status != http.StatusNoContent || a.Body != "" {
			t.Errorf("got %d %q, want 204", a.Status, a.Body)
		}
	}
	s.do("catalog", http.MethodDelete, "/v1/products/nothing", "").WantProblem(http.StatusNotFound, "product_not_found")
	s.do("catalog", http.MethodPost, "/v1/products", `{"sku":"A","name":"x","category":"tea","price":{"amount_minor":1,"currency":"EUR"}}`).
		WantProblem(http.StatusConflict, "sku_exists")
}
