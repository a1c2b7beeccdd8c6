package orders

import "time"

// Payable returns nil if a payment may claim the order: ErrExpired, ErrPaid, ErrPaymentInProgress or
// ErrInvalidTransition if not.
func (o Order) Payable(now time.Time) error {
	switch {
	case o.Status == StatusExpired:
		return ErrExpired
	case o.PaymentStatus.Open():
		return ErrPaymentInProgress
	case o.PaymentID != "":
		return ErrPaid
	case o.Status != StatusPendingPayment:
		return ErrInvalidTransition
	case !now.Before(o.ExpiresAt.Time):
		return ErrExpired
	default:
		return nil
	}
}

// Claimed returns the order as it is with the payment that has claimed it.
func (o Order) Claimed(paymentID string, now time.Time) Order {
	o = o.changed(now)
	o.PaymentID, o.PaymentStatus = paymentID, PaymentProcessing
	return o
}
