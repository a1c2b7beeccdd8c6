package pricing_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/pricing"
	"github.com/tienda-dev/tienda/functions/pricing/pricingtest"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/problem"
)

// shelf is the products of a test, by SKU.
type shelf map[string]pricing.Product

// Products implements pricing.Products.
func (s shelf) Products(ctx context.Context, skus []string) (map[string]pricing.Product, error) {
	found := map[string]pricing.Product{}
	for _, sku := range skus {
		if p, ok := s[sku]; ok {
			found[sku] = p
		}
	}
	return found, ctx.Err()
}

func product(sku string, amount int64, currency string) pricing.Product {
	return pricing.Product{
		ID: pricingtest.NewID(), SKU: sku, Name: "Product " + sku, Price: money.Money{AmountMinor: amount, Currency: currency},
		Version: 1, ForSale: true,
	}
}

// testShelf has something of everything.
func testShelf() shelf {
	s := shelf{}
	for _, p := range []pricing.Product{
		product("TEA", 1000, "EUR"), product("CUP", 333, "EUR"), product("PEN", 1, "EUR"), product("FREE", 0, "EUR"),
		product("YEN", 500, "JPY"), product("DINAR", 1500, "KWD"), product("GOLD", money.MaxAmount, "EUR"), product("HALF", money.MaxAmount/2+1, "EUR"),
	} {
		s[p.SKU] = p
	}
	book := product("BOOK", 2000, "EUR")
	book.TaxClass = "books"
	draft := product("DRAFT", 100, "EUR")
	draft.ForSale = false
	s["BOOK"], s["DRAFT"] = book, draft
	return s
}

// rules has 21 % of tax in ES and 4 % on books, 19 % in DE, and shipping to ES and everywhere in EUR and to JP in JPY.
func rules() pricing.Rules {
	yen := func(n int64) money.Money { return money.Money{AmountMinor: n, Currency: "JPY"} }
	r := pricingtest.NewRules()
	r.Tax = append(r.Tax, pricing.TaxRate{Country: "DE", Class: "standard", Percent: "19"}, pricing.TaxRate{Country: "FR", Class: "books", Percent: "5.5"})
	r.Shipping = append(r.Shipping, pricing.ShippingRate{
		Countries: []string{"JP"}, Bands: []pricing.Band{{From: yen(0), Price: yen(700)}},
	})
	return r
}

// now is the time of all prices.
func now() time.Time { return pricingtest.Time(100).Time }

// newService returns a service on a store that has the rules and the discounts.
func newService(t *testing.T, discounts ...pricing.Discount) (*pricing.Service, *pricingtest.Memory) {
	t.Helper()
	store := pricingtest.NewMemory()
	if err := store.PutRules(t.Context(), 0, rules()); err != nil {
		t.Fatal(err)
	}
	for _, d := range discounts {
		if err := store.CreateDiscount(t.Context(), d, idempotency.Record{}); err != nil {
			t.Fatal(err)
		}
	}
	return pricing.NewService(store, testShelf(), now), store
}

// codes are discounts that the tests use.
func codes() []pricing.Discount {
	five, fiveYen, minimum, huge := pricingtest.EUR(500), money.Money{AmountMinor: 500, Currency: "JPY"}, pricingtest.EUR(2000), pricingtest.EUR(money.MaxAmount)
	before, after := pricingtest.Time(100), pricingtest.Time(101)
	change := func(code string, f func(*pricing.Discount)) pricing.Discount { return pricingtest.NewDiscount(code, f) }
	return []pricing.Discount{
		pricingtest.NewDiscount("TEN"),
		change("HALF", func(d *pricing.Discount) { d.Percent = "50" }),
		change("ALL", func(d *pricing.Discount) { d.Percent = "100" }),
		change("ODD", func(d *pricing.Discount) { d.Percent = "33.3333" }),
		change("FIVE", func(d *pricing.Discount) { d.Percent, d.Amount = "", &five }),
		change("HUGE", func(d *pricing.Discount) { d.Percent, d.Amount = "", &huge }),
		change("YEN-500", func(d *pricing.Discount) { d.Percent, d.Amount = "", &fiveYen }),
		change("MINIMUM", func(d *pricing.Discount) { d.Minimum = &minimum }),
		change("ENDED", func(d *pricing.Discount) { d.EndsAt = &before }),
		change("FUTURE", func(d *pricing.Discount) { d.StartsAt = &after }),
		change("STARTED", func(d *pricing.Discount) { d.StartsAt, d.EndsAt = &before, &after }),
		change("SPENT", func(d *pricing.Discount) { d.MaxUses, d.Uses = 3, 3 }),
		change("ONE-EACH", func(d *pricing.Discount) { d.MaxUsesPerCustomer = 1 }),
	}
}

