//go:build integration

package paymentsddb_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/functions/payments/paymentstest"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
	"github.com/tienda-dev/tienda/shared/money"
)

const captured = 1000

// refunding is a call in a history: a refund of an amount, or a read of what is refunded if it is 0.
type refunding struct{ amount int64 }

// refundResult is what a call returned.
type refundResult struct {
	// outcome is "done", "exceeds", or "refused" for a call that another one was in the way of.
	outcome string
	// read is the refunded amount that a read returned.
	read int64
}

// refunds is the refunded amount of a payment on one thread.
var refunds = porcupine.Model{
	Init: func() any { return int64(0) },
	Step: func(state, input, output any) (bool, any) {
		refunded, call, got := state.(int64), input.(refunding), output.(refundResult)
		fits := refunded+call.amount <= captured
		switch {
		case call.amount == 0:
			return got.read == refunded, refunded
		case got.outcome == "done":
			return fits, refunded + call.amount
		case got.outcome == "exceeds":
			return !fits, refunded
		default:
			return true, refunded
		}
	},
}

// bank carries out every refund once. Some of its answers are lost.
type bank struct {
	payments.Provider

	mu       sync.Mutex
	dice     *rand.Rand
	refunded map[string]payments.RefundReport // by key
}

var errLost = errors.New("the answer is lost")

func (b *bank) Refund(_ context.Context, key string, p payments.Payment, r payments.Refund) (payments.Report, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refunded[key] = payments.RefundReport{ID: r.ID, Ref: "re_" + r.ID, Status: payments.RefundSucceeded, Amount: r.Amount.AmountMinor}
	if b.dice.IntN(3) == 0 {
		return payments.Report{}, errLost
	}
	return payments.Report{PaymentID: p.ID, Ref: p.Ref, Currency: p.Amount.Currency, Refunds: []payments.RefundReport{b.refunded[key]}}, nil
}

func (b *bank) Lookup(_ context.Context, p payments.Payment) (payments.Report, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := payments.Report{
		PaymentID: p.ID, Ref: p.Ref, Currency: p.Amount.Currency, State: payments.ReportClosed, Amount: captured, Captured: captured,
	}
	for _, refund := range b.refunded {
		r.Refunds = append(r.Refunds, refund)
	}
	return r, nil
}

// total is what has left the bank.
func (b *bank) total() int64 {
	var sum int64
	for _, r := range b.refunded {
		sum += r.Amount
	}
	return sum
}

// Refunds of one payment by many callers, whose answers and those of the provider are lost, and reads of it have the
// results of some order of them one after the other (Herlihy and Wing, Linearizability, 1990).
func TestRefundsAreLinearizable(t *testing.T) {
	t.Parallel()
	const callers, calls = 6, 15
	faults := &ddbtest.Faults{}
	s := newShop(t, ddbtest.Table(t, faults.Option))
	o := paymentstest.NewOrder()
	s.PutOrder(o)
	p := paymentstest.NewPayment(o)
	p.Status, p.Ref, p.Pending, p.NextAt = payments.Captured, "pi_1", nil, api.Time{}
	p.Authorized, p.Captured, p.Refundable = p.Amount, p.Amount, captured
	if err := s.Create(t.Context(), payments.Creation{Payment: p, Order: o, Event: paymentstest.NewEvent(t, payments.EventCreated, o.ID)}); err != nil {
		t.Fatal(err)
	}
	dice := rand.New(rand.NewPCG(7, 8))
	for range callers * calls {
		faults.Inject("TransactWriteItems", []ddbtest.Fault{nil, nil, ddbtest.LoseResponse, ddbtest.FailAfterCommit, ddbtest.Conflict, ddbtest.Throttle}[dice.IntN(6)])
	}
	provider := &bank{dice: dice, refunded: map[string]payments.RefundReport{}}
	clock := &minutes{}
	c := caller{service: payments.NewService(s, provider, clock.now), store: s, clock: clock, payment: p.ID}

	var mu sync.Mutex
	var history []porcupine.Operation
	began := time.Now()
	var group sync.WaitGroup
	for id := range callers {
		own := rand.New(rand.NewPCG(9, uint64(id)))
		group.Go(func() {
			for n := range calls {
				call := refunding{amount: []int64{0, 1, 40, 400}[own.IntN(4)]}
				start := time.Since(began)
				got, err := c.make(t.Context(), call, fmt.Sprint("call ", id, " ", n))
				if err != nil {
					t.Errorf("refund %d: %v", call.amount, err)
					return
				}
				mu.Lock()
				history = append(history, porcupine.Operation{ClientId: id, Input: call, Output: got, Call: int64(start), Return: int64(time.Since(began))})
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if got := porcupine.CheckOperationsTimeout(refunds, history, time.Minute); got != porcupine.Ok {
		t.Errorf("the history is linearizable: %s", got)
	}

	last, err := s.Get(t.Context(), p.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got := last.Refunded.AmountMinor; got != provider.total() || got > captured || got == 0 || last.Pending != nil {
		t.Errorf("%d are refunded, %d have left the bank; pending %+v", got, provider.total(), last.Pending)
	}
	history = append(history, porcupine.Operation{ // the check can fail
		ClientId: callers, Input: refunding{}, Output: refundResult{read: captured + 1}, Call: int64(2 * time.Hour), Return: int64(3 * time.Hour),
	})
	if got := porcupine.CheckOperationsTimeout(refunds, history, time.Minute); got != porcupine.Illegal {
		t.Errorf("a history with a read of more than was captured is linearizable: %s", got)
	}
}

// minutes is a clock.
type minutes struct{ n atomic.Int64 }

func (m *minutes) now() time.Time { return paymentstest.Time(60 * int(m.n.Load())).Time }

// caller makes the calls of a history.
type caller struct {
	service *payments.Service
	store   shop
	clock   *minutes
	payment string
}

// make makes a call. It returns when the outcome is known. The reason tells the refund from others.
func (c caller) make(ctx context.Context, r refunding, reason string) (refundResult, error) {
	if r.amount == 0 {
		p, err := c.store.Get(ctx, c.payment)
		return refundResult{read: p.Refunded.AmountMinor}, err
	}
	_, err := c.service.Return(ctx, c.payment, money.Money{AmountMinor: r.amount, Currency: "EUR"}, reason)
	switch {
	case err == nil, errors.Is(err, payments.ErrStale):
		return c.settled(ctx, reason)
	case errors.Is(err, payments.ErrAmountExceedsRefundable):
		return refundResult{outcome: "exceeds"}, nil
	case errors.Is(err, payments.ErrInProgress), errors.Is(err, payments.ErrInvalidTransition):
		return refundResult{outcome: "refused"}, nil
	default:
		return refundResult{}, err
	}
}

// settled sweeps until the refund of the reason has succeeded, if there is one.
func (c caller) settled(ctx context.Context, reason string) (refundResult, error) {
	for range 100 {
		p, err := c.store.Get(ctx, c.payment)
		if err != nil {
			return refundResult{}, err
		}
		i := slices.IndexFunc(p.Refunds, func(r payments.Refund) bool { return r.Reason == reason })
		switch {
		case i < 0:
			return refundResult{outcome: "refused"}, nil
		case p.Refunds[i].Status == payments.RefundSucceeded:
			return refundResult{outcome: "done"}, nil
		}
		c.clock.n.Add(1)
		_ = c.service.Reconcile(ctx) // another sweep may have been faster
	}
	return refundResult{}, errors.New("the refund is pending for ever")
}
