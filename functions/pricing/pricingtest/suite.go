// Package pricingtest has a test suite for every store of quotes, rules and discounts, and a store in memory that
// passes it.
package pricingtest

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/oklog/ulid/v2"

	"github.com/tienda-dev/tienda/functions/pricing"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/money"
)

var (
	// errNotUsed: a use is returned that was not made.
	errNotUsed = errors.New("pricingtest: the discount was not used")
	// errTaken: a new quote has the id of another one.
	errTaken = errors.New("pricingtest: the quote exists")
)

// Store is a pricing.Store with what it offers to the transactions of orders, each as a transaction of its own.
type Store interface {
	pricing.Store

	// UseCode counts one use of the code. It returns a *pricing.CodeError of pricing.ErrCodeInvalid and
	// pricing.ErrCodeUsedUp.
	UseCode(ctx context.Context, code, customer string, now time.Time) error
	// UseQuotedCode counts one use of a quote's code, which may have ended or be deleted. It returns a *pricing.CodeError
	// of pricing.ErrCodeUsedUp, and of pricing.ErrCodeInvalid for a code that never was.
	UseQuotedCode(ctx context.Context, code, customer string) error
	// ReturnCode takes back one use. It returns an error if there is none.
	ReturnCode(ctx context.Context, code, customer string) error
	// ConsumeQuote uses a quote for an order. It returns pricing.ErrQuoteNotFound, pricing.ErrQuoteUsed and
	// pricing.ErrQuoteExpired.
	ConsumeQuote(ctx context.Context, quoteID, customer, orderID string, now time.Time) error
}

// Run runs the suite. newStore returns an empty store that no other test uses.
func Run(t *testing.T, newStore func(t *testing.T) Store) {
	t.Helper()
	for _, part := range []struct {
		name string
		test func(t *testing.T, newStore func(t *testing.T) Store)
	}{
		{"Quotes", testQuotes},
		{"Rules", testRules},
		{"Discounts", testDiscounts},
		{"DiscountList", testDiscountList},
		{"Keys", testKeys},
		{"Terms", testTerms},
		{"Uses", testUses},
		{"Concurrency", testConcurrency},
		{"Context", testContext},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			part.test(t, newStore)
		})
	}
}

// Time returns a fixed time, n seconds after the first one.
func Time(n int) api.Time {
	return api.NewTime(time.Date(2026, time.March, 1, 12, 0, n, 0, time.UTC))
}

// NewID returns a new ULID.
func NewID() string { return ulid.MustNew(ulid.Timestamp(Time(0).Time), rand.Reader).String() }

// Address returns an address in a country.
func Address(country string) policy.Address {
	return policy.Address{
		Name: "María López", Line1: "Calle Mayor 1", Line2: "3º B", City: "Madrid", Region: "Madrid", PostalCode: "28013", Country: country,
	}
}

// EUR returns an amount of cents.
func EUR(cents int64) money.Money { return money.Money{AmountMinor: cents, Currency: "EUR"} }

// NewQuote returns a quote as the service passes one to a store. It can be ordered until Time(900).
func NewQuote() pricing.Quote {
	return pricing.Quote{
		ID: NewID(), Customer: "customer-1",
		Lines: []pricing.Line{{
			SKU: "TEA-1", ProductID: NewID(), ProductVersion: 3, Name: "Green tea", Quantity: 3,
			UnitPrice: EUR(500), Discount: EUR(150), Tax: EUR(284), Total: EUR(1634),
		}, {
			SKU: "CUP-1", ProductID: NewID(), ProductVersion: 1, Name: "Cup", Quantity: 1,
			UnitPrice: EUR(900), Discount: EUR(90), Tax: EUR(170), Total: EUR(980),
		}},
		Codes: []string{"SPRING"}, Subtotal: EUR(2400), Discount: EUR(240), Shipping: EUR(490), Tax: EUR(454), Total: EUR(3104),
		ShipTo: Address("ES"), CreatedAt: Time(0), ExpiresAt: Time(0).Add(pricing.QuoteLife),
	}
}

// NewRules returns rules of version 1.
func NewRules() pricing.Rules {
	at := Time(1)
	return pricing.Rules{
		Tax: []pricing.TaxRate{{Country: "ES", Class: "standard", Percent: "21"}, {Country: "ES", Class: "books", Percent: "4"}},
		Shipping: []pricing.ShippingRate{
			{Countries: []string{"ES", "PT"}, Bands: []pricing.Band{{From: EUR(0), Price: EUR(490)}, {From: EUR(5000), Price: EUR(0)}}},
			{Countries: []string{}, Bands: []pricing.Band{{From: EUR(0), Price: EUR(1900)}}},
		},
		Version: 1, UpdatedAt: &at,
	}
}

// NewDiscount returns a discount in its first version, as the service passes one to a store.
func NewDiscount(code string, change ...func(*pricing.Discount)) pricing.Discount {
	d := pricing.Discount{Code: code, Percent: "10", Version: 1, CreatedAt: Time(0), UpdatedAt: Time(0)}
	for _, f := range change {
		f(&d)
	}
	return d
}

// variations change the members of a discount; together they change every one that an update may change.
func variations() map[string]func(*pricing.Discount) {
	amount, minimum, starts, ends := EUR(500), EUR(2000), Time(5), Time(50)
	return map[string]func(*pricing.Discount){
		"Percent":            func(d *pricing.Discount) { d.Percent = "8.875" },
		"Amount":             func(d *pricing.Discount) { d.Percent, d.Amount = "", &amount },
		"Minimum":            func(d *pricing.Discount) { d.Minimum = &minimum },
		"StartsAt":           func(d *pricing.Discount) { d.StartsAt = &starts },
		"EndsAt":             func(d *pricing.Discount) { d.EndsAt = &ends },
		"MaxUses":            func(d *pricing.Discount) { d.MaxUses = 100 },
		"MaxUsesPerCustomer": func(d *pricing.Discount) { d.MaxUsesPerCustomer = 2 },
	}
}

func mustCreate(t *testing.T, store Store, discounts ...pricing.Discount) {
	t.Helper()
	for _, d := range discounts {
		if err := store.CreateDiscount(t.Context(), d, idempotency.Record{}); err != nil {
			t.Fatalf("CreateDiscount: %v", err)
		}
	}
}

func mustUse(t *testing.T, store Store, code, customer string) {
	t.Helper()
	if err := store.UseCode(t.Context(), code, customer, Time(10).Time); err != nil {
		t.Fatalf("UseCode: %v", err)
	}
}

func wantDiscount(t *testing.T, store Store, want pricing.Discount) {
	t.Helper()
	got, err := store.Discount(t.Context(), want.Code)
	if err != nil {
		t.Fatalf("Discount: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("discount (-want +got):\n%s", diff)
	}
}

func wantErr(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// together runs n calls at the same time.
func together(n int, f func(i int) error) []error {
	results := make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			results[i] = f(i)
		})
	}
	close(start)
	wg.Wait()
	return results
}
