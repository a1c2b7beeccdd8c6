package catalog_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/internal/apitest"
)

func TestAdjustInventory(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	p := s.create("A", "")
	target := "/v1/products/" + p.ID + "/inventory"
	adjust := func(key, body string) apitest.Answer {
		return s.do("fulfilment", http.MethodPost, target+"/adjustments", body, "Idempotency-Key", key)
	}
	available := func() int64 {
		return apitest.Decode[catalog.Inventory](s.do("catalog", http.MethodGet, target, "")).Available
	}

	first := adjust("k1", `{"delta":5,"reason":"delivery"}`)
	got := apitest.Decode[catalog.Adjustment](first)
	if first.Status != http.StatusCreated || got.Delta != 5 || got.SKU != "A" || got.Reason != "delivery" || got.ProductID != p.ID || first.Header.Get("Idempotent-Replayed") != "" {
		t.Errorf("got %d %s", first.Status, first.Body)
	}
	for _, key := range []string{"k1", `"k1"`} { // bare and quoted are the same key
		again := adjust(key, `{"delta":5,"reason":"delivery"}`)
		if again.Status != http.StatusCreated || again.Body != first.Body || again.Header.Get("Idempotent-Replayed") != "true" {
			t.Errorf("replay: got %d %s %s, want %s", again.Status, again.Header.Get("Idempotent-Replayed"), again.Body, first.Body)
		}
	}
	if got := available(); got != 5 {
		t.Errorf("available: got %d, want 5", got)
	}

	adjust("k1", `{"delta":6,"reason":"delivery"}`).WantProblem(http.StatusUnprocessableEntity, "idempotency_key_reused", "Idempotency-Key")
	adjust("k2", `{"delta":-6,"reason":"loss"}`).WantProblem(http.StatusConflict, "would_go_negative")
	if a := adjust("k2", `{"delta":-5,"reason":"loss"}`); a.Status != http.StatusCreated { // a refused request does not use up its key
		t.Errorf("got %d %s", a.Status, a.Body)
	}
	if a := adjust("k1", `{"delta":5,"reason":"delivery"}`); a.Body != first.Body || available() != 0 {
		t.Errorf("late replay: got %s and %d available", a.Body, available())
	}

	other := s.do("fulfilment admin", http.MethodPost, target+"/adjustments", `{"delta":1,"reason":"other caller"}`, "Idempotency-Key", "k1")
	if other.Status != http.StatusCreated {
		t.Errorf("another caller's key: got %d %s", other.Status, other.Body)
	}
}

func TestAdjustInventoryRefuses(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	target := "/v1/products/" + s.create("A", "").ID + "/inventory/adjustments"
	for name, tc := range map[string]struct{ body, pointer string }{
		"Zero":       {`{"delta":0,"reason":"x"}`, "/delta"},
		"NoDelta":    {`{"reason":"x"}`, "/delta"},
		"TooLarge":   {`{"delta":1000001,"reason":"x"}`, "/delta"},
		"TooSmall":   {`{"delta":-1000001,"reason":"x"}`, "/delta"},
		"Fraction":   {`{"delta":0.5,"reason":"x"}`, "/delta"},
		"NoReason":   {`{"delta":1}`, "/reason"},
		"Filler":     {`{"delta":1,"reason":"\u3164"}`, "/reason"},
		"Braille":    {`{"delta":1,"reason":"\u2800\u200b"}`, "/reason"},
		"LongReason": {`{"delta":1,"reason":"` + strings.Repeat("x", 201) + `"}`, "/reason"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s.do("fulfilment", http.MethodPost, target, tc.body, "Idempotency-Key", "k").
				WantProblem(http.StatusUnprocessableEntity, "validation_failed", tc.pointer)
		})
	}
	const valid = `{"delta":1,"reason":"x"}`
	s.do("fulfilment", http.MethodPost, target, valid).WantProblem(http.StatusBadRequest, "idempotency_key_required", "Idempotency-Key")
	for _, key := range []string{"", `""`, "a b", "a\"b", "a,b", "ä", strings.Repeat("k", 256)} {
		s.do("fulfilment", http.MethodPost, target, valid, "Idempotency-Key", key).WantProblem(http.StatusBadRequest, "invalid_parameter", "Idempotency-Key")
	}
	s.do("fulfilment", http.MethodPost, "/v1/products/01ARZ3NDEKTSV4RRFFQ69G5FAV/inventory/adjustments", valid, "Idempotency-Key", "k").
		WantProblem(http.StatusNotFound, "product_not_found")
	s.do("fulfilment", http.MethodPost, "/v1/products/x/inventory/adjustments", valid, "Idempotency-Key", "k").
		WantProblem(http.StatusNotFound, "product_not_found")
	s.do("catalog", http.MethodGet, "/v1/products/01ARZ3NDEKTSV4RRFFQ69G5FAV/inventory", "").WantProblem(http.StatusNotFound, "product_not_found")
	s.do("catalog", http.MethodGet, "/v1/products/x/inventory", "").WantProblem(http.StatusNotFound, "product_not_found")
}

// TestRoles checks the policy of every route with callers who are allowed and who are not.
func TestRoles(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	id := s.create("A", "").ID
	for name, tc := range map[string]struct {
		method, target string
		allowed        []string
	}{
		"Create":    {http.MethodPost, "/v1/products", []string{"catalog"}},
		"Update":    {http.MethodPatch, "/v1/products/" + id, []string{"catalog"}},
		"Archive":   {http.MethodDelete, "/v1/products/nothing", []string{"catalog"}},
		"Inventory": {http.MethodGet, "/v1/products/" + id + "/inventory", []string{"catalog", "fulfilment"}},
		"Adjust":    {http.MethodPost, "/v1/products/" + id + "/inventory/adjustments", []string{"fulfilment"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := s.in(t)
			s.do("", tc.method, tc.target, "").WantProblem(http.StatusUnauthorized, "missing_token")
			for _, role := range []string{"customer", "support", "admin", "catalog", "fulfilment"} {
				may := false
				for _, allowed := range tc.allowed {
					may = may || role == allowed
				}
				if a := s.do(role, tc.method, tc.target, ""); (a.Status != http.StatusForbidden) != may {
					t.Errorf("%s: got %d, may be allowed: %t", role, a.Status, may)
				}
			}
		})
	}
}
