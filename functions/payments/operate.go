package payments

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/outbox"
	"github.com/tienda-dev/tienda/shared/problem"
)

// Take captures an amount of the payment; nil captures everything that can be. ended is false if the operation has no
// outcome yet. It returns ErrNotFound, ErrInvalidTransition, ErrInProgress, ErrAmountExceedsAuthorized, ErrRefused, and 422
// for another currency.
func (s *Service) Take(ctx context.Context, id string, amount *money.Money) (p Payment, ended bool, err error) {
	return s.operate(ctx, id, func(p Payment) (step, error) {
		return p.capture(amount)
	})
}

// Void releases what the payment holds. It returns as Take does, without the errors of amounts.
func (s *Service) Void(ctx context.Context, id string) (p Payment, ended bool, err error) {
	return s.operate(ctx, id, func(p Payment) (step, error) {
		if !p.Allows(OpVoid) {
			return step{}, ErrInvalidTransition
		}
		return step{op: OpVoid, amount: p.Capturable}, nil
	})
}

// operate begins an operation that staff ask for and carries it on.
func (s *Service) operate(ctx context.Context, id string, decide func(Payment) (step, error)) (Payment, bool, error) {
	p, asked, err := s.request(ctx, id, decide)
	if err != nil {
		return Payment{}, false, err
	}
	ended := !asked.pending(p)
	a, err := idempotency.NewAnswer(operatedStatus(ended), nil, p)
	return p, ended, s.answer(ctx, asked.begun, a, err)
}

// operatedStatus is the status of the answer to a capture or a void.
func operatedStatus(ended bool) int {
	if ended {
		return http.StatusOK
	}
	return http.StatusAccepted
}

// step is an operation before it is recorded.
type step struct {
	op     Operation
	amount int64
	refund *Refund
}

// capture is the step that captures the amount, or everything.
func (p Payment) capture(amount *money.Money) (step, error) {
	if amount != nil && amount.Currency != p.Amount.Currency {
		return step{}, errCurrency(p.Amount.Currency)
	}
	if !p.Allows(OpCapture) {
		return step{}, ErrInvalidTransition
	}
	take := p.Capturable
	if amount != nil {
		take = amount.AmountMinor
	}
	if take > p.Capturable {
		return step{}, ErrAmountExceedsAuthorized
	}
	return step{op: OpCapture, amount: take}, nil
}

func errCurrency(currency string) error {
	return problem.Fields(problem.FieldError{Pointer: "/amount/currency", Detail: "must be " + currency + ", the payment's currency"})
}

// begin stores the attempt, before anything is sent.
func (s *Service) begin(ctx context.Context, p Payment, next step, c Change) (Payment, error) {
	now, after := s.now(), p.Clone()
	after.Sequence++
	after.Pending = &Attempt{
		Operation: next.op, Amount: money.Money{AmountMinor: next.amount, Currency: p.Amount.Currency},
		Base: p.Captured.AmountMinor, Number: after.Sequence, Sequence: after.Sequence, Tries: 1, FirstAt: now.UnixMilli(),
	}
	if next.refund != nil {
		after.Pending.RefundID = next.refund.ID
		after.Refunds = append(after.Refunds, *next.refund)
		after.Refundable -= next.amount
		if after.Refundable < 0 {
			return p, ErrAmountExceedsRefundable
		}
	}
	after.NextAt = api.NewTime(now.Add(lease))
	return s.commit(ctx, p, after, nil, c)
}

// newRefund is the step that gives the amount back.
func (s *Service) newRefund(p Payment, amount money.Money, reason string) step {
	now := s.now()
	return step{op: OpRefund, amount: amount.AmountMinor, refund: &Refund{
		ID: newID(now), PaymentID: p.ID, OrderID: p.OrderID, Status: RefundPending, Amount: amount, Reason: reason,
		CreatedAt: api.NewTime(now), UpdatedAt: api.NewTime(now),
	}}
}

// Return refunds an amount. A refund whose outcome is not known yet is pending. It returns ErrNotFound,
// ErrInvalidTransition, ErrInProgress, ErrAmountExceedsRefundable, ErrRefused, and 422 for another currency.
func (s *Service) Return(ctx context.Context, id string, amount money.Money, reason string) (Refund, error) {
	p, asked, err := s.request(ctx, id, func(p Payment) (step, error) {
		if amount.Currency != p.Amount.Currency {
			return step{}, errCurrency(p.Amount.Currency)
		}
		if !p.Allows(OpRefund) {
			return step{}, ErrInvalidTransition
		}
		if amount.AmountMinor > p.Refundable {
			return step{}, ErrAmountExceedsRefundable
		}
		return s.newRefund(p, amount, reason), nil
	})
	if err != nil {
		return Refund{}, err
	}
	refund, ok := p.Refund(asked.refund)
	if !ok {
		return Refund{}, contradicts(ruleRefundUnknown)
	}
	a, err := idempotency.NewAnswer(refund.createdStatus(), map[string]string{"Location": refund.location()}, refund)
	return refund, s.answer(ctx, asked.begun, a, err)
}

// location is the path of the payment that has the refund, relative to the refunds.
func (r Refund) location() string { return "../" + r.PaymentID }

// createdStatus is the status of the answer to a new refund.
func (r Refund) createdStatus() int {
	if r.Status == RefundPending {
		return http.StatusAccepted
	}
	return http.StatusCreated
}

// consumed is the Change of an event.
func consumed(e outbox.Event) Change { return Change{Consumed: &e} }
