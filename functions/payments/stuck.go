package payments

import (
	"errors"

	"github.com/tienda-dev/tienda/internal/policy"
)

// Money that a person must see to. Settle and Reconcile return these errors; no request does.
var (
	// ErrUncharged: goods were shipped, and the payment holds nothing that their price can be captured from.
	ErrUncharged = errors.New("payments: shipped goods are not charged, and nothing can be captured")
	// ErrUnreturned: money that must go back was refused maxReturns times. Support can refund it.
	ErrUnreturned = errors.New("payments: the refunds of a reversed payment fail")
)

const (
	// maxReturns is how often a reversal is refunded before it is left to a person.
	maxReturns = 5
	// returnsApart spaces those refunds out, as so many failures would: the last one is sent after some hours.
	returnsApart = 3
	// maxReports is how many sweeps report a payment that is stuck.
	maxReports = 5
)

// owed is what remains to be captured for shipped goods, in minor units, as far as it is whole payable units.
func (p Payment) owed() int64 {
	owed := max(min(p.Shipped, p.Amount.AmountMinor)-p.Captured.AmountMinor, 0)
	return owed - owed%policy.PayableUnit(p.Amount.Currency)
}

// failedReturns is how many refunds of the reversal have failed.
func (p Payment) failedReturns() int64 {
	var n int64
	for _, r := range p.Refunds {
		if r.Status == RefundFailed && r.Reason == reversal {
			n++
		}
	}
	return n
}

// wanted is the operation that nobody asks for by a request: goods were shipped, or the money must go back. It returns
// false if there is none.
func (p Payment) wanted() (Operation, bool) {
	switch {
	case !p.held():
		return "", false
	case p.Reverse && p.Capturable > 0:
		return OpVoid, true
	case p.Reverse && p.Refundable > 0 && p.failedReturns() < maxReturns:
		return OpRefund, true
	case !p.Reverse && p.owed() > 0 && p.Capturable > 0:
		return OpCapture, true
	default:
		return "", false
	}
}

// stuck returns ErrUncharged or ErrUnreturned for a payment that no operation of ours can bring further, and nil for others.
func (p Payment) stuck() error {
	switch {
	case p.Pending != nil || p.Capturable > 0 || p.undecided():
		return nil
	case p.Reverse && p.Refundable > 0 && p.failedReturns() >= maxReturns:
		return ErrUnreturned
	case !p.Reverse && p.owed() > 0:
		return ErrUncharged
	default:
		return nil
	}
}
