// Package payments takes the money for orders: it authorises, captures, voids and refunds through a payment
// provider. It has the rules, the handlers, and the Store and Provider interfaces, and does not depend on a
// database or on one provider.
//
// Every call of the provider is recorded before it is made, with the key under which the provider carries it out
// once. An answer that does not arrive leaves the operation pending and the payment unknown, never declined: Reconcile
// asks the provider what happened.
package payments

import (
	"slices"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/money"
)

// Payment is one attempt to take the money for an order.
type Payment struct {
	// ID is a ULID.
	ID string `json:"id"`
	// OrderID is the order that is paid for.
	OrderID string `json:"order_id"`
	// Status is what has happened to the money so far.
	Status Status `json:"status"`
	// Capture is whether authorised money is taken at once or later.
	Capture Capture `json:"capture"`
	// Amount is the order's total, which the customer was asked for.
	Amount money.Money `json:"amount"`
	// Authorized is what the provider holds or held for the shop: Amount or nothing.
	Authorized money.Money `json:"authorized"`
	// Captured is what was taken: at most Authorized.
	Captured money.Money `json:"captured"`
	// Refunded is what was given back: at most Captured.
	Refunded money.Money `json:"refunded"`
	// DeclineCode is the provider's reason of a declined payment ("insufficient_funds").
	DeclineCode string `json:"decline_code,omitempty"`
	// Pending is the operation whose outcome is not known yet; nil when there is none.
	Pending *Attempt `json:"pending,omitempty"`
	// Refunds are all refunds, oldest first.
	Refunds []Refund `json:"refunds"`
	// Version is the number of changes, from 1.
	Version   int64    `json:"version"`
	CreatedAt api.Time `json:"created_at"`
	UpdatedAt api.Time `json:"updated_at"`

	// Customer is the user who owns the order.
	Customer string `json:"-"`
	// Method is the provider's token of the payment method.
	Method string `json:"-"`
	// Ref is the provider's id of the payment, empty until it is known.
	Ref string `json:"-"`
	// Capturable is what can still be captured, in minor units.
	Capturable int64 `json:"-"`
	// Refundable is what can still be refunded, in minor units: captured, less refunds that succeeded or may succeed.
	Refundable int64 `json:"-"`
	// Sequence is the number of keys that were used at the provider.
	Sequence int64 `json:"-"`
	// Refused are the numbers of the last operations that ended without being carried out, at most maxRefused.
	Refused []int64 `json:"-"`
	// Shipped is the price of the goods that were shipped, in minor units, if Capture is Manual.
	Shipped int64 `json:"-"`
	// Reverse says that all money must go back, because the order is cancelled, expired or paid otherwise.
	Reverse bool `json:"-"`
	// Failures is the number of calls in a row that did not succeed; it spaces them out.
	Failures int64 `json:"-"`
	// NextAt is when Reconcile must look at the payment; zero when nothing is unknown or due.
	NextAt api.Time `json:"-"`
}

// Status is what has happened to the money of a payment.
type Status string

// The states of a payment.
const (
	// Authorizing payments are with the provider, which has not answered yet.
	Authorizing Status = "authorizing"
	// Unknown payments may or may not be authorised: the provider's answer was lost.
	Unknown Status = "unknown"
	// Declined payments hold no money. Another payment of the order may follow.
	Declined Status = "declined"
	// Authorized payments hold money that was not captured.
	Authorized Status = "authorized"
	// PartiallyCaptured payments have captured a part and hold the rest.
	PartiallyCaptured Status = "partially_captured"
	// Captured payments have taken money and hold none.
	Captured Status = "captured"
	// Voided payments have released what they held.
	Voided Status = "voided"
	// PartiallyRefunded payments have given back a part of what was captured.
	PartiallyRefunded Status = "partially_refunded"
	// Refunded payments have given back everything.
	Refunded Status = "refunded"
)

// Capture decides when authorised money is taken.
type Capture string

// The ways to capture.
const (
	// Automatic captures everything with the authorisation.
	Automatic Capture = "automatic"
	// Manual captures what is shipped, or what staff ask for.
	Manual Capture = "manual"
)

