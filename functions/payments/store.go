package payments

import (
	"context"
	"errors"
	"time"

	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/outbox"
)

// ErrDuplicate is a notification that was recorded before. Nothing is to be done.
var ErrDuplicate = errors.New("payments: the notification was recorded before")

// Store stores payments with their refunds, and reads their orders. Every change is one transaction: all of it happens
// or nothing.
type Store interface {
	// Order returns the order as it is now, or ErrOrderNotFound.
	Order(ctx context.Context, id string) (Order, error)
	// Get returns the payment as it is now, with its refunds, or ErrNotFound.
	Get(ctx context.Context, id string) (Payment, error)
	// OfOrder returns the ids of the order's payments, oldest first.
	OfOrder(ctx context.Context, orderID string) ([]string, error)
	// Create stores the payment and claims its order. It returns *idempotency.UsedError, ErrOrderChanged if the order is
	// not as it was read, and the errors that a claim has: ErrInProgress, ErrAlreadyPaid, ErrOrderExpired,
	// ErrInvalidTransition.
	Create(ctx context.Context, c Creation) error
	// Apply makes the change. It returns *idempotency.UsedError, outbox.ErrConsumed, ErrDuplicate, ErrStale if the stored
	// payment is not c.Before, and ErrAmountExceedsAuthorized or ErrAmountExceedsRefundable if a new attempt moves more
	// than the stored payment has.
	Apply(ctx context.Context, c Change) error
	// Complete stores the answer of a request that is running, after its result: the version of the payment fences the
	// money, not this. It returns *idempotency.UsedError if another attempt has
	// taken the request over.
	Complete(ctx context.Context, begun idempotency.Record, a idempotency.Answer) error
	// Due returns the ids of payments whose NextAt is not after now, the longest overdue first. It may be a moment
	// late.
	Due(ctx context.Context, now time.Time, limit int) ([]string, error)
}

// Creation is all that one transaction writes for a new payment.
type Creation struct {
	Payment Payment
	// Order is the order as it was read.
	Order Order
	// Event is of type EventCreated.
	Event outbox.Event
	// Record is running.
	Record idempotency.Record
}

// Change is all that one transaction changes of a payment.
type Change struct {
	// Before is the payment as it was read. If After has the same version, the payment is left alone, and only the
	// records below are written.
	Before, After Payment
	// Events are what happened, published with the change.
	Events []outbox.Event
	// Record is the running record of the request that makes the change; zero if there is none.
	Record idempotency.Record
	// Consumed is the event that the change is the effect of; nil if it is not.
	Consumed *outbox.Event
	// Notification is what the change is the effect of; nil if it is not.
	Notification *Notification
	// At is the time of the change.
	At time.Time
}

// Begins returns the attempt that the change begins, and false if it begins none.
func (c Change) Begins() (Attempt, bool) {
	if c.Before.Pending != nil || c.After.Pending == nil {
		return Attempt{}, false
	}
	return *c.After.Pending, true
}

// ChangedRefunds returns the refunds that the change writes.
func (c Change) ChangedRefunds() []Refund {
	var changed []Refund
	for _, r := range c.After.Refunds {
		if before, ok := c.Before.Refund(r.ID); !ok || before != r {
			changed = append(changed, r)
		}
	}
	return changed
}
