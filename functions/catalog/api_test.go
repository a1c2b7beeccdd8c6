package catalog_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/functions/catalog/catalogtest"
	"github.com/tienda-dev/tienda/internal/apitest"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/middleware"
	"github.com/tienda-dev/tienda/shared/page"
)

// shop serves every route of the catalogue on a store in memory.
type shop struct {
	t     *testing.T
	store *catalogtest.Memory
	api   *apitest.API
}

// publicCache is the Cache-Control header of public reads.
const publicCache = "public, max-age=7"

// fixed is page.Cursors with one sealer.
type fixed struct{ *page.Sealer }

func (f fixed) Get(context.Context) *page.Sealer { return f.Sealer }

func newShop(t *testing.T) *shop {
	t.Helper()
	keys, err := page.ParseKeys([]byte(`{"kid":"k1","status":"active","key":"` + strings.Repeat("k", 32) + `"}`))
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := page.NewSealer(keys, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	store := catalogtest.NewMemory()
	service, cfg := catalog.NewService(store, time.Now), catalog.Config{PublicCache: publicCache}
	handlers := map[string]api.Handler{
		"list-products":       catalog.ListProducts(store, fixed{sealer}, cfg),
		"search-products":     catalog.SearchProducts(store, fixed{sealer}, cfg),
		"get-product":         catalog.GetProduct(store, cfg),
		"list-categories":     catalog.ListCategories(store, fixed{sealer}, cfg),
		"list-staff-products": catalog.ListStaffProducts(store, fixed{sealer}),
		"get-staff-product":   catalog.GetStaffProduct(store),
		"create-product":      catalog.CreateProduct(service),
		"update-product":      catalog.UpdateProduct(service),
		"archive-product":     catalog.ArchiveProduct(service),
		"get-inventory":       catalog.GetInventory(store),
		"adjust-inventory":    catalog.AdjustInventory(service),
	}
	config := func(api.Route) middleware.Config {
		return middleware.Config{
			Authenticator: middleware.GatewayAuthenticator(time.Now),
			Idempotency:   idempotency.Middleware(&store.Records, time.Now),
		}
	}
	return &shop{t: t, store: store, api: apitest.New(t, catalog.Routes(), handlers, config)}
}

// do sends a request as a caller with the roles; without roles it is anonymous. header has names and values in
// turn.
func (s *shop) do(roles, method, target, body string, header ...string) apitest.Answer {
	s.t.Helper()
	var options []apitest.Option
	for i := 0; i+1 < len(header); i += 2 {
		options = append(options, apitest.Header(header[i], header[i+1]))
	}
	if roles != "" {
		options = append(options, apitest.As("user-of-"+roles, strings.Fields(roles)...))
	}
	return s.api.Do(method, target, body, options...)
}

// named makes a product with a name of any characters.
func (s *shop) named(sku, name string) catalog.Product {
	s.t.Helper()
	body, err := json.Marshal(map[string]any{
		"sku": sku, "name": name, "category": "tea", "price": map[string]any{"amount_minor": 100, "currency": "EUR"},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return apitest.Decode[catalog.Product](s.do("catalog", http.MethodPost, "/v1/products", string(body)).Want(http.StatusCreated))
}

// create makes a product from a JSON object's members, with defaults for those required.
func (s *shop) create(sku, more string) catalog.Product {
	s.t.Helper()
	a := s.do("catalog", http.MethodPost, "/v1/products", `{"sku":"`+sku+`","name":"Product `+sku+`","category":"tea","price":{"amount_minor":100,"currency":"EUR"}`+more+`}`)
	if a.Status != http.StatusCreated {
		s.t.Fatalf("create %s: %d %s", sku, a.Status, a.Body)
	}
	return apitest.Decode[catalog.Product](a)
}

// in returns the same shop, reporting to a sub-test.
func (s *shop) in(t *testing.T) *shop {
	t.Helper()
	return &shop{t: t, store: s.store, api: s.api.In(t)}
}
