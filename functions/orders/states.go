package orders

import (
	"time"

	"github.com/tienda-dev/tienda/shared/problem"
)

// Status is the state of an order.
type Status string

// The states of an order.
const (
	// StatusPendingPayment orders hold their stock until ExpiresAt.
	StatusPendingPayment Status = "pending_payment"
	// StatusConfirmed orders are paid for, or the payment is authorised.
	StatusConfirmed Status = "confirmed"
	// StatusPartiallyShipped orders have pieces that no shipment has.
	StatusPartiallyShipped Status = "partially_shipped"
	// StatusShipped orders have all their pieces in shipments.
	StatusShipped Status = "shipped"
	// StatusDelivered orders have arrived.
	StatusDelivered Status = "delivered"
	// StatusCancelled orders were given up by the customer or by staff.
	StatusCancelled Status = "cancelled"
	// StatusExpired orders were not paid in time.
	StatusExpired Status = "expired"
	// StatusReturned orders have come back.
	StatusReturned Status = "returned"
)

// Statuses returns every Status, in the order of an order's life.
func Statuses() []Status {
	return []Status{StatusPendingPayment, StatusConfirmed, StatusPartiallyShipped, StatusShipped, StatusDelivered, StatusCancelled, StatusExpired, StatusReturned}
}

// Trigger is what moves an order from one state to another.
type Trigger string

// The triggers.
const (
	// Create makes the order.
	Create Trigger = "create"
	// Pay is an authorised or captured payment.
	Pay Trigger = "pay"
	// Expire is the time by which nobody has paid.
	Expire Trigger = "expire"
	// Cancel is the wish of the customer or of staff.
	Cancel Trigger = "cancel"
	// ShipSome is a shipment after which pieces are left.
	ShipSome Trigger = "ship some"
	// ShipRest is a shipment after which no pieces are left.
	ShipRest Trigger = "ship the rest"
	// Deliver is the arrival of the last parcel that is on its way; a lost one is not.
	Deliver Trigger = "deliver"
	// Return is the return of every parcel.
	Return Trigger = "return"
)

// Move is what a transition does to the stock of the order, in the transition's own transaction.
type Move string

// The moves.
const (
	// Keep leaves the stock as it is.
	Keep Move = ""
	// Reserve moves available pieces to reserved and makes the reservation.
	Reserve Move = "available to reserved"
	// Commit moves reserved pieces to sold.
	Commit Move = "reserved to sold"
	// Release moves reserved pieces to available.
	Release Move = "reserved to available"
	// Restock moves sold pieces to available.
	Restock Move = "sold to available"
)

// The types of the order's events.
const (
	EventCreated          = "order.created"
	EventConfirmed        = "order.confirmed"
	EventCancelled        = "order.cancelled"
	EventExpired          = "order.expired"
	EventPartiallyShipped = "order.partially_shipped"
	EventShipped          = "order.shipped"
	EventDelivered        = "order.delivered"
	EventReturned         = "order.returned"
	// EventPaymentRefused is a payment that succeeded after the order had ended. It changes no state.
	EventPaymentRefused = "order.payment_refused"
)

// Transition is a row of the state machine.
type Transition struct {
	// From is empty for a new order.
	From Status
	On   Trigger
	To   Status
	// Stock is what happens to the reservation.
	Stock Move
	// Event is the type of the event that the transition writes.
	Event string
}

// States returns the state machine of an order. A trigger that it does not have for a state is illegal there.
func States() []Transition {
	return []Transition{
		{"", Create, StatusPendingPayment, Reserve, EventCreated},
		{StatusPendingPayment, Pay, StatusConfirmed, Commit, EventConfirmed},
		{StatusPendingPayment, Expire, StatusExpired, Release, EventExpired},
		{StatusPendingPayment, Cancel, StatusCancelled, Release, EventCancelled},
		{StatusConfirmed, Cancel, StatusCancelled, Restock, EventCancelled},
		{StatusConfirmed, ShipSome, StatusPartiallyShipped, Keep, EventPartiallyShipped},
		{StatusConfirmed, ShipRest, StatusShipped, Keep, EventShipped},
		{StatusPartiallyShipped, ShipSome, StatusPartiallyShipped, Keep, EventPartiallyShipped},
		{StatusPartiallyShipped, ShipRest, StatusShipped, Keep, EventShipped},
		{StatusShipped, Deliver, StatusDelivered, Keep, EventDelivered},
		{StatusShipped, Return, StatusReturned, Keep, EventReturned},
		{StatusDelivered, Return, StatusReturned, Keep, EventReturned},
	}
}

// ErrInvalidTransition is a change that the order's state does not allow.
var ErrInvalidTransition = problem.New(problem.Conflict, "invalid_transition", "The order's state does not allow this.")

// Next returns the row of the state machine, and ErrInvalidTransition if it has none.
func (s Status) Next(on Trigger) (Transition, error) {
	for _, row := range States() {
		if row.From == s && row.On == on {
			return row, nil
		}
	}
	return Transition{}, ErrInvalidTransition
}

// apply returns the order's next version in the state to which the trigger leads, and the row. It returns
// ErrInvalidTransition.
func (o Order) apply(on Trigger, now time.Time) (Order, Transition, error) {
	row, err := o.Status.Next(on)
	if err != nil {
		return Order{}, Transition{}, err
	}
	o = o.changed(now)
	o.Status = row.To
	return o, row, nil
}