// Operation is one kind of call that moves money.
type Operation string

// The operations.
const (
	OpAuthorize Operation = "authorize"
	OpCapture   Operation = "capture"
	OpVoid      Operation = "void"
	OpRefund    Operation = "refund"
)

// Attempt is an operation that was recorded and whose outcome is not known yet. A payment has one at a time.
type Attempt struct {
	// Operation is what was asked for.
	Operation Operation `json:"operation" dynamodbav:"operation"`
	// Amount is how much of the payment's money it moves.
	Amount money.Money `json:"amount" dynamodbav:"amount"`

	// RefundID is the refund that the operation makes.
	RefundID string `json:"-" dynamodbav:"refund_id,omitempty"`
	// Base is what was captured before, in minor units.
	Base int64 `json:"-" dynamodbav:"base"`
	// Number identifies the operation in its payment. It stays when the operation is sent again.
	Number int64 `json:"-" dynamodbav:"number"`
	// Sequence numbers the key at the provider: the same one repeats the same request.
	Sequence int64 `json:"-" dynamodbav:"sequence"`
	// Answered says that the last request was answered with a failure: it cannot be carried out later.
	Answered bool `json:"-" dynamodbav:"answered"`
	// Tries is how often the operation was sent.
	Tries int64 `json:"-" dynamodbav:"tries"`
	// FirstAt is when the key of Sequence was used first, in milliseconds since 1970.
	FirstAt int64 `json:"-" dynamodbav:"first_at"`
}

// RefundStatus is the state of a refund.
type RefundStatus string

// The states of a refund. A bank can refuse a refund that had succeeded.
const (
	RefundPending   RefundStatus = "pending"
	RefundSucceeded RefundStatus = "succeeded"
	RefundFailed    RefundStatus = "failed"
)

// Refund is money that goes back to the customer.
type Refund struct {
	// ID is a ULID.
	ID string `json:"id"`
	// PaymentID is the payment whose money it is.
	PaymentID string `json:"payment_id"`
	// OrderID is the payment's order.
	OrderID string `json:"order_id"`
	// Status is whether the money has gone back.
	Status RefundStatus `json:"status"`
	// Amount is positive, in the payment's currency.
	Amount money.Money `json:"amount"`
	// Reason is the explanation of the refund.
	Reason    string   `json:"reason"`
	CreatedAt api.Time `json:"created_at"`
	UpdatedAt api.Time `json:"updated_at"`

	// Ref is the provider's id of the refund, empty until it is known.
	Ref string `json:"-"`
}

// Refund returns the refund of the id, and false if the payment has none.
func (p Payment) Refund(id string) (Refund, bool) {
	for _, r := range p.Refunds {
		if r.ID == id {
			return r, true
		}
	}
	return Refund{}, false
}

// Clone returns a copy that shares nothing that is changed.
func (p Payment) Clone() Payment {
	if p.Pending != nil {
		attempt := *p.Pending
		p.Pending = &attempt
	}
	p.Refunds = append([]Refund{}, p.Refunds...)
	p.Refused = slices.Clone(p.Refused)
	return p
}

// Order is what a payment needs to know of its order.
type Order struct {
	ID       string
	Customer string
	// Total is what a payment authorises.
	Total money.Money
	// State is what the order's status means for a payment.
	State OrderState
	// PaymentID is the payment that has claimed the order, empty if there is none.
	PaymentID string
	// ExpiresAt is until when an open order can be paid.
	ExpiresAt api.Time
	// Version is the version that a claim changes.
	Version   int64
	UpdatedAt api.Time
}

// OrderState is what an order's status means for its payments.
type OrderState int

// The states.
const (
	// OrderOpen orders wait for a payment.
	OrderOpen OrderState = iota + 1
	// OrderPaid orders have one: they are confirmed or further on.
	OrderPaid
	// OrderExpired orders were not paid in time.
	OrderExpired
	// OrderCancelled orders need no money.
	OrderCancelled
)
