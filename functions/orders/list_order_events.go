package orders

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/outbox"
	"github.com/tienda-dev/tienda/shared/page"
)

type eventLister interface {
	Events(ctx context.Context, id string, reader Reader, limit int, after []byte) ([]outbox.Event, []byte, error)
}

// Entry is one event in the timeline of an order.
type Entry struct {
	// ID is a ULID. Events are in the order of their ids.
	ID string `json:"id"`
	// Type is the entity and what happened to it ("order.confirmed").
	Type string   `json:"type"`
	Time api.Time `json:"time"`
	// Data is what happened.
	Data Happening `json:"data"`
}

// Happening is the data of an event. The type of the event decides which members it has.
type Happening struct {
	OrderID string `json:"order_id"`
	// Version is that of the order, payment or shipment that has changed.
	Version int64 `json:"version,omitempty"`
	// Currency and Total are the order's.
	Currency string       `json:"currency,omitempty"`
	Total    *money.Money `json:"total,omitempty"`
	// Pieces is the number of pieces of a new order. Only staff see it.
	Pieces int64 `json:"pieces,omitempty"`
	// Reason is why an order was cancelled, and By is who did it. Only staff see a reason of staff.
	Reason Reason `json:"reason,omitempty"`
	By     By     `json:"by,omitempty"`
	// PaymentID is the payment of the event.
	PaymentID string `json:"payment_id,omitempty"`
	// RefundID is the refund of the event.
	RefundID string `json:"refund_id,omitempty"`
	// Amount is what this event captures, refunds or ships.
	Amount *money.Money `json:"amount,omitempty"`
	// Captured and Refunded are what a payment has captured and refunded in all.
	Captured *money.Money `json:"captured,omitempty"`
	Refunded *money.Money `json:"refunded,omitempty"`
	// Code is why a payment was declined.
	Code string `json:"code,omitempty"`
	// ShipmentID is the shipment of the event, and Lines are the pieces in it.
	ShipmentID string `json:"shipment_id,omitempty"`
	Lines      []Item `json:"lines,omitempty"`
	// At is when the carrier reported it.
	At *api.Time `json:"at,omitempty"`
}

// ListOrderEvents answers 200 with a page of the order's timeline, oldest first: the events of the order, of its payments
// and of its shipments. Query parameters: limit (1 to 100, default 20) and cursor. It is 404 for an order that does not
// exist or is another customer's.
func ListOrderEvents(orders eventLister, cursors page.Cursors) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		query, err := page.ParseQuery(r)
		if err != nil {
			return err
		}
		id, ok := api.ULID(r.PathValue("id"))
		if !ok {
			return ErrNotFound
		}
		reader := readerOf(r)
		binding := page.Binding{Route: ListOrderEventsRoute.Name, Principal: reader.ID, Filter: id}
		list, err := page.Read(query, cursors.Get(r.Context()), binding, func(limit int, after []byte) ([]Entry, []byte, error) {
			events, next, err := orders.Events(r.Context(), id, reader, limit, after)
			if err != nil {
				return nil, nil, err
			}
			entries, err := entries(events, reader.Staff)
			return entries, next, err
		})
		if err != nil {
			return err
		}
		return api.Write(w, http.StatusOK, list)
	}
}

// entries returns the events as a reader sees them. Members that are not listed in Happening are for other programs.
func entries(events []outbox.Event, staff bool) ([]Entry, error) {
	list := make([]Entry, len(events))
	for i, e := range events {
		list[i] = Entry{ID: e.ID, Type: e.Type, Time: api.NewTime(e.Time)}
		if err := e.Decode(&list[i].Data); err != nil {
			return nil, err
		}
		if !staff {
			list[i].Data.Pieces = 0
			if list[i].Data.By == ByStaff {
				list[i].Data.Reason = ""
			}
		}
	}
	return list, nil
}
