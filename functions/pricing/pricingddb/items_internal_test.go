package pricingddb

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/pricing"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/money"
)

// Stored items are found by these keys only.
func TestKeysStayAsTheyAre(t *testing.T) {
	t.Parallel()
	at := api.NewTime(time.Date(2026, time.March, 1, 12, 0, 0, 7_000_000, time.UTC))
	d := newDiscountRecord(pricing.Discount{Code: "SPRING", CreatedAt: at})
	got := []string{
		quoteKey("01J").PK, quoteKey("01J").SK, rulesKey().PK, rulesKey().SK, d.PK, d.SK, d.GSI1PK, d.GSI1SK,
		useKey("SPRING", "u1").PK, useKey("SPRING", "u1").SK,
	}
	want := []string{"Q#01J", "META", "RULES", "META", "DC#SPRING", "META", "DISCOUNTS", "001772366400007#SPRING", "DC#SPRING", "C#u1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

// An item is removed a day after its quote has expired.
func TestQuotesLiveADayLonger(t *testing.T) {
	t.Parallel()
	expires := api.NewTime(time.Date(2026, time.March, 1, 12, 15, 0, 0, time.UTC))
	if got, want := newQuoteRecord(pricing.Quote{ExpiresAt: expires}).TTL, expires.Add(24*time.Hour).Unix(); got != want {
		t.Errorf("ttl %d, want %d", got, want)
	}
}

// Every change would lose a field that is missing in the conversion.
func TestRecordsCarryEveryField(t *testing.T) {
	t.Parallel()
	everyField(t, func(q pricing.Quote) pricing.Quote { return newQuoteRecord(q).quote() })
	everyField(t, func(d pricing.Discount) pricing.Discount { return newDiscountRecord(d).discount() })
	everyField(t, func(r pricing.Rules) pricing.Rules { return newRulesRecord(r).rules() })
}

// everyField sets one field after the other and compares what comes back.
func everyField[T any](t *testing.T, convert func(T) T) {
	t.Helper()
	var zero T
	for i := range reflect.TypeFor[T]().NumField() {
		value := convert(zero)
		field := reflect.ValueOf(&value).Elem().Field(i)
		field.Set(sampleOf(t, field.Interface()))
		if diff := cmp.Diff(value, convert(value)); diff != "" {
			t.Errorf("%T: field %s (-want +got):\n%s", value, reflect.TypeFor[T]().Field(i).Name, diff)
		}
	}
}

func sampleOf(t *testing.T, v any) reflect.Value {
	t.Helper()
	at := api.NewTime(ddb.FromMillis(1234))
	amount := money.Money{AmountMinor: 7, Currency: "EUR"}
	for _, sample := range []any{
		"x", int64(7), at, &at, amount, &amount,
		[]string{"x"},
		pricing.Percent("7"),
		policy.Address{Name: "a", Line1: "b", Line2: "c", City: "d", Region: "e", PostalCode: "f", Country: "g"},
		[]pricing.Line{{SKU: "a", ProductID: "b", ProductVersion: 1, Name: "c", Quantity: 2, UnitPrice: amount, Discount: amount, Tax: amount, Total: amount}},
		[]pricing.TaxRate{{Country: "a", Class: "b", Percent: "c"}},
		[]pricing.ShippingRate{{Countries: []string{"a"}, Bands: []pricing.Band{{From: amount, Price: amount}}}},
	} {
		if reflect.TypeOf(sample) == reflect.TypeOf(v) {
			return reflect.ValueOf(sample)
		}
	}
	t.Fatalf("no sample of %T", v)
	return reflect.Value{}
}
