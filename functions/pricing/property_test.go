package pricing_test

import (
	"fmt"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/tienda-dev/tienda/functions/pricing"
	"github.com/tienda-dev/tienda/functions/pricing/pricingtest"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/money"
)

// drawPercent returns a percentage from 0 to 100 with up to four digits after the point.
func drawPercent(t *rapid.T, name string) pricing.Percent {
	n := rapid.OneOf(rapid.IntRange(0, 1_000_000), rapid.SampledFrom([]int{0, 1, 500_000, 210_000, 88_750, 999_999, 1_000_000})).Draw(t, name)
	return pricing.Percent(fmt.Sprintf("%d.%04d", n/10_000, n%10_000))
}

// drawCase returns a shop in one currency and a request that it accepts.
func drawCase(t *rapid.T) (*pricing.Service, pricing.Request) {
	// Digits of the minor unit: 0, 2, 3, 2 and 0.
	currency := rapid.SampledFrom([]string{"JPY", "EUR", "KWD", "USD", "CLP"}).Draw(t, "currency")
	amount := func(n int64) money.Money { return money.Money{AmountMinor: n, Currency: currency} }
	prices := rapid.OneOf(rapid.Int64Range(0, 30), rapid.Int64Range(0, 100_000), rapid.Int64Range(0, 10_000_000_000))

	products, lines := shelf{}, []pricing.Item{}
	for i := range rapid.IntRange(1, pricing.MaxLines).Draw(t, "lines") {
		p := product(fmt.Sprint("SKU-", i), prices.Draw(t, "price"), currency)
		p.TaxClass = rapid.SampledFrom([]string{"", "standard", "books", "other"}).Draw(t, "class")
		products[p.SKU] = p
		lines = append(lines, item(p.SKU, rapid.Int64Range(1, pricing.MaxQuantity).Draw(t, "quantity")))
	}
	store := pricingtest.NewMemory()
	var codes []string
	for i := range rapid.IntRange(0, pricing.MaxCodes).Draw(t, "codes") {
		d := pricingtest.NewDiscount(fmt.Sprint("CODE-", i))
		if d.Percent = drawPercent(t, "percent"); rapid.Bool().Draw(t, "amount") {
			value := amount(rapid.OneOf(rapid.Int64Range(1, 1000), rapid.Int64Range(1, money.MaxAmount)).Draw(t, "value"))
			d.Percent, d.Amount = "", &value
		}
		if err := store.CreateDiscount(t.Context(), d, idempotency.Record{}); err != nil {
			t.Fatal(err)
		}
		codes = append(codes, d.Code)
	}
	at := pricingtest.Time(0)
	if err := store.PutRules(t.Context(), 0, pricing.Rules{
		Tax: []pricing.TaxRate{
			{Country: "ES", Class: "standard", Percent: drawPercent(t, "standard")}, {Country: "ES", Class: "books", Percent: drawPercent(t, "books")},
		},
		Shipping: []pricing.ShippingRate{{Bands: []pricing.Band{
			{From: amount(0), Price: amount(prices.Draw(t, "shipping"))}, {From: amount(5000), Price: amount(prices.Draw(t, "shipping"))},
		}}},
		Version: 1, UpdatedAt: &at,
	}); err != nil {
		t.Fatal(err)
	}
	return pricing.NewService(store, products, now), request("ES", codes, lines...)
}

// The sums of a quote are exact for every input, no part is negative, and no line is rounded by more than half a minor
// unit.
func TestSumsAreExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		service, req := drawCase(t)
		q, err := service.Price(t.Context(), req)
		if err != nil {
			t.Fatalf("Price: %v", err)
		}
		var subtotal, discount, tax, totals int64
		for i, line := range q.Lines {
			value := line.UnitPrice.AmountMinor * req.Lines[i].Quantity
			if line.SKU != req.Lines[i].SKU || line.Quantity != req.Lines[i].Quantity {
				t.Fatalf("line %d is %+v, want %+v", i, line, req.Lines[i])
			}
			if line.Discount.AmountMinor < 0 || line.Discount.AmountMinor > value || line.Tax.AmountMinor < 0 {
				t.Fatalf("line %+v", line)
			}
			if want := value - line.Discount.AmountMinor + line.Tax.AmountMinor; line.Total.AmountMinor != want {
				t.Fatalf("the line's total is %d, want %d", line.Total.AmountMinor, want)
			}
			for _, m := range []money.Money{line.UnitPrice, line.Discount, line.Tax, line.Total} {
				if m.Currency != q.Total.Currency {
					t.Fatalf("two currencies: %+v", q)
				}
			}
			subtotal += value
			discount += line.Discount.AmountMinor
			tax += line.Tax.AmountMinor
			totals += line.Total.AmountMinor
		}
		got := []int64{q.Subtotal.AmountMinor, q.Discount.AmountMinor, q.Tax.AmountMinor, q.Total.AmountMinor, q.Total.AmountMinor}
		want := []int64{subtotal, discount, tax, subtotal - discount + q.Shipping.AmountMinor + tax, totals + q.Shipping.AmountMinor}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("sums %d, want %d: %+v", got, want, q)
			}
		}
	})
}

