package pricing_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/pricing"
	"github.com/tienda-dev/tienda/functions/pricing/pricingtest"
	"github.com/tienda-dev/tienda/internal/apitest"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/middleware"
	"github.com/tienda-dev/tienda/shared/page"
)

// shop serves every route of the prices on a store in memory.
type shop struct {
	t     *testing.T
	store *pricingtest.Memory
	clock *time.Time
	api   *apitest.API
}

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
	store, clock := pricingtest.NewMemory(), now()
	service := pricing.NewService(store, testShelf(), func() time.Time { return clock })
	return &shop{t: t, store: store, clock: &clock, api: apitest.New(t, pricing.Routes(), map[string]api.Handler{
		"create-quote":      pricing.CreateQuote(service),
		"get-quote":         pricing.GetQuote(service),
		"get-pricing-rules": pricing.GetPricingRules(store),
		"put-pricing-rules": pricing.PutPricingRules(service),
		"create-discount":   pricing.CreateDiscount(service),
		"list-discounts":    pricing.ListDiscounts(store, fixed{sealer}),
		"get-discount":      pricing.GetDiscount(store),
		"update-discount":   pricing.UpdateDiscount(service),
		"delete-discount":   pricing.DeleteDiscount(service),
	}, func(api.Route) middleware.Config {
		return middleware.Config{
			Authenticator: middleware.GatewayAuthenticator(time.Now),
			Idempotency:   idempotency.Middleware(store.Keys(), func() time.Time { return clock }),
		}
	})}
}

// do sends a request as the user with the role of that name. header has names and values in turn.
func (s *shop) do(role, method, target, body string, header ...string) apitest.Answer {
	s.t.Helper()
	options := []apitest.Option{apitest.As("user-of-"+role, role)}
	for i := 0; i+1 < len(header); i += 2 {
		options = append(options, apitest.Header(header[i], header[i+1]))
	}
	return s.api.Do(method, target, body, options...)
}

// create sends a request for a discount with a new key.
func (s *shop) create(body string) apitest.Answer {
	s.t.Helper()
	return s.do("catalog", http.MethodPost, "/v1/discounts", body, "Idempotency-Key", rand.Text())
}

func (s *shop) patch(code, version, body string) apitest.Answer {
	s.t.Helper()
	return s.do("catalog", http.MethodPatch, "/v1/discounts/"+code, body, "Content-Type", "application/merge-patch+json", "If-Match", version)
}

const (
	address   = `"ship_to":{"name":"María López","line1":"Calle Mayor 1","city":"Madrid","country":"ES"}`
	oneTea    = `{"lines":[{"sku":"TEA","quantity":1}],` + address + `}`
	teaByCode = `{"lines":[{"sku":"TEA","quantity":1}],"discount_codes":["ten"],` + address + `}`
)

func TestQuoteIsForItsCustomerAndFifteenMinutes(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.create(`{"code":"ten","percent":"10"}`).Want(http.StatusCreated)
	created := s.do("customer", http.MethodPost, "/v1/quotes", teaByCode).Want(http.StatusCreated)
	q := apitest.Decode[pricing.Quote](created)
	if got, want := created.Header.Get("Location"), "quotes/"+q.ID; got != want {
		t.Errorf("Location %q, want %q", got, want)
	}
	if q.Total != pricingtest.EUR(900) || !q.ExpiresAt.Equal(now().Add(15*time.Minute)) || !cmp.Equal(q.Codes, []string{"TEN"}) {
		t.Errorf("quote %+v", q)
	}

	path := "/v1/quotes/" + q.ID
	for role, status := range map[string]int{
		"customer": http.StatusOK, "support": http.StatusOK, "fulfilment": http.StatusOK, "admin": http.StatusOK,
		"catalog": http.StatusNotFound, "service": http.StatusNotFound,
	} {
		if got := s.do(role, http.MethodGet, path, ""); got.Status != status || status == http.StatusOK && got.Body != created.Body {
			t.Errorf("%s: got %d %s, want %d", role, got.Status, got.Body, status)
		}
	}
	s.do("customer", http.MethodGet, "/v1/quotes/"+strings.ToLower(q.ID), "").Want(http.StatusOK)
	for _, id := range []string{"x", pricingtest.NewID()} {
		s.do("customer", http.MethodGet, "/v1/quotes/"+id, "").WantProblem(http.StatusNotFound, "quote_not_found")
	}

	*s.clock = q.ExpiresAt.Add(-time.Millisecond).Time
	s.do("customer", http.MethodGet, path, "").Want(http.StatusOK)
	*s.clock = q.ExpiresAt.Time
	s.do("customer", http.MethodGet, path, "").WantProblem(http.StatusGone, "quote_expired")
	s.do("support", http.MethodGet, path, "").WantProblem(http.StatusGone, "quote_expired")
	s.do("catalog", http.MethodGet, path, "").WantProblem(http.StatusNotFound, "quote_not_found")
}

