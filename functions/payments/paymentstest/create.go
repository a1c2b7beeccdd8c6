package paymentstest

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/shared/idempotency"
)

func testOrder(t *testing.T, shop Shop) {
	o := NewOrder()
	shop.PutOrder(o)
	got, err := shop.Order(t.Context(), o.ID)
	if diff := cmp.Diff(o, got); err != nil || diff != "" {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
	if _, err := shop.Order(t.Context(), NewID()); !errors.Is(err, payments.ErrOrderNotFound) {
		t.Errorf("got %v, want %v", err, payments.ErrOrderNotFound)
	}
}

func testCreate(t *testing.T, shop Shop) {
	p := create(t, shop)
	want(t, shop, p)
	wantEvents(t, shop, p.OrderID, payments.EventCreated)
	o, err := shop.Order(t.Context(), p.OrderID)
	if err != nil || o.PaymentID != p.ID || o.Version != 2 {
		t.Errorf("the order is %+v, %v", o, err)
	}
	if ids, err := shop.OfOrder(t.Context(), p.OrderID); err != nil || !cmp.Equal(ids, []string{p.ID}) {
		t.Errorf("OfOrder: %v, %v", ids, err)
	}
	if ids, err := shop.OfOrder(t.Context(), NewID()); err != nil || len(ids) != 0 {
		t.Errorf("OfOrder of an unknown order: %v, %v", ids, err)
	}
	if _, err := shop.Get(t.Context(), NewID()); !errors.Is(err, payments.ErrNotFound) {
		t.Errorf("Get of an unknown payment: %v", err)
	}
}

// An id that exists is refused, and its payment stays.
func testCreateKeepsOthers(t *testing.T, shop Shop) {
	p := create(t, shop)
	o := NewOrder()
	shop.PutOrder(o)
	other := NewPayment(o)
	other.ID, other.Method = p.ID, "pm_card_mastercard"
	if err := shop.Create(t.Context(), payments.Creation{Payment: other, Order: o, Event: NewEvent(t, payments.EventCreated, o.ID)}); err == nil {
		t.Error("a payment with the id of another one is created")
	}
	want(t, shop, p)
	if got, err := shop.Order(t.Context(), o.ID); err != nil || got.PaymentID != "" {
		t.Errorf("the order is %+v, %v", got, err)
	}
}

func testClaims(t *testing.T, shop Shop) {
	for name, tc := range map[string]struct {
		change func(*payments.Order)
		want   error
	}{
		"Claimed":   {func(o *payments.Order) { o.PaymentID = "another" }, payments.ErrInProgress},
		"Paid":      {func(o *payments.Order) { o.State, o.PaymentID = payments.OrderPaid, "another" }, payments.ErrAlreadyPaid},
		"Expired":   {func(o *payments.Order) { o.State = payments.OrderExpired }, payments.ErrOrderExpired},
		"Cancelled": {func(o *payments.Order) { o.State = payments.OrderCancelled }, payments.ErrInvalidTransition},
		"Changed":   {func(o *payments.Order) { o.Version++ }, payments.ErrOrderChanged},
	} {
		read := NewOrder()
		stored := read
		tc.change(&stored)
		shop.PutOrder(stored)
		p := NewPayment(read)
		err := shop.Create(t.Context(), payments.Creation{Payment: p, Order: read, Event: NewEvent(t, payments.EventCreated, read.ID)})
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", name, err, tc.want)
		}
		if _, err := shop.Get(t.Context(), p.ID); !errors.Is(err, payments.ErrNotFound) {
			t.Errorf("%s: the payment is stored: %v", name, err)
		}
		wantEvents(t, shop, read.ID)
	}
}

// The same request with its key is one payment, and finds its record before it finds the order claimed.
func testCreateOnce(t *testing.T, shop Shop) {
	o := NewOrder()
	shop.PutOrder(o)
	p := NewPayment(o)
	record := running(t, p.ID)
	if err := shop.Create(t.Context(), payments.Creation{Payment: p, Order: o, Event: NewEvent(t, payments.EventCreated, o.ID), Record: record}); err != nil {
		t.Fatal(err)
	}
	again := NewPayment(o)
	other := record
	other.Owner = "another attempt"
	err := shop.Create(t.Context(), payments.Creation{Payment: again, Order: o, Event: NewEvent(t, payments.EventCreated, o.ID), Record: other})
	used, ok := errors.AsType[*idempotency.UsedError](err)
	if !ok || used.Stored.Point != p.ID || !used.Stored.Running {
		t.Errorf("got %v, want the running record of %s", err, p.ID)
	}
	if _, err := shop.Get(t.Context(), again.ID); !errors.Is(err, payments.ErrNotFound) {
		t.Errorf("the second payment is stored: %v", err)
	}
}

// Of many payments of one order at once, one is made.
func testOneWinner(t *testing.T, shop Shop) {
	o := NewOrder()
	shop.PutOrder(o)
	var made atomic.Int64
	var group sync.WaitGroup
	for range 20 {
		p, e := NewPayment(o), NewEvent(t, payments.EventCreated, o.ID)
		group.Go(func() {
			err := shop.Create(t.Context(), payments.Creation{Payment: p, Order: o, Event: e})
			switch {
			case err == nil:
				made.Add(1)
			case !errors.Is(err, payments.ErrInProgress) && !errors.Is(err, payments.ErrOrderChanged):
				t.Errorf("got %v", err)
			}
		})
	}
	group.Wait()
	ids, err := shop.OfOrder(t.Context(), o.ID)
	if made.Load() != 1 || err != nil || len(ids) != 1 {
		t.Errorf("%d payments were made, stored %v, %v", made.Load(), ids, err)
	}
}
