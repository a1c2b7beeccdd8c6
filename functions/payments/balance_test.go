package payments_test

import (
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/functions/payments/paymentstest"
)

// Each rule is broken in the stored payments, and it is named.
func TestUnbalanced(t *testing.T) {
	t.Parallel()
	eur := paymentstest.EUR
	for name, tc := range map[string]struct {
		change func(*payments.Order, *payments.Payment)
		want   string
	}{
		"Paid": {func(*payments.Order, *payments.Payment) {}, ""},
		"PartlyRefunded": {func(_ *payments.Order, p *payments.Payment) {
			p.Refunded, p.Refundable = eur(300), 500
			p.Refunds = []payments.Refund{
				{Status: payments.RefundSucceeded, Amount: eur(300)},
				{Status: payments.RefundPending, Amount: eur(200)},
				{Status: payments.RefundFailed, Amount: eur(900)},
			}
		}, ""},
		"OfAnotherAmount":       {func(o *payments.Order, _ *payments.Payment) { o.Total = eur(999) }, "payment P is of"},
		"AuthorizedAPart":       {func(_ *payments.Order, p *payments.Payment) { p.Authorized = eur(999) }, "authorised"},
		"CapturedTooMuch":       {func(_ *payments.Order, p *payments.Payment) { p.Captured, p.Refundable = eur(1001), 1001 }, "captured"},
		"CapturableTooMuch":     {func(_ *payments.Order, p *payments.Payment) { p.Capturable = 1 }, "captured"},
		"RefundedWithoutRefund": {func(_ *payments.Order, p *payments.Payment) { p.Refunded, p.Refundable = eur(1), 999 }, "refunded"},
		"RefundableTooMuch":     {func(_ *payments.Order, p *payments.Payment) { p.Refundable = 1001 }, "captured"},
		"PaidByNothing": {func(_ *payments.Order, p *payments.Payment) {
			p.Status, p.Authorized, p.Captured, p.Refundable = payments.Declined, eur(0), eur(0), 0
		}, "the order is paid"},
		"KeptAfterTheEnd":     {func(o *payments.Order, _ *payments.Payment) { o.State = payments.OrderCancelled }, "of an order that has ended"},
		"KeptAfterExpiry":     {func(o *payments.Order, _ *payments.Payment) { o.State = payments.OrderExpired }, "of an order that has ended"},
		"GoesBackAfterTheEnd": {func(o *payments.Order, p *payments.Payment) { o.State, p.Reverse = payments.OrderCancelled, true }, ""},
		"ShippedAndNotCharged": {func(_ *payments.Order, p *payments.Payment) {
			p.Captured, p.Refundable, p.Shipped = eur(400), 400, 1000
		}, "shipped"},
		"Voided": {func(_ *payments.Order, p *payments.Payment) {
			p.Status, p.Captured, p.Refundable = payments.Voided, eur(0), 0
		}, "the order is paid"},
		"VoidedAMomentAgo": {func(_ *payments.Order, p *payments.Payment) {
			p.Status, p.Captured, p.Refundable, p.UpdatedAt = payments.Voided, eur(0), 0, paymentstest.Time(60)
		}, ""},
		"GoesBackForHours": {func(o *payments.Order, p *payments.Payment) {
			o.State, p.Reverse = payments.OrderCancelled, true
			o.UpdatedAt, p.CreatedAt = paymentstest.Time(-8*3600), paymentstest.Time(-8*3600)
		}, "1000 minor units to give back"},
		"CancelledAfterHours": {func(o *payments.Order, p *payments.Payment) {
			o.State, p.Reverse = payments.OrderCancelled, true
			o.UpdatedAt, p.CreatedAt = paymentstest.Time(0), paymentstest.Time(-8*3600)
		}, ""},
		"HeldAfterTheEnd": {func(o *payments.Order, p *payments.Payment) {
			o.State, p.Status = payments.OrderCancelled, payments.Authorized
			p.Captured, p.Refundable, p.Capturable = eur(0), 0, 1000
		}, "1000 to void and 0 to refund"},
		"PartlyRefundedAfterTheEnd": {func(o *payments.Order, p *payments.Payment) {
			o.State, p.Status = payments.OrderCancelled, payments.PartiallyRefunded
			p.Refunded, p.Refundable = eur(600), 400
			p.Refunds = []payments.Refund{{Status: payments.RefundSucceeded, Amount: eur(600)}}
		}, "0 to void and 400 to refund"},
		"RefundedAfterTheEnd": {func(o *payments.Order, p *payments.Payment) {
			o.State, p.Status = payments.OrderCancelled, payments.Refunded
			p.Refunded, p.Refundable = eur(1000), 0
			p.Refunds = []payments.Refund{{Status: payments.RefundSucceeded, Amount: eur(1000)}}
		}, ""},
		"PartlyCapturedGoesBackForHours": {func(o *payments.Order, p *payments.Payment) {
			o.State, p.Reverse = payments.OrderCancelled, true
			p.Captured, p.Refundable, p.Capturable = eur(400), 400, 600
			o.UpdatedAt, p.CreatedAt = paymentstest.Time(-8*3600), paymentstest.Time(-8*3600)
		}, "1000 minor units to give back"},
		"GaveBackForHours": {func(o *payments.Order, p *payments.Payment) {
			o.State, p.Reverse, p.Status = payments.OrderCancelled, true, payments.Refunded
			p.Refunded, p.Refundable = eur(1000), 0
			p.Refunds = []payments.Refund{{Status: payments.RefundSucceeded, Amount: eur(1000)}}
			o.UpdatedAt, p.CreatedAt = paymentstest.Time(-8*3600), paymentstest.Time(-8*3600)
		}, ""},
		"EndedAMomentAgo": {func(o *payments.Order, _ *payments.Payment) {
			o.State, o.UpdatedAt = payments.OrderCancelled, paymentstest.Time(60)
		}, ""},
		"AuthorizedAMomentAgo": {func(o *payments.Order, p *payments.Payment) {
			o.State, p.UpdatedAt = payments.OrderCancelled, paymentstest.Time(60)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := paymentstest.NewOrder()
			o.State = payments.OrderPaid
			p := paymentstest.NewPayment(o)
			p.ID, p.Status, p.Authorized, p.Captured, p.Refundable, p.Pending = "P", payments.Captured, o.Total, o.Total, 1000, nil
			tc.change(&o, &p)
			got := payments.Unbalanced(o, []payments.Payment{p}, paymentstest.Time(60).Time)
			if (got == "") != (tc.want == "") || !strings.Contains(got, tc.want) {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

// Two payments of one order may not both keep its money, unless one of them goes back.
func TestUnbalancedTwice(t *testing.T) {
	t.Parallel()
	o := paymentstest.NewOrder()
	o.State = payments.OrderPaid
	p := paymentstest.NewPayment(o)
	p.Authorized, p.Captured, p.Refundable = o.Total, o.Total, 1000
	again := p
	if got := payments.Unbalanced(o, []payments.Payment{p, again}, o.UpdatedAt.Time); !strings.Contains(got, "keep 2000") {
		t.Errorf("%q", got)
	}
	again.Reverse = true
	if got := payments.Unbalanced(o, []payments.Payment{p, again}, o.UpdatedAt.Time); got != "" {
		t.Errorf("%q, want nothing", got)
	}
}