func TestRefusedQuotesAreNotStored(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	for body, pointers := range map[string][]string{
		`{` + address + `}`:                                                             {"/lines"},
		`{"lines":[{"sku":"TEA"}],` + address + `}`:                                     {"/lines/0/quantity"},
		`{"lines":[{"sku":"TEA","quantity":1.5}],` + address + `}`:                      {"/lines/0/quantity"},
		`{"lines":[{"sku":"TEA","quantity":"1"}],` + address + `}`:                      {"/lines/0/quantity"},
		`{"lines":[{"sku":"TEA","quantity":9007199254740993}],` + address + `}`:         {"/lines/0/quantity"},
		`{"lines":[{"sku":"TEA","quantity":1,"price":1}],` + address + `}`:              {"/lines/0/price"},
		`{"lines":[{"sku":"NONE","quantity":1}],` + address + `}`:                       {"/lines/0/sku"},
		`{"lines":[{"sku":"TEA","quantity":1}]}`:                                        {"/ship_to/name", "/ship_to/line1", "/ship_to/city", "/ship_to/country"},
		`{"lines":[{"sku":"TEA","quantity":1}],"discount_codes":"TEN",` + address + `}`: {"/discount_codes"},
	} {
		s.do("customer", http.MethodPost, "/v1/quotes", body).WantProblem(http.StatusUnprocessableEntity, "validation_failed", pointers...)
	}
	s.do("customer", http.MethodPost, "/v1/quotes", teaByCode).WantProblem(http.StatusUnprocessableEntity, "code_invalid", "/discount_codes/0")
}

func TestStoredQuoteCanBeOrderedOnce(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	q := apitest.Decode[pricing.Quote](s.do("customer", http.MethodPost, "/v1/quotes", oneTea).Want(http.StatusCreated))
	service := pricing.NewService(s.store, nil, func() time.Time { return *s.clock })
	stored := func(customer string) error {
		_, err := service.Stored(t.Context(), q.ID, customer)
		return err
	}
	wantErr(t, stored("user-of-customer"), nil)
	wantErr(t, stored("user-of-admin"), pricing.ErrQuoteNotFound)
	wantErr(t, stored(""), pricing.ErrQuoteNotFound)
	wantErr(t, s.store.ConsumeQuote(t.Context(), q.ID, "user-of-customer", "order-1", now()), nil)
	wantErr(t, stored("user-of-customer"), pricing.ErrQuoteUsed)
	*s.clock = q.ExpiresAt.Time
	wantErr(t, stored("user-of-customer"), pricing.ErrQuoteExpired)
}

