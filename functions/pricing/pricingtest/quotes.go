package pricingtest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/pricing"
	"github.com/tienda-dev/tienda/shared/idempotency"
)

func testQuotes(t *testing.T, newStore func(t *testing.T) Store) {
	t.Helper()
	t.Run("KeepsEveryField", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		bare := NewQuote()
		bare.Codes, bare.ShipTo.Line2 = []string{}, ""
		for _, q := range []pricing.Quote{NewQuote(), bare} {
			mustQuote(t, store, q)
			wantQuote(t, store, q)
		}
	})
	t.Run("IDIsGivenOnce", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		first := NewQuote()
		mustQuote(t, store, first)
		other := NewQuote()
		other.ID, other.Customer = first.ID, "customer-2"
		if err := store.CreateQuote(t.Context(), other, idempotency.Record{}); err == nil {
			t.Error("one quote replaces another")
		}
		wantQuote(t, store, first)
	})
	t.Run("NotFound", func(t *testing.T) {
		t.Parallel()
		_, err := newStore(t).Quote(t.Context(), NewID())
		wantErr(t, err, pricing.ErrQuoteNotFound)
	})
	t.Run("IsOrderedOnce", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		q := NewQuote()
		mustQuote(t, store, q)
		consume := func(customer, order string, at time.Time) error {
			return store.ConsumeQuote(t.Context(), q.ID, customer, order, at)
		}
		last := q.ExpiresAt.Add(-time.Millisecond).Time
		wantErr(t, consume("customer-2", "order-1", Time(1).Time), pricing.ErrQuoteNotFound)
		wantErr(t, consume("", "order-1", Time(1).Time), pricing.ErrQuoteNotFound)
		wantErr(t, store.ConsumeQuote(t.Context(), NewID(), q.Customer, "order-1", Time(1).Time), pricing.ErrQuoteNotFound)
		wantErr(t, consume(q.Customer, "order-1", q.ExpiresAt.Time), pricing.ErrQuoteExpired)
		wantQuote(t, store, q)

		wantErr(t, consume(q.Customer, "order-1", last), nil)
		wantErr(t, consume(q.Customer, "order-1", last), nil) // the same call again
		wantErr(t, consume(q.Customer, "order-2", last), pricing.ErrQuoteUsed)
		wantErr(t, consume(q.Customer, "order-2", Time(5000).Time), pricing.ErrQuoteUsed)
		wantErr(t, consume("customer-2", "order-1", last), pricing.ErrQuoteNotFound)
		q.OrderID = "order-1"
		wantQuote(t, store, q)
	})
}

func mustQuote(t *testing.T, store Store, q pricing.Quote) {
	t.Helper()
	if err := store.CreateQuote(t.Context(), q, idempotency.Record{}); err != nil {
		t.Fatalf("CreateQuote: %v", err)
	}
}

func wantQuote(t *testing.T, store Store, want pricing.Quote) {
	t.Helper()
	got, err := store.Quote(t.Context(), want.ID)
	if err != nil {
		t.Fatalf("Quote: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("quote (-want +got):\n%s", diff)
	}
}

func testRules(t *testing.T, newStore func(t *testing.T) Store) {
	t.Helper()
	store := newStore(t)
	wantRules(t, store, pricing.Rules{Tax: []pricing.TaxRate{}, Shipping: []pricing.ShippingRate{}})

	first := NewRules()
	wantErr(t, store.PutRules(t.Context(), 1, first), pricing.ErrStale)
	wantErr(t, store.PutRules(t.Context(), 0, first), nil)
	wantErr(t, store.PutRules(t.Context(), 0, first), nil) // the same call again
	wantRules(t, store, first)

	at := Time(2)
	second := pricing.Rules{Tax: []pricing.TaxRate{}, Shipping: []pricing.ShippingRate{}, Version: 2, UpdatedAt: &at}
	other := NewRules()
	other.Version = 2
	wantErr(t, store.PutRules(t.Context(), 0, second), pricing.ErrStale)
	wantErr(t, store.PutRules(t.Context(), 2, second), pricing.ErrStale)
	wantRules(t, store, first)
	wantErr(t, store.PutRules(t.Context(), 1, second), nil)
	wantErr(t, store.PutRules(t.Context(), 1, other), pricing.ErrStale)
	wantRules(t, store, second)
}

func wantRules(t *testing.T, store Store, want pricing.Rules) {
	t.Helper()
	got, err := store.Rules(t.Context())
	if err != nil {
		t.Fatalf("Rules: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}
