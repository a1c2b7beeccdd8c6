package payments

import (
	"fmt"
	"time"
)

// reversalTime is how long a reversal may take before it is reported.
const reversalTime = 6 * time.Hour

// Unbalanced returns how the payments of an order contradict themselves or the order, and "" if they do not. What an event
// of the order or of a payment asks for must be recorded when neither has changed since settled.
func Unbalanced(o Order, all []Payment, settled time.Time) string {
	ended := (o.State == OrderExpired || o.State == OrderCancelled) && o.UpdatedAt.Before(settled)
	var kept, authorized int64 // of payments that the order is entitled to
	for _, p := range all {
		if detail := p.unbalanced(); detail != "" {
			return "payment " + p.ID + ": " + detail
		}
		if err := p.stuck(); err != nil {
			return fmt.Sprintf("payment %s: %v", p.ID, err)
		}
		if p.Amount != o.Total {
			return fmt.Sprintf("payment %s is of %s, the order of %s", p.ID, p.Amount, o.Total)
		}
		if p.Reverse {
			left := p.Capturable + p.Refundable
			if long := settled.Add(-reversalTime); left > 0 && o.UpdatedAt.Before(long) && p.CreatedAt.Before(long) {
				return fmt.Sprintf("payment %s has %d minor units to give back, for hours", p.ID, left)
			}
			continue
		}
		kept += p.Captured.AmountMinor - p.Refunded.AmountMinor
		if p.Status != Voided || !p.UpdatedAt.Before(settled) { // a moment after a void, the order may be about to change
			authorized = max(authorized, p.Authorized.AmountMinor)
		}
		if ended && p.UpdatedAt.Before(settled) && p.Capturable+p.Refundable > 0 {
			return fmt.Sprintf("payment %s has %d to void and %d to refund in minor units, of an order that has ended", p.ID, p.Capturable, p.Refundable)
		}
	}
	switch {
	case kept > o.Total.AmountMinor:
		return fmt.Sprintf("the payments keep %d minor units of %s", kept, o.Total)
	case o.State == OrderPaid && authorized != o.Total.AmountMinor:
		return fmt.Sprintf("the order is paid, its payments hold or have taken %d minor units of %s", authorized, o.Total)
	}
	return ""
}

// unbalanced returns how the amounts of the payment contradict each other.
func (p Payment) unbalanced() string {
	var refunded, open int64
	for _, r := range p.Refunds {
		switch r.Status {
		case RefundSucceeded:
			refunded += r.Amount.AmountMinor
		case RefundPending:
			open += r.Amount.AmountMinor
		case RefundFailed:
		}
	}
	switch {
	case p.Authorized.AmountMinor != 0 && p.Authorized != p.Amount:
		return fmt.Sprintf("authorised %s of %s", p.Authorized, p.Amount)
	case p.Captured.AmountMinor+p.Capturable > p.Authorized.AmountMinor:
		return fmt.Sprintf("captured %s and %d minor units capturable of %s", p.Captured, p.Capturable, p.Authorized)
	case p.Refunded.AmountMinor != refunded:
		return fmt.Sprintf("refunded %s, its refunds are %d minor units", p.Refunded, refunded)
	case refunded+open+p.Refundable != p.Captured.AmountMinor:
		return fmt.Sprintf("captured %s: %d minor units are refunded, %d pending and %d refundable", p.Captured, refunded, open, p.Refundable)
	}
	return ""
}
