package shipments

import (
	"context"

	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/outbox"
	"github.com/tienda-dev/tienda/shared/problem"
)

// The errors that a Store returns. Any other error is a failure of the store, which is answered with 503 or 500.
var (
	// ErrNotFound: the shipment does not exist, or the caller may not know of it.
	ErrNotFound = problem.New(problem.NotFound, "shipment_not_found", "There is no such shipment.")
	// ErrOrderNotFound: the order does not exist, or the caller may not know of it.
	ErrOrderNotFound = problem.New(problem.NotFound, "order_not_found", "There is no such order.")
	// ErrOrderChanged: the order has changed since it was read. The service reads it again. The stores of orders use the
	// same code.
	ErrOrderChanged = problem.New(problem.Conflict, "order_changed", "The order is being changed by somebody else. Try again.")
	// ErrChanged: the shipment has changed since it was read. The service reads it again.
	ErrChanged = problem.New(problem.Conflict, "shipment_changed", "The shipment is being changed by somebody else. Try again.")
)

// Creation is a new shipment and what is written in its transaction.
type Creation struct {
	Shipment Shipment
	// Order is the order that the shipment was chosen from.
	Order Order
	// Event is shipment.created.
	Event outbox.Event
	// Answer is the record of the request's idempotency key; the zero Record without one.
	Answer idempotency.Record
}

// Store stores shipments. Every change is one transaction: all of it happens or nothing. Repeating an identical Create or
// Record is not an error, because a caller whose answer was lost repeats it.
type Store interface {
	// Create adds the shipment, its tracking token, its event and the answer of its request, and takes its pieces from
	// what is left to ship of the order. It returns ErrOrderChanged if the order is no longer as it was read, and
	// *idempotency.UsedError.
	Create(ctx context.Context, c Creation) error
	// Get returns the shipment or ErrNotFound. It reads consistently.
	Get(ctx context.Context, id string) (Shipment, error)
	// Track returns the shipment with the tracking token, or ErrNotFound.
	Track(ctx context.Context, token string) (Shipment, error)
	// List returns the shipments of an order, oldest first. after is the position that the previous page returned, nil
	// for the first page; the returned position is nil on the last one.
	List(ctx context.Context, orderID string, limit int, after []byte) ([]Shipment, []byte, error)
	// Scan returns a report about a shipment, and false if it has not arrived.
	Scan(ctx context.Context, shipmentID, eventID string) (Scan, bool, error)
	// Record adds the report. If after is not nil it also replaces before, and if event is not nil adds the event.
	// after has the next version and the same id. It returns ErrChanged if the stored version is not before's or the
	// report has arrived before.
	Record(ctx context.Context, scan Scan, before Shipment, after *Shipment, event *outbox.Event) error
}

// Orders reads orders for shipping.
type Orders interface {
	// ForShipping returns the order or ErrOrderNotFound. It reads consistently.
	ForShipping(ctx context.Context, id string) (Order, error)
}
