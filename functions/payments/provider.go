package payments

import (
	"context"
	"errors"
	"fmt"

	"github.com/tienda-dev/tienda/shared/money"
)

// Provider moves money. A request with a key is carried out once, however often it is sent; the same key always comes
// with the same request.
//
// The errors decide what follows:
//   - *RefusedError: the provider will not do it, and nothing happened;
//   - ErrAnswered: the provider answered with a failure of its own: it cannot be carried out later, and
//     may have been carried out;
//   - any other error: the request may still be carried out.
type Provider interface {
	// Create announces a payment and returns the provider's id for it. It moves no money.
	Create(ctx context.Context, key string, p Payment) (ref string, err error)
	// Confirm authorises the payment, and captures it where the payment says so. A decline is not an error.
	Confirm(ctx context.Context, key string, p Payment) (Report, error)
	// Capture takes a part of what is authorised. A final one releases the rest.
	Capture(ctx context.Context, key string, p Payment, amount money.Money, final bool) (Report, error)
	// Cancel releases what was not captured. After it the payment cannot be confirmed.
	Cancel(ctx context.Context, key string, p Payment) (Report, error)
	// Refund gives money back. The report has this refund only.
	Refund(ctx context.Context, key string, p Payment, r Refund) (Report, error)
	// Lookup returns the state of the payment with all its refunds. It changes nothing.
	Lookup(ctx context.Context, p Payment) (Report, error)
}

// ErrAnswered is a request that failed inside the provider: an answer of 5xx.
var ErrAnswered = errors.New("payments: the provider failed")

// RefusedError is a request that the provider refused.
type RefusedError struct {
	// Code is the provider's reason ("resource_missing"): letters, digits and underscores.
	Code string
}

func (e *RefusedError) Error() string { return "payments: the provider refused: " + e.Code }

// ReportState is the provider's view of a payment.
type ReportState int

// The states.
const (
	// ReportNothing has no state of the payment: the report has refunds only.
	ReportNothing ReportState = iota
	// ReportOpen payments are announced and not confirmed.
	ReportOpen
	// ReportProcessing payments are confirmed, and the outcome is not known yet.
	ReportProcessing
	// ReportDeclined payments hold no money.
	ReportDeclined
	// ReportAuthorized payments hold money that can be captured.
	ReportAuthorized
	// ReportClosed payments were captured, and nothing can be captured further.
	ReportClosed
	// ReportCanceled payments were released before anything was captured.
	ReportCanceled
)

// Report is what the provider says about a payment, in an answer or a notification. It may be late.
type Report struct {
	// PaymentID is our id, as the provider returns it.
	PaymentID string
	// Ref is the provider's id of the payment.
	Ref   string
	State ReportState
	// Code is the reason of a decline.
	Code string
	// Amount is what was asked for, Captured what was taken and Capturable what can still be taken, in minor units.
	Amount, Captured, Capturable int64
	// Currency is an ISO 4217 code in capitals.
	Currency string
	// Refunds are refunds of the payment; not all of them unless Lookup returned the report.
	Refunds []RefundReport
}

// RefundReport is what the provider says about a refund.
type RefundReport struct {
	// ID is our id, empty for a refund that was not made here.
	ID string
	// Ref is the provider's id.
	Ref    string
	Status RefundStatus
	// Amount is in minor units.
	Amount int64
}

// Notification is a message of the provider about a payment.
type Notification struct {
	// Provider is the name of the provider, and ID the message's own id: a message may come more than once.
	Provider, ID string
	// Type is the provider's name for what happened.
	Type string
	// Report is nil for a message that has no state of a payment.
	Report *Report
}

// key is the name under which the provider carries out the pending operation once.
func (p Payment) key(op string) string {
	return fmt.Sprintf("%s:%s:%d", p.ID, op, p.Pending.Sequence)
}
