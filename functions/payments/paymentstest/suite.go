// Package paymentstest has a test suite for every payments.Store, and a store in memory that passes it.
package paymentstest

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/oklog/ulid/v2"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/outbox"
)

// Shop is a payments.Store with its orders, as tests need them.
type Shop interface {
	payments.Store

	// PutOrder adds an order.
	PutOrder(o payments.Order)
	// PaymentStatus returns the payment's status that the order knows.
	PaymentStatus(ctx context.Context, orderID string) (payments.Status, error)
	// Events returns the order's events, oldest first.
	Events(ctx context.Context, orderID string) ([]outbox.Event, error)
}

// NewID returns a new ULID.
func NewID() string { return ulid.MustNew(ulid.Now(), rand.Reader).String() }

// Time returns a fixed time, n seconds after the first one.
func Time(n int) api.Time {
	return api.NewTime(time.Date(2026, time.March, 1, 12, 0, n, 0, time.UTC))
}

// EUR returns an amount of cents.
func EUR(minor int64) money.Money { return money.Money{AmountMinor: minor, Currency: "EUR"} }

// NewOrder returns an open order of ten euros.
func NewOrder() payments.Order {
	return payments.Order{
		ID: NewID(), Customer: "customer-1", Total: EUR(1000), State: payments.OrderOpen, ExpiresAt: Time(900), Version: 1,
	}
}

// NewPayment returns a payment of the order in its first version.
func NewPayment(o payments.Order) payments.Payment {
	return payments.Payment{
		ID: NewID(), OrderID: o.ID, Status: payments.Authorizing, Capture: payments.Manual, Amount: o.Total,
		Authorized: EUR(0), Captured: EUR(0), Refunded: EUR(0), Refunds: []payments.Refund{}, Version: 1,
		CreatedAt: Time(0), UpdatedAt: Time(0), Customer: o.Customer, Method: "pm_card_visa", Sequence: 1, NextAt: Time(30),
		Pending: &payments.Attempt{Operation: payments.OpAuthorize, Amount: o.Total, Number: 1, Sequence: 1, Tries: 1, FirstAt: Time(0).UnixMilli()},
	}
}

// NewEvent returns an event of the order.
func NewEvent(t *testing.T, typ, orderID string) outbox.Event {
	t.Helper()
	e, err := outbox.New(Time(0).Time, typ, orderID, map[string]string{"order_id": orderID})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// running returns the running record of a new request.
func running(t *testing.T, point string) idempotency.Record {
	t.Helper()
	ctx := idempotency.WithKey(t.Context(), idempotency.Key{ID: NewID(), Fingerprint: "f"})
	r, err := idempotency.Begin(ctx, Time(0).Time, 30*time.Second, point)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Run runs the suite. newShop returns an empty shop that no other test uses.
func Run(t *testing.T, newShop func(t *testing.T) Shop) {
	t.Helper()
	for name, test := range map[string]func(t *testing.T, shop Shop){
		"Create": testCreate, "CreateClaims": testClaims, "CreateKeepsOthers": testCreateKeepsOthers, "CreateOnce": testCreateOnce, "Apply": testApply,
		"ApplyStale": testStale, "ApplyAmounts": testAmounts, "ApplyOnce": testOnce, "Complete": testComplete,
		"Due": testDue, "Context": testContext, "OneWinner": testOneWinner, "Order": testOrder,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newShop(t))
		})
	}
}

// create stores a payment of a new order.
func create(t *testing.T, shop Shop) payments.Payment {
	t.Helper()
	o := NewOrder()
	shop.PutOrder(o)
	p := NewPayment(o)
	if err := shop.Create(t.Context(), payments.Creation{Payment: p, Order: o, Event: NewEvent(t, payments.EventCreated, o.ID)}); err != nil {
		t.Fatalf("Create: %v", err)
	}
	return p
}

// next returns the payment's next version with a change.
func next(p payments.Payment, change func(*payments.Payment)) payments.Payment {
	after := p.Clone()
	after.Version++
	change(&after)
	return after
}

// apply stores the payment's next version.
func apply(t *testing.T, shop Shop, p payments.Payment, change func(*payments.Payment)) payments.Payment {
	t.Helper()
	after := next(p, change)
	if err := shop.Apply(t.Context(), payments.Change{Before: p, After: after, At: Time(1).Time}); err != nil {
		t.Fatalf("Apply: %v", err)
	}
	return after
}

func hold(p *payments.Payment) {
	p.Status, p.Authorized, p.Capturable, p.Pending = payments.Authorized, p.Amount, p.Amount.AmountMinor, nil
}

func take(p *payments.Payment) {
	p.Status, p.Captured, p.Refundable, p.Capturable, p.Pending = payments.Captured, p.Amount, p.Amount.AmountMinor, 0, nil
	p.Authorized = p.Amount
}

// want compares the stored payment.
func want(t *testing.T, shop Shop, p payments.Payment) {
	t.Helper()
	got, err := shop.Get(t.Context(), p.ID)
	if err != nil {
		t.Fatalf("Get: %v", err)
	}
	if diff := cmp.Diff(p.Clone(), got.Clone()); diff != "" {
		t.Errorf("payment (-want +got):\n%s", diff)
	}
}

func wantEvents(t *testing.T, shop Shop, orderID string, types ...string) {
	t.Helper()
	events, err := shop.Events(t.Context(), orderID)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, e := range events {
		seen[e.Type]++
	}
	expected := map[string]int{}
	for _, typ := range types {
		expected[typ]++
	}
	if diff := cmp.Diff(expected, seen); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func testDue(t *testing.T, shop Shop) {
	var all []payments.Payment
	for i := range 3 {
		at := Time(100 - i)
		all = append(all, apply(t, shop, create(t, shop), func(p *payments.Payment) { p.NextAt = at }))
	}
	apply(t, shop, create(t, shop), func(p *payments.Payment) { p.NextAt = api.Time{} })
	for name, tc := range map[string]struct {
		at    int
		limit int
		want  []string
	}{
		"Before":  {97, 10, []string{}},
		"First":   {98, 10, []string{all[2].ID}},
		"All":     {100, 10, []string{all[2].ID, all[1].ID, all[0].ID}},
		"Limited": {100, 2, []string{all[2].ID, all[1].ID}},
	} {
		got, err := shop.Due(t.Context(), Time(tc.at).Time, tc.limit)
		if diff := cmp.Diff(tc.want, got); err != nil || diff != "" {
			t.Errorf("%s: error %v (-want +got):\n%s", name, err, diff)
		}
	}
}

func testContext(t *testing.T, shop Shop) {
	p := create(t, shop)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	o := NewOrder()
	e := NewEvent(t, payments.EventCreated, o.ID)
	for name, call := range map[string]func() error{
		"Order":    func() error { _, err := shop.Order(ended, p.OrderID); return err },
		"Get":      func() error { _, err := shop.Get(ended, p.ID); return err },
		"OfOrder":  func() error { _, err := shop.OfOrder(ended, p.OrderID); return err },
		"Create":   func() error { return shop.Create(ended, payments.Creation{Payment: NewPayment(o), Order: o, Event: e}) },
		"Apply":    func() error { return shop.Apply(ended, payments.Change{Before: p, After: next(p, hold)}) },
		"Due":      func() error { _, err := shop.Due(ended, Time(0).Time, 1); return err },
		"Complete": func() error { return shop.Complete(ended, running(t, p.ID), idempotency.Answer{Status: 200}) },
	} {
		if err := call(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s with an ended context: %v, want %v", name, err, context.Canceled)
		}
	}
	want(t, shop, p)
}
