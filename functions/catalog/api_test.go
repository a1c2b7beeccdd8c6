package catalog_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/functions/catalog/catalogtest"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/middleware"
	"github.com/tienda-dev/tienda/shared/page"
)

// shop serves every route of the catalogue with its real chain on a store in memory.
type shop struct {
	t     *testing.T
	store *catalogtest.Memory
	mux   *http.ServeMux
}

// fixed is a page.Sealer that is not rotated.
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
	service := catalog.NewService(store, time.Now)
	handlers := map[string]api.Handler{
		"list-products":    catalog.ListProducts(store, fixed{sealer}),
		"search-products":  catalog.SearchProducts(store, fixed{sealer}),
		"get-product":      catalog.GetProduct(store),
		"create-product":   catalog.CreateProduct(service),
		"update-product":   catalog.UpdateProduct(service),
		"archive-product":  catalog.ArchiveProduct(service),
		"list-categories":  catalog.ListCategories(store),
		"get-inventory":    catalog.GetInventory(store),
		"adjust-inventory": catalog.AdjustInventory(service),
	}
	mux := http.NewServeMux()
	for _, route := range catalog.Routes() {
		h, err := middleware.Chain(route, middleware.Config{Authenticator: middleware.GatewayAuthenticator(time.Now)}, handlers[route.Name])
		if err != nil {
			t.Fatal(err)
		}
		mux.Handle(route.Key(), h)
	}
	return &shop{t: t, store: store, mux: mux}
}

// answer is what came back.
type answer struct {
	t      *testing.T
	Status int
	Header http.Header
	Body   string
}

// do sends a request as a caller with the roles; without roles it is anonymous. header is pairs
// of names and values.
func (s *shop) do(roles, method, target, body string, header ...string) answer {
	s.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if roles != "" {
		caller := identity.Annotation{Outcome: identity.OK, Identity: identity.Identity{Subject: "user-of-" + roles, Roles: strings.Fields(roles)}}
		r = r.WithContext(identity.WithAuthorizer(r.Context(), caller.Map()))
	}
	rec := httptest.NewRecorder()
	s.mux.ServeHTTP(rec, r)
	return answer{t: s.t, Status: rec.Code, Header: rec.Header(), Body: rec.Body.String()}
}

// decode reads the answer's body into a T.
func decode[T any](a answer) T {
	a.t.Helper()
	var v T
	if err := json.Unmarshal([]byte(a.Body), &v); err != nil {
		a.t.Fatalf("%s: %v", a.Body, err)
	}
	return v
}

type problemBody struct {
	Code   string
	Errors []struct{ Pointer, Detail string }
}

// wantProblem checks status, code and, unless empty, the pointers of a refusal.
func (a answer) wantProblem(status int, code string, pointers ...string) {
	a.t.Helper()
	got := decode[problemBody](a)
	if a.Status != status || got.Code != code {
		a.t.Errorf("got %d %s, want %d %s: %s", a.Status, got.Code, status, code, a.Body)
	}
	for i, pointer := range pointers {
		if i >= len(got.Errors) || got.Errors[i].Pointer != pointer {
			a.t.Errorf("got %v, want an error at %s", got.Errors, pointer)
		}
	}
}

// create makes a product from a JSON object's members, with defaults for those required.
func (s *shop) create(sku, more string) catalog.Product {
	s.t.Helper()
	a := s.do("catalog", http.MethodPost, "/v1/products", `{"sku":"`+sku+`","name":"Product `+sku+`","category":"tea","price":{"amount_minor":100,"currency":"EUR"}`+more+`}`)
	if a.Status != http.StatusCreated {
		s.t.Fatalf("create %s: %d %s", sku, a.Status, a.Body)
	}
	return decode[catalog.Product](a)
}

// in returns the same shop, reporting to a sub-test.
func (s *shop) in(t *testing.T) *shop {
	t.Helper()
	return &shop{t: t, store: s.store, mux: s.mux}
}