func request(country string, codes []string, lines ...pricing.Item) pricing.Request {
	return pricing.Request{Customer: "customer-1", Lines: lines, Codes: codes, ShipTo: pricingtest.Address(country)}
}

func item(sku string, quantity int64) pricing.Item { return pricing.Item{SKU: sku, Quantity: quantity} }

func TestPrices(t *testing.T) {
	t.Parallel()
	type sums struct {
		Subtotal, Discount, Shipping, Tax, Total int64
		LineDiscounts, LineTaxes                 []int64
	}
	for name, tc := range map[string]struct {
		request pricing.Request
		want    sums
	}{
		"TaxByClass": {
			request("ES", nil, item("TEA", 1), item("BOOK", 1)),
			sums{3000, 0, 490, 290, 3780, []int64{0, 0}, []int64{210, 80}},
		},
		"ClassWithoutRateHasTheStandardOne": {
			request("DE", nil, item("BOOK", 1)), sums{2000, 0, 1900, 380, 4280, []int64{0}, []int64{380}},
		},
		"CountryWithoutStandardRate": {
			request("FR", nil, item("TEA", 1), item("BOOK", 1)), sums{3000, 0, 1900, 110, 5010, []int64{0, 0}, []int64{0, 110}},
		},
		"CountryWithoutTax": {request("US", nil, item("TEA", 2)), sums{2000, 0, 1900, 0, 3900, []int64{0}, []int64{0}}},
		"LastCentBelowABand": {
			request("ES", nil, item("TEA", 4), item("CUP", 3)), sums{4999, 0, 490, 1050, 6539, []int64{0, 0}, []int64{840, 210}},
		},
		"FirstCentOfABand": {
			request("ES", nil, item("TEA", 5)), sums{5000, 0, 0, 1050, 6050, []int64{0}, []int64{1050}},
		},
		"BandOfWhatDiscountsLeave": {
			request("ES", []string{"TEN"}, item("TEA", 5)), sums{5000, 500, 490, 945, 5935, []int64{500}, []int64{945}},
		},
		"HalfCentToEvenDown": { // 333 * 50 % = 166.5 -> 166; 166 * 21 % = 34.86 -> 35
			request("ES", []string{"HALF"}, item("CUP", 1)), sums{333, 167, 490, 35, 691, []int64{167}, []int64{35}},
		},
		"HalfCentToEvenUp": { // 999 * 50 % = 499.5 -> 500
			request("ES", []string{"HALF"}, item("CUP", 3)), sums{999, 499, 490, 105, 1095, []int64{499}, []int64{105}},
		},
		"PercentagesAreAddedUp": { // 1000 * (1 - 0.433333) = 566.667
			request("US", []string{"ten", "Odd"}, item("TEA", 1)), sums{1000, 433, 1900, 0, 2467, []int64{433}, []int64{0}},
		},
		"AmountAfterPercentage": {
			request("US", []string{"FIVE", "TEN"}, item("TEA", 1)), sums{1000, 600, 1900, 0, 2300, []int64{600}, []int64{0}},
		},
		"AmountByLargestRemainder": { // 500 of 1333: 375.09 and 124.906
			request("US", []string{"FIVE"}, item("TEA", 1), item("CUP", 1)), sums{1333, 500, 1900, 0, 2733, []int64{375, 125}, []int64{0, 0}},
		},
		"EqualRemaindersFirstLineFirst": { // 500 of 999 pens and 999 cents: 250 each; of 3 equal lines: 166.67
			request("US", []string{"FIVE"}, item("TEA", 2), item("BOOK", 1), item("PEN", 2000)),
			sums{6000, 500, 1900, 0, 7400, []int64{167, 167, 166}, []int64{0, 0, 0}},
		},
		"AmountAboveTheValue":  {request("US", []string{"FIVE"}, item("CUP", 1)), sums{333, 333, 1900, 0, 1900, []int64{333}, []int64{0}}},
		"LargestAmounts":       {request("US", []string{"HUGE", "FIVE"}, item("CUP", 1)), sums{333, 333, 1900, 0, 1900, []int64{333}, []int64{0}}},
		"AllAndMore":           {request("US", []string{"ALL", "TEN", "FIVE"}, item("CUP", 1)), sums{333, 333, 1900, 0, 1900, []int64{333}, []int64{0}}},
		"NothingToDivide":      {request("US", []string{"FIVE"}, item("FREE", 3)), sums{0, 0, 1900, 0, 1900, []int64{0}, []int64{0}}},
		"MinimumReached":       {request("US", []string{"MINIMUM"}, item("TEA", 2)), sums{2000, 200, 1900, 0, 3700, []int64{200}, []int64{0}}},
		"FirstMomentOfACode":   {request("US", []string{"STARTED"}, item("TEA", 1)), sums{1000, 100, 1900, 0, 2800, []int64{100}, []int64{0}}},
		"YenHasNoCents":        {request("JP", []string{"YEN-500"}, item("YEN", 3)), sums{1500, 500, 700, 0, 1700, []int64{500}, []int64{0}}},
		"LargestQuantity":      {request("US", nil, item("TEA", 10_000)), sums{10_000_000, 0, 1900, 0, 10_001_900, []int64{0}, []int64{0}}},
		"TinyTaxesRoundAlone":  {request("ES", nil, item("PEN", 1), item("FREE", 1)), sums{1, 0, 490, 0, 491, []int64{0, 0}, []int64{0, 0}}},
		"LargestTotalThatFits": {request("US", []string{"HALF"}, item("GOLD", 1)), sums{money.MaxAmount, money.MaxAmount / 2, 1900, 0, money.MaxAmount/2 + 1 + 1900, []int64{money.MaxAmount / 2}, []int64{0}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service, _ := newService(t, codes()...)
			q, err := service.Price(t.Context(), tc.request)
			if err != nil {
				t.Fatal(err)
			}
			got := sums{
				Subtotal: q.Subtotal.AmountMinor, Discount: q.Discount.AmountMinor, Shipping: q.Shipping.AmountMinor,
				Tax: q.Tax.AmountMinor, Total: q.Total.AmountMinor,
			}
			for _, line := range q.Lines {
				got.LineDiscounts = append(got.LineDiscounts, line.Discount.AmountMinor)
				got.LineTaxes = append(got.LineTaxes, line.Tax.AmountMinor)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("sums (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNoRulesNoTaxNoShipping(t *testing.T) {
	t.Parallel()
	service := pricing.NewService(pricingtest.NewMemory(), testShelf(), now)
	for _, req := range []pricing.Request{request("ES", nil, item("TEA", 2)), request("JP", nil, item("DINAR", 1))} {
		q, err := service.Price(t.Context(), req)
		if err != nil || q.Total != q.Subtotal || q.Shipping.AmountMinor != 0 || q.Shipping.Currency != q.Total.Currency {
			t.Errorf("%+v, %v", q, err)
		}
	}
}

func TestRefusedRequests(t *testing.T) {
	t.Parallel()
	many := make([]pricing.Item, 41)
	for i := range many {
		many[i] = item("TEA-"+string(rune('A'+i%26))+string(rune('A'+i/26)), 1)
	}
	for name, tc := range map[string]struct {
		request  pricing.Request
		code     string
		pointers []string
	}{
		"NoLines":           {request("ES", nil), "validation_failed", []string{"/lines"}},
		"TooManyLines":      {request("ES", nil, many...), "validation_failed", []string{"/lines"}},
		"NoSKU":             {request("ES", nil, item("", 1)), "validation_failed", []string{"/lines/0/sku"}},
		"MalformedSKU":      {request("ES", nil, item("a#b", 1)), "validation_failed", []string{"/lines/0/sku"}},
		"UnknownSKU":        {request("ES", nil, item("TEA", 1), item("NONE", 1)), "validation_failed", []string{"/lines/1/sku"}},
		"SKUInOtherCase":    {request("ES", nil, item("tea", 1)), "validation_failed", []string{"/lines/0/sku"}},
		"NotForSale":        {request("ES", nil, item("DRAFT", 1)), "validation_failed", []string{"/lines/0/sku"}},
		"OneSKUTwice":       {request("ES", nil, item("TEA", 1), item("TEA", 2)), "validation_failed", []string{"/lines/1/sku"}},
		"MixedCurrencies":   {request("ES", nil, item("TEA", 1), item("YEN", 1)), "validation_failed", []string{"/lines/1/sku"}},
		"ZeroQuantity":      {request("ES", nil, item("TEA", 0)), "validation_failed", []string{"/lines/0/quantity"}},
		"NegativeQuantity":  {request("ES", nil, item("TEA", -1)), "validation_failed", []string{"/lines/0/quantity"}},
		"HugeQuantity":      {request("ES", nil, item("TEA", 10_001)), "validation_failed", []string{"/lines/0/quantity"}},
		"LineTooLarge":      {request("ES", nil, item("GOLD", 2)), "validation_failed", []string{"/lines/0/quantity"}},
		"SubtotalTooLarge":  {request("ES", nil, item("GOLD", 1), item("TEA", 1)), "validation_failed", []string{"/lines/1/quantity"}},
		"TaxTooLarge":       {request("ES", nil, item("GOLD", 1)), "validation_failed", []string{"/lines"}},
		"ShippingTooLarge":  {request("US", nil, item("GOLD", 1)), "validation_failed", []string{"/lines"}},
		"NoAddress":         {pricing.Request{Customer: "c", Lines: []pricing.Item{item("TEA", 1)}}, "validation_failed", []string{"/ship_to/name", "/ship_to/line1", "/ship_to/city", "/ship_to/country"}},
		"MalformedCountry":  {request("es", nil, item("TEA", 1)), "validation_failed", []string{"/ship_to/country"}},
		"NoDelivery":        {request("ES", nil, item("YEN", 1)), "validation_failed", []string{"/ship_to/country"}},
		"TooManyCodes":      {request("ES", []string{"A", "B", "C", "D"}, item("TEA", 1)), "validation_failed", []string{"/discount_codes"}},
		"OneCodeTwice":      {request("ES", []string{"ten", "TEN"}, item("TEA", 1)), "validation_failed", []string{"/discount_codes/1"}},
		"UnknownCode":       {request("ES", []string{"TEN", "NOPE"}, item("TEA", 1)), "code_invalid", []string{"/discount_codes/1"}},
		"MalformedCode":     {request("ES", []string{"a#b"}, item("TEA", 1)), "code_invalid", []string{"/discount_codes/0"}},
		"NotOnlyASCII":      {request("ES", []string{"minimuſ"}, item("TEA", 1)), "code_invalid", []string{"/discount_codes/0"}},
		"UpperCaseIsASCII":  {request("ES", []string{"ſPENT"}, item("TEA", 1)), "code_invalid", []string{"/discount_codes/0"}},
		"EmptyCode":         {request("ES", []string{""}, item("TEA", 1)), "code_invalid", []string{"/discount_codes/0"}},
		"ExpiredCode":       {request("ES", []string{"ENDED"}, item("TEA", 1)), "code_invalid", []string{"/discount_codes/0"}},
		"CodeOfTheFuture":   {request("ES", []string{"FUTURE"}, item("TEA", 1)), "code_invalid", []string{"/discount_codes/0"}},
		"OtherCurrency":     {request("ES", []string{"YEN-500"}, item("TEA", 1)), "code_invalid", []string{"/discount_codes/0"}},
		"MinimumNotReached": {request("ES", []string{"MINIMUM"}, item("TEA", 1)), "code_invalid", []string{"/discount_codes/0"}},
		"SpentCode":         {request("ES", []string{"SPENT"}, item("TEA", 1)), "code_used_up", []string{"/discount_codes/0"}},
		"CodeOfTheCustomer": {request("ES", []string{"ONE-EACH"}, item("TEA", 1)), "code_used_up", []string{"/discount_codes/0"}},
		"TwoReasons":        {request("ES", []string{"SPENT", "ENDED"}, item("TEA", 1)), "code_invalid", []string{"/discount_codes/0", "/discount_codes/1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service, store := newService(t, codes()...)
			if err := store.UseCode(t.Context(), "ONE-EACH", "customer-1", now()); err != nil {
				t.Fatal(err)
			}
			_, err := service.Price(t.Context(), tc.request)
			fault, ok := problem.As(err)
			if !ok || fault.Kind != problem.Invalid || fault.Code != tc.code {
				t.Fatalf("got %v, want 422 %s", err, tc.code)
			}
			var pointers []string
			for _, e := range fault.Errors {
				pointers = append(pointers, e.Pointer)
			}
			if diff := cmp.Diff(tc.pointers, pointers); diff != "" {
				t.Errorf("%v names (-want +got):\n%s", fault.Errors, diff)
			}
		})
	}
}

func wantErr(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
