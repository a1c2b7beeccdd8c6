package catalog_test

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/internal/apitest"
	"github.com/tienda-dev/tienda/shared/money"
)

// widest is a character that takes two \u escapes.
const widest = "𝄞"

// attributes returns as many attributes as a product can have, with the longest names and values.
func attributes(prefix string, value any) map[string]any {
	all := map[string]any{}
	for i := range catalog.MaxAttributes {
		name := fmt.Sprintf("%s%02d", prefix, i)
		all[name+strings.Repeat(widest, catalog.MaxAttributeName-len(name))] = value
	}
	return all
}

// The limit of a route's body must not refuse what the limits of its fields allow, however it is written.
func TestLargestBodiesFit(t *testing.T) {
	t.Parallel()
	var tags []any
	for range catalog.MaxTags {
		tags = append(tags, strings.Repeat(widest, catalog.MaxTag))
	}
	product := func(with map[string]any) map[string]any {
		all := map[string]any{
			"name": strings.Repeat(widest, catalog.MaxName), "description": strings.Repeat(widest, catalog.MaxDescription),
			"category": strings.Repeat("c", 64), "tags": tags, "status": "active",
			"attributes": attributes("a", strings.Repeat(widest, catalog.MaxAttributeValue)),
			"price":      map[string]any{"amount_minor": int64(money.MaxAmount), "currency": "EUR"},
		}
		maps.Copy(all, with)
		return all
	}
	patched := attributes("a", nil)
	for name := range attributes("b", nil) {
		patched[name] = strings.Repeat(widest, catalog.MaxAttributeValue)
	}
	bodies := map[string]string{
		"create-product":   apitest.Escaped(product(map[string]any{"sku": strings.Repeat("S", 64)})),
		"update-product":   apitest.Escaped(product(map[string]any{"attributes": patched})),
		"adjust-inventory": apitest.Escaped(map[string]any{"delta": catalog.MaxDelta, "reason": strings.Repeat(widest, catalog.MaxReason)}),
	}
	for _, route := range catalog.Routes() {
		if route.Method == http.MethodGet || route.Method == http.MethodDelete {
			continue
		}
		t.Run(route.Name, func(t *testing.T) {
			t.Parallel()
			body, known := bodies[route.Name]
			if !known {
				t.Fatal("add the largest body that the route's fields allow; an empty one if it reads none")
			}
			s := newShop(t)
			made := apitest.Decode[catalog.Product](s.do("catalog", http.MethodPost, "/v1/products", apitest.Escaped(product(map[string]any{"sku": "A"}))).Want(http.StatusCreated))
			a := s.do("catalog fulfilment", route.Method, strings.Replace(route.Path, "{id}", made.ID, 1), body,
				"If-Match", `"1"`, "Idempotency-Key", "k")
			if a.Status != http.StatusOK && a.Status != http.StatusCreated {
				t.Errorf("%d bytes: got %d %.300s", len(body), a.Status, a.Body)
			}
		})
	}
}
