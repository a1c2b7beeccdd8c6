package payments

import (
	"context"
	"errors"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/problem"
)

// Request asks for a payment.
type Request struct {
	// Customer is the caller.
	Customer string
	OrderID  string
	// Method is the provider's token of the payment method.
	Method  string
	Capture Capture
}

// Pay authorises the total of the customer's order, once for each idempotency key and once for each order. A payment
// whose outcome is not known is returned like others, with the status Unknown. It returns ErrOrderNotFound,
// ErrAlreadyPaid, ErrInProgress, ErrOrderExpired, ErrInvalidTransition, and the problem payment_declined.
func (s *Service) Pay(ctx context.Context, r Request) (Payment, error) {
	p, begun, err := s.begun(ctx, r)
	if err != nil {
		return Payment{}, err
	}
	if p.Pending != nil && p.Pending.Operation == OpAuthorize { // another operation may follow before a repetition
		if p, err = s.drive(ctx, p, begun.Previous == ""); err != nil {
			return Payment{}, err
		}
	}
	if p.Status == Declined {
		declined := errDeclined(p.DeclineCode)
		a, err := idempotency.Refusal(ctx, declined)
		if err := s.answer(ctx, begun, a, err); err != nil {
			return Payment{}, err
		}
		return Payment{}, declined
	}
	a, err := idempotency.NewAnswer(p.createdStatus(), map[string]string{"Location": p.location()}, p)
	return p, s.answer(ctx, begun, a, err)
}

// begun stores a new payment, or returns the one that an earlier attempt of the same request has made.
func (s *Service) begun(ctx context.Context, r Request) (Payment, idempotency.Record, error) {
	if found, ok := idempotency.PointFrom(ctx); ok {
		return s.takeOver(ctx, found.Point, found.Point)
	}
	orderID, ok := api.ULID(r.OrderID)
	if !ok {
		return Payment{}, idempotency.Record{}, ErrOrderNotFound
	}
	for range attempts {
		p, begun, err := s.create(ctx, orderID, r)
		if !errors.Is(err, ErrOrderChanged) {
			return p, begun, err
		}
	}
	return Payment{}, idempotency.Record{}, ErrOrderChanged
}

func (s *Service) create(ctx context.Context, orderID string, r Request) (Payment, idempotency.Record, error) {
	order, err := s.store.Order(ctx, orderID)
	if err != nil {
		return Payment{}, idempotency.Record{}, err
	}
	if order.Customer != r.Customer {
		return Payment{}, idempotency.Record{}, ErrOrderNotFound
	}
	now := s.now()
	zero := money.Money{Currency: order.Total.Currency}
	p := Payment{
		ID: newID(now), OrderID: order.ID, Status: Authorizing, Capture: r.Capture,
		Amount: order.Total, Authorized: zero, Captured: zero, Refunded: zero, Refunds: []Refund{},
		Version: 1, CreatedAt: api.NewTime(now), UpdatedAt: api.NewTime(now),
		Customer: order.Customer, Method: r.Method, Sequence: 1, NextAt: api.NewTime(now.Add(lease)),
		Pending: &Attempt{Operation: OpAuthorize, Amount: order.Total, Number: 1, Sequence: 1, Tries: 1, FirstAt: now.UnixMilli()},
	}
	begun, err := idempotency.Begin(ctx, now, lease, p.ID)
	if err != nil {
		return Payment{}, begun, err
	}
	created, err := p.event(fact{typ: EventCreated, amount: p.Amount.AmountMinor}, now)
	if err != nil {
		return Payment{}, begun, err
	}
	return p, begun, s.store.Create(ctx, Creation{Payment: p, Order: order, Event: created, Record: begun})
}

// takeOver makes this attempt the owner of a request whose earlier attempt was cut off, and returns the payment.
func (s *Service) takeOver(ctx context.Context, paymentID, point string) (Payment, idempotency.Record, error) {
	p, err := s.store.Get(ctx, paymentID)
	if err != nil {
		return Payment{}, idempotency.Record{}, err
	}
	now := s.now()
	begun, err := idempotency.Begin(ctx, now, lease, point)
	if err != nil {
		return Payment{}, begun, err
	}
	return p, begun, s.store.Apply(ctx, Change{Before: p, After: p, Record: begun, At: now})
}

// location is the path of the payment, relative to the payments of its order.
func (p Payment) location() string { return "../../payments/" + p.ID }

// createdStatus is the status of the answer to a new payment.
func (p Payment) createdStatus() int {
	if p.undecided() {
		return http.StatusAccepted
	}
	return http.StatusCreated
}

// errDeclined is the answer to a payment that the provider declines. Another payment may follow.
func errDeclined(code string) *problem.Error {
	return problem.New(problem.PaymentRequired, "payment_declined", "The payment was declined.").
		WithFields(problem.FieldError{Pointer: "/payment_method", Detail: "was declined: " + code})
}
