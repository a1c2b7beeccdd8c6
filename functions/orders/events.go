package orders

import (
	"time"

	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/outbox"
)

// eventData is the data of an order's events. Members that a type does not have are absent. It has no personal data.
type eventData struct {
	OrderID string `json:"order_id"`
	// Version is the order's, with the change.
	Version int64 `json:"version"`
	// Currency, Total and Pieces are of EventCreated; Currency is of EventCancelled too.
	Currency string       `json:"currency,omitempty"`
	Total    *money.Money `json:"total,omitempty"`
	Pieces   int64        `json:"pieces,omitempty"`
	// Reason and By are of EventCancelled.
	Reason Reason `json:"reason,omitempty"`
	By     By     `json:"by,omitempty"`
	// ShipmentID is of EventPartiallyShipped, EventShipped, EventDelivered and EventReturned: the shipment that moved the order,
	// which for EventDelivered is a lost one if the others have arrived before.
	ShipmentID string `json:"shipment_id,omitempty"`
	// PaymentID is of EventConfirmed and EventPaymentRefused.
	PaymentID string `json:"payment_id,omitempty"`
}

// Reason is why an order was cancelled.
type Reason string

// The reasons.
const (
	// ReasonCustomer is a wish of the customer who gave no other reason.
	ReasonCustomer Reason = "customer_request"
	// ReasonMistake is an order that was made by mistake.
	ReasonMistake Reason = "mistake"
	// ReasonLate is an order that would arrive too late.
	ReasonLate Reason = "late"
	// ReasonFraud is an order that staff do not trust.
	ReasonFraud Reason = "fraud"
	// ReasonStock is an order that the shop cannot deliver.
	ReasonStock Reason = "stock"
)

// Reasons returns every Reason.
func Reasons() []Reason {
	return []Reason{ReasonCustomer, ReasonMistake, ReasonLate, ReasonFraud, ReasonStock}
}

// By is who cancelled an order.
type By string

// Who may cancel an order.
const (
	ByCustomer By = "customer"
	ByStaff    By = "staff"
)

// event returns an event about the order as it is.
func (o Order) event(typ string, now time.Time, data eventData) (outbox.Event, error) {
	data.OrderID, data.Version = o.ID, o.Version
	return outbox.New(now, typ, o.ID, data)
}

// ShipEvent returns the order as it is with the shipment, whose Status is StatusShipped if no piece is left, and the event
// of the transition. It returns ErrInvalidTransition, and ErrOverShip, which names the lines of the request that have too
// many pieces or a SKU that the order does not have.
func (o Order) ShipEvent(lines []Shipped, shipmentID string, now time.Time) (Order, outbox.Event, error) {
	after, row, err := o.ship(lines, shipmentID, now)
	if err != nil {
		return Order{}, outbox.Event{}, err
	}
	event, err := after.event(row.Event, now, eventData{ShipmentID: shipmentID})
	return after, event, err
}