func TestRulesHaveVersions(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	put := func(version, body string) apitest.Answer {
		t.Helper()
		return s.do("admin", http.MethodPut, "/v1/pricing/rules", body, "If-Match", version)
	}
	none := s.do("admin", http.MethodGet, "/v1/pricing/rules", "").Want(http.StatusOK)
	if none.Body != `{"tax":[],"shipping":[],"version":0}`+"\n" || none.Header.Get("ETag") != `"0"` {
		t.Errorf("no rules: %s %s", none.Header.Get("ETag"), none.Body)
	}
	const rules = `{"tax":[{"country":"ES","class":"standard","percent":"21"}],` +
		`"shipping":[{"bands":[{"from":{"amount_minor":0,"currency":"EUR"},"price":{"amount_minor":490,"currency":"EUR"}}]}]}`
	put(`"1"`, rules).WantProblem(http.StatusPreconditionFailed, "precondition_failed")
	s.do("admin", http.MethodPut, "/v1/pricing/rules", rules).WantProblem(http.StatusPreconditionRequired, "precondition_required")
	first := put(`"0"`, rules).Want(http.StatusOK)
	if got := first.Header.Get("ETag"); got != `"1"` || !strings.Contains(first.Body, `"countries":[]`) {
		t.Errorf("ETag %s of %s", got, first.Body)
	}
	if again := put(`"1"`, rules).Want(http.StatusOK); again.Body != first.Body {
		t.Errorf("the same rules again: %s, want %s", again.Body, first.Body)
	}
	put(`"0"`, rules).WantProblem(http.StatusPreconditionFailed, "precondition_failed")
	q := apitest.Decode[pricing.Quote](s.do("customer", http.MethodPost, "/v1/quotes", oneTea).Want(http.StatusCreated))
	if q.Total != pricingtest.EUR(1700) {
		t.Errorf("total %+v with the new rules, want 1000 + 210 + 490", q.Total)
	}
	if got := apitest.Decode[pricing.Rules](put("*", `{"tax":[],"shipping":[]}`).Want(http.StatusOK)); got.Version != 2 {
		t.Errorf("version %d, want 2", got.Version)
	}
}

func TestRefusedRules(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	eur := func(n string) string { return `{"amount_minor":` + n + `,"currency":"EUR"}` }
	band := func(from, price string) string { return `{"from":` + eur(from) + `,"price":` + eur(price) + `}` }
	shipping := func(rates string) string { return `{"tax":[],"shipping":[` + rates + `]}` }
	rate := func(countries, bands string) string {
		return `{"countries":[` + countries + `],"bands":[` + bands + `]}`
	}
	free := band("0", "0")
	const tax = `{"country":"ES","class":"standard","percent":"21"}`
	for body, pointers := range map[string][]string{
		`{}`:                         {"/tax", "/shipping"},
		`{"tax":null,"shipping":[]}`: {"/tax"},
		`{"tax":[{}],"shipping":[]}`: {"/tax/0/country", "/tax/0/class", "/tax/0/percent"},
		`{"tax":[` + tax + `,` + tax + `],"shipping":[]}`:                                 {"/tax/1"},
		`{"tax":[{"country":"UK","class":"a b","percent":"-1"}],"shipping":[]}`:           {"/tax/0/country", "/tax/0/class", "/tax/0/percent"},
		`{"tax":[{"country":"ES","class":"standard","percent":"1.00001"}],"shipping":[]}`: {"/tax/0/percent"},
		`{"tax":[` + strings.Repeat(tax+",", 1000) + tax + `],"shipping":[]}`:             {"/tax"},
		shipping(strings.Repeat(rate("", free)+",", 50) + rate("", free)):                 {"/shipping"},
		shipping(rate("", "")):                                {"/shipping/0/bands"},
		shipping(rate("", strings.Repeat(free+",", 20)+free)): {"/shipping/0/bands"},
		shipping(rate("", band("1", "0"))):                    {"/shipping/0/bands/0/from/amount_minor"},
		shipping(rate("", free+","+free)):                     {"/shipping/0/bands/1/from/amount_minor"},
		shipping(rate("", band("0", "-1"))):                   {"/shipping/0/bands/0/price/amount_minor"},
		shipping(rate("", `{"from":`+eur("0")+`,"price":{"amount_minor":0,"currency":"JPY"}}`)): {"/shipping/0/bands/0/price/currency"},
		shipping(rate(`"ES","ES"`, free)):                            {"/shipping/0/countries/1"},
		shipping(rate(`"ES"`, free) + "," + rate(`"PT","ES"`, free)): {"/shipping/1/countries/1"},
		shipping(rate(`"es"`, free)):                                 {"/shipping/0/countries/0"},
		shipping(rate("", free) + "," + rate("", free)):              {"/shipping/1/countries"},
	} {
		s.do("admin", http.MethodPut, "/v1/pricing/rules", body, "If-Match", `"0"`).
			WantProblem(http.StatusUnprocessableEntity, "validation_failed", pointers...)
	}
	if stored, err := s.store.Rules(t.Context()); err != nil || stored.Version != 0 {
		t.Errorf("refused rules are stored: %+v, %v", stored, err)
	}
}

