package paymentstest

import (
	"errors"
	"testing"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/outbox"
)

func testApply(t *testing.T, shop Shop) {
	p := create(t, shop)
	after := next(p, func(p *payments.Payment) {
		take(p)
		p.Ref, p.Sequence, p.Shipped, p.Reverse, p.Failures, p.NextAt = "pi_1", 7, 3, true, 2, api.Time{}
		p.Refused = []int64{3, 5}
		p.Refunds = []payments.Refund{{
			ID: NewID(), PaymentID: p.ID, OrderID: p.OrderID, Status: payments.RefundPending, Amount: EUR(5), Reason: "broken",
			CreatedAt: Time(1), UpdatedAt: Time(1), Ref: "re_1",
		}}
	})
	e := NewEvent(t, payments.EventCaptured, p.OrderID)
	if err := shop.Apply(t.Context(), payments.Change{Before: p, After: after, Events: []outbox.Event{e}, At: Time(1).Time}); err != nil {
		t.Fatal(err)
	}
	want(t, shop, after)
	wantEvents(t, shop, p.OrderID, payments.EventCreated, payments.EventCaptured)
	if got, err := shop.PaymentStatus(t.Context(), p.OrderID); err != nil || got != payments.Captured {
		t.Errorf("the order knows %q, %v", got, err)
	}
	changed := apply(t, shop, after, func(p *payments.Payment) {
		p.Refunds[0].Status, p.Refunded, p.Status = payments.RefundSucceeded, EUR(5), payments.PartiallyRefunded
	})
	want(t, shop, changed)

	declined := create(t, shop)
	apply(t, shop, declined, func(p *payments.Payment) { p.Status, p.DeclineCode, p.Pending = payments.Declined, "x", nil })
	o, err := shop.Order(t.Context(), declined.OrderID)
	if err != nil || o.PaymentID != "" {
		t.Fatalf("a declined payment keeps its claim: %+v, %v", o, err)
	}
	second := NewPayment(o)
	if err := shop.Create(t.Context(), payments.Creation{Payment: second, Order: o, Event: NewEvent(t, payments.EventCreated, o.ID)}); err != nil {
		t.Fatalf("a second payment: %v", err)
	}
	// The first one's late success is stored, and the order keeps the second one.
	stored, err := shop.Get(t.Context(), declined.ID)
	if err != nil {
		t.Fatal(err)
	}
	apply(t, shop, stored, take)
	if o, err = shop.Order(t.Context(), o.ID); err != nil || o.PaymentID != second.ID {
		t.Errorf("the order is %+v, %v", o, err)
	}
}

func testStale(t *testing.T, shop Shop) {
	p := create(t, shop)
	after := apply(t, shop, p, hold)
	for name, before := range map[string]payments.Payment{
		"Both":    p,
		"Version": next(p, func(p *payments.Payment) { p.Status, p.Version = payments.Authorized, 1 }),
		"Status":  next(p, func(p *payments.Payment) { p.Status = payments.Unknown }),
	} {
		late := next(before, take)
		e := NewEvent(t, payments.EventCaptured, p.OrderID)
		err := shop.Apply(t.Context(), payments.Change{Before: before, After: late, Events: []outbox.Event{e}, At: Time(2).Time})
		if !errors.Is(err, payments.ErrStale) {
			t.Errorf("%s: got %v, want %v", name, err, payments.ErrStale)
		}
	}
	want(t, shop, after)
	wantEvents(t, shop, p.OrderID, payments.EventCreated)
	unknown := NewPayment(NewOrder())
	if err := shop.Apply(t.Context(), payments.Change{Before: unknown, After: next(unknown, hold), At: Time(2).Time}); !errors.Is(err, payments.ErrNotFound) {
		t.Errorf("unknown: got %v, want %v", err, payments.ErrNotFound)
	}
}

// The store refuses an attempt that moves more than the payment has, whatever the caller has computed.
func testAmounts(t *testing.T, shop Shop) {
	begin := func(op payments.Operation, amount int64) func(*payments.Payment) {
		return func(p *payments.Payment) {
			p.Pending = &payments.Attempt{Operation: op, Amount: EUR(amount), Sequence: 2}
		}
	}
	held := apply(t, shop, create(t, shop), hold)
	taken := apply(t, shop, create(t, shop), take)
	for name, tc := range map[string]struct {
		p    payments.Payment
		op   payments.Operation
		want error
	}{"Capture": {held, payments.OpCapture, payments.ErrAmountExceedsAuthorized}, "Refund": {taken, payments.OpRefund, payments.ErrAmountExceedsRefundable}} {
		err := shop.Apply(t.Context(), payments.Change{Before: tc.p, After: next(tc.p, begin(tc.op, 1001)), At: Time(2).Time})
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", name, err, tc.want)
		}
		want(t, shop, tc.p)
		apply(t, shop, tc.p, begin(tc.op, 1000))
	}
}

// Events and notifications have one effect.
func testOnce(t *testing.T, shop Shop) {
	p := create(t, shop)
	e := NewEvent(t, "shipment.created", p.OrderID)
	n := payments.Notification{Provider: "stripe", ID: "evt_" + NewID(), Type: "payment_intent.succeeded"}
	change := payments.Change{Before: p, After: next(p, hold), Consumed: &e, Notification: &n, At: Time(1).Time}
	if err := shop.Apply(t.Context(), change); err != nil {
		t.Fatal(err)
	}
	after := change.After
	more := next(after, take)
	if err := shop.Apply(t.Context(), payments.Change{Before: after, After: more, Consumed: &e, At: Time(2).Time}); !errors.Is(err, outbox.ErrConsumed) {
		t.Errorf("event: got %v, want %v", err, outbox.ErrConsumed)
	}
	if err := shop.Apply(t.Context(), payments.Change{Before: after, After: more, Notification: &n, At: Time(2).Time}); !errors.Is(err, payments.ErrDuplicate) {
		t.Errorf("notification: got %v, want %v", err, payments.ErrDuplicate)
	}
	// Also when nothing of the payment changes.
	other := payments.Notification{Provider: "stripe", ID: "evt_" + NewID()}
	for i, wanted := range []error{nil, payments.ErrDuplicate} {
		if err := shop.Apply(t.Context(), payments.Change{Before: after, After: after, Notification: &other, At: Time(2).Time}); !errors.Is(err, wanted) {
			t.Errorf("notification %d without a change: got %v, want %v", i, err, wanted)
		}
	}
	want(t, shop, after)
}

func testComplete(t *testing.T, shop Shop) {
	p := apply(t, shop, create(t, shop), hold)
	record := running(t, p.ID)
	begun := next(p, func(p *payments.Payment) {
		p.Pending = &payments.Attempt{Operation: payments.OpVoid, Amount: EUR(1000)}
	})
	if err := shop.Apply(t.Context(), payments.Change{Before: p, After: begun, Record: record, At: Time(1).Time}); err != nil {
		t.Fatal(err)
	}
	answer := idempotency.Answer{Status: 200, Body: []byte("{}")}
	if err := shop.Complete(t.Context(), record, answer); err != nil {
		t.Fatalf("Complete: %v", err)
	}
	if err := shop.Complete(t.Context(), record, answer); err != nil { // its answer was lost
		t.Errorf("Complete again: %v", err)
	}
	fenced := record
	fenced.Owner = "another attempt"
	if err := shop.Complete(t.Context(), fenced, answer); !errors.As(err, new(*idempotency.UsedError)) {
		t.Errorf("another owner: %v", err)
	}
	if err := shop.Complete(t.Context(), idempotency.Record{}, answer); err != nil {
		t.Errorf("without a key: %v", err)
	}
}
