package seed_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/local/seed"
)

// shop is the part of the API that seeding uses.
type shop struct {
	mu       sync.Mutex
	products map[string]map[string]any // by SKU
	stock    map[string]int            // by product id
	seen     map[string]bool           // idempotency keys
	busy     int                       // answers of 503 to give first
}

func newShop(t *testing.T) (*shop, string) {
	t.Helper()
	s := &shop{products: map[string]map[string]any{}, stock: map[string]int{}, seen: map[string]bool{}}
	mux := http.NewServeMux()
	handlers := map[string]http.HandlerFunc{
		"POST /v1/products": s.create, "GET /v1/staff/products": s.list,
		"POST /v1/products/{id}/inventory/adjustments": s.adjust,
	}
	for _, route := range seed.Routes() { // no others answer
		mux.HandleFunc(route, handlers[route])
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.busy > 0 {
			s.busy--
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if r.Header.Get("Authorization") != "Bearer good" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return s, server.URL
}

func (s *shop) create(w http.ResponseWriter, r *http.Request) {
	var p map[string]any
	if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	sku := p["sku"].(string)
	if s.products[sku] != nil {
		w.WriteHeader(http.StatusConflict)
		_, _ = io.WriteString(w, `{"code":"sku_exists"}`)
		return
	}
	p["id"] = "id-" + sku
	s.products[sku] = p
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(p)
}

// list answers one product per page.
func (s *shop) list(w http.ResponseWriter, r *http.Request) {
	var match []map[string]any
	for _, p := range s.products {
		if p["category"] == r.FormValue("category") && p["status"] == r.FormValue("status") {
			match = append(match, p)
		}
	}
	// Maps have no order; every page names the product that comes next by SKU.
	smallest := ""
	seen := r.FormValue("cursor")
	for _, p := range match {
		if sku := p["sku"].(string); sku > seen && (smallest == "" || sku < smallest) {
			smallest = sku
		}
	}
	page := map[string]any{"data": []any{}, "has_more": false}
	if smallest != "" {
		page = map[string]any{"data": []any{s.products[smallest]}, "has_more": true, "next_cursor": smallest}
	}
	_ = json.NewEncoder(w).Encode(page)
}

func (s *shop) adjust(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Delta int `json:"delta"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if key := r.Header.Get("Idempotency-Key"); s.seen[key] {
		w.Header().Set("Idempotent-Replayed", "true")
	} else {
		s.seen[key] = true
		s.stock[r.PathValue("id")] += in.Delta
	}
	w.WriteHeader(http.StatusCreated)
}

func TestLoad(t *testing.T) {
	t.Parallel()
	s, url := newShop(t)

	first, err := seed.Load(t.Context(), seed.Config{URL: url, Token: "good"})
	if err != nil {
		t.Fatal(err)
	}
	if first.Created != 12 || first.Existing != 0 || first.Pieces == 0 {
		t.Errorf("got %+v", first)
	}
	categories := map[any]bool{}
	for _, p := range s.products {
		categories[p["category"]] = true
	}
	if len(categories) != 4 {
		t.Errorf("got the categories %v, want 4", categories)
	}
	stock := maps.Clone(s.stock)

	again, err := seed.Load(t.Context(), seed.Config{URL: url + "/", Token: "good"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(seed.Result{Existing: 12}, again); diff != "" {
		t.Errorf("loading twice: %s", diff)
	}
	if diff := cmp.Diff(stock, s.stock); diff != "" {
		t.Errorf("loading twice changed the stock: %s", diff)
	}
}

func TestLoadWaitsForABusyAPI(t *testing.T) {
	t.Parallel()
	s, url := newShop(t)
	s.busy = 2
	var done int
	cfg := seed.Config{URL: url, Token: "good", Loaded: func(n, total int) {
		if done++; n != done || total != 12 {
			t.Errorf("%d of %d are loaded, want %d of 12", n, total, done)
		}
	}}
	if got, err := seed.Load(t.Context(), cfg); err != nil || got.Created != 12 || done != 12 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestLoadFails(t *testing.T) {
	t.Parallel()
	_, url := newShop(t)
	tests := map[string]struct {
		cfg  seed.Config
		want string
	}{
		"WrongToken": {seed.Config{URL: url, Token: "bad"}, "POST /v1/products answered 401"},
		"NoToken":    {seed.Config{URL: url}, "a URL and a token are required"},
		"Nobody":     {seed.Config{URL: "http://127.0.0.1:1", Token: "good"}, "no API runs at http://127.0.0.1:1: start one with `make run`"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := seed.Load(t.Context(), tt.cfg); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