func TestRolesOfRoutes(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	for _, tc := range []struct{ role, method, target string }{
		{"catalog", http.MethodGet, "/v1/pricing/rules"},
		{"support", http.MethodPut, "/v1/pricing/rules"},
		{"customer", http.MethodPost, "/v1/discounts"},
		{"admin", http.MethodGet, "/v1/discounts"},
		{"support", http.MethodGet, "/v1/discounts/ABC"},
		{"admin", http.MethodPatch, "/v1/discounts/ABC"},
		{"customer", http.MethodDelete, "/v1/discounts/ABC"},
	} {
		s.do(tc.role, tc.method, tc.target, "").WantProblem(http.StatusForbidden, "insufficient_role")
	}
}

func TestRepeatedRequestsHaveOneEffect(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	for name, tc := range map[string]struct{ role, target, body, other string }{
		"Quote":    {"customer", "/v1/quotes", oneTea, strings.Replace(oneTea, `"quantity":1`, `"quantity":2`, 1)},
		"Discount": {"catalog", "/v1/discounts", `{"code":"TWICE","percent":"10"}`, `{"code":"TWICE","percent":"20"}`},
	} {
		post := func(role, key, body string) apitest.Answer {
			t.Helper()
			return s.do(role, http.MethodPost, tc.target, body, "Idempotency-Key", key)
		}
		first := post(tc.role, "k-"+name, tc.body).Want(http.StatusCreated)
		for range 2 {
			again := post(tc.role, "k-"+name, tc.body).Want(http.StatusCreated)
			if again.Body != first.Body || again.Header.Get("Idempotent-Replayed") != "true" {
				t.Errorf("%s: again %s, want %s", name, again.Body, first.Body)
			}
			for _, header := range []string{"Location", "ETag", "Content-Type"} {
				if got, want := again.Header.Get(header), first.Header.Get(header); got != want {
					t.Errorf("%s: %s %q, want %q", name, header, got, want)
				}
			}
		}
		post(tc.role, "k-"+name, tc.other).WantProblem(http.StatusUnprocessableEntity, "idempotency_key_reused", "Idempotency-Key")
	}
	s.do("catalog", http.MethodPost, "/v1/discounts", `{"code":"NONE","percent":"10"}`).
		WantProblem(http.StatusBadRequest, "idempotency_key_required", "Idempotency-Key")
	s.create(`{"code":"TWICE","percent":"10"}`).WantProblem(http.StatusConflict, "code_exists", "/code")

	one := apitest.Decode[pricing.Quote](s.do("customer", http.MethodPost, "/v1/quotes", oneTea).Want(http.StatusCreated))
	two := apitest.Decode[pricing.Quote](s.do("customer", http.MethodPost, "/v1/quotes", oneTea).Want(http.StatusCreated))
	if one.ID == two.ID {
		t.Error("two requests without a key make one quote")
	}
}