// Without amounts, each line is the nearest whole number of its exact value, and so is its tax.
func TestRoundingIsHalfToEvenOncePerLine(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		price, quantity := rapid.Int64Range(0, 1_000_000).Draw(t, "price"), rapid.Int64Range(1, 100).Draw(t, "quantity")
		off, rate := drawPercent(t, "off"), drawPercent(t, "rate")
		store := pricingtest.NewMemory()
		at := pricingtest.Time(0)
		rules := pricing.Rules{Tax: []pricing.TaxRate{{Country: "ES", Class: "standard", Percent: rate}}, Version: 1, UpdatedAt: &at}
		d := pricingtest.NewDiscount("OFF", func(d *pricing.Discount) { d.Percent = off })
		if err := store.PutRules(t.Context(), 0, rules); err != nil {
			t.Fatal(err)
		}
		if err := store.CreateDiscount(t.Context(), d, idempotency.Record{}); err != nil {
			t.Fatal(err)
		}
		service := pricing.NewService(store, shelf{"TEA": product("TEA", price, "EUR")}, now)
		q, err := service.Price(t.Context(), request("ES", []string{"OFF"}, item("TEA", quantity)))
		if err != nil {
			t.Fatal(err)
		}
		line := q.Lines[0]
		left := price*quantity - line.Discount.AmountMinor
		hundred := big.NewRat(100, 1)
		part := new(big.Rat).Quo(new(big.Rat).Sub(hundred, rational(off)), hundred)
		wantNearest(t, left, new(big.Rat).Mul(big.NewRat(price*quantity, 1), part))
		wantNearest(t, line.Tax.AmountMinor, new(big.Rat).Mul(big.NewRat(left, 1), new(big.Rat).Quo(rational(rate), hundred)))
	})
}

func rational(p pricing.Percent) *big.Rat {
	r, _ := new(big.Rat).SetString(string(p))
	return r
}

func wantNearest(t *rapid.T, got int64, exact *big.Rat) {
	distance := new(big.Rat).Sub(exact, big.NewRat(got, 1))
	switch half := new(big.Rat).Abs(distance).Cmp(big.NewRat(1, 2)); {
	case half > 0, half == 0 && got%2 != 0:
		t.Fatalf("%s is rounded to %d", exact.FloatString(6), got)
	}
}

// The parts of an amount differ from its exact shares by less than one minor unit.
func TestAmountsAreDividedInProportion(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		products, lines, sum := shelf{}, []pricing.Item{}, int64(0)
		for i := range rapid.IntRange(1, pricing.MaxLines).Draw(t, "lines") {
			p := product(fmt.Sprint("SKU-", i), rapid.Int64Range(0, 5000).Draw(t, "price"), "EUR")
			products[p.SKU] = p
			lines = append(lines, item(p.SKU, 1))
			sum += p.Price.AmountMinor
		}
		value := pricingtest.EUR(rapid.Int64Range(1, 100_000).Draw(t, "value"))
		store := pricingtest.NewMemory()
		d := pricingtest.NewDiscount("OFF", func(d *pricing.Discount) { d.Percent, d.Amount = "", &value })
		if err := store.CreateDiscount(t.Context(), d, idempotency.Record{}); err != nil {
			t.Fatal(err)
		}
		q, err := pricing.NewService(store, products, now).Price(t.Context(), request("ES", []string{"OFF"}, lines...))
		if err != nil {
			t.Fatal(err)
		}
		whole := min(value.AmountMinor, sum)
		if q.Discount.AmountMinor != whole {
			t.Fatalf("the discount is %d, want %d", q.Discount.AmountMinor, whole)
		}
		for _, line := range q.Lines {
			if sum == 0 {
				break
			}
			exact := new(big.Rat).Mul(big.NewRat(whole, 1), big.NewRat(line.UnitPrice.AmountMinor, sum))
			distance := new(big.Rat).Sub(exact, big.NewRat(line.Discount.AmountMinor, 1))
			if distance.Abs(distance).Cmp(big.NewRat(1, 1)) >= 0 {
				t.Fatalf("%s is divided as %d", exact.FloatString(6), line.Discount.AmountMinor)
			}
		}
	})
}
