// Package events sends the events of orders, payments and shipments to the queues of the workers that wait for
// them.
package events

import (
	"slices"
	"strings"

	"github.com/tienda-dev/tienda/shared/outbox"
)

// Queue is a queue of events, by the part of its name that is the same in every stack.
type Queue string

// The queues.
const (
	// OrderEvents is read by advance-orders.
	OrderEvents Queue = "OrderEventsQueue"
	// PaymentEvents is read by settle-payments.
	PaymentEvents Queue = "PaymentEventsQueue"
)

// Subscription is which events a queue gets.
type Subscription struct {
	Queue Queue
	// Types are event types, or all types of an entity ("order.*").
	Types []string
}

// Subscriptions is the table of all subscriptions. docs/events.md prints it.
func Subscriptions() []Subscription {
	return []Subscription{
		{OrderEvents, []string{"order.*", "payment.*", "shipment.*"}},
		{PaymentEvents, []string{"order.cancelled", "order.expired", "order.payment_refused", "shipment.created"}},
	}
}

// subscribers returns the names of the queues that get an event.
func subscribers(e outbox.Event) []string {
	entity, _, _ := strings.Cut(e.Type, ".")
	var queues []string
	for _, s := range Subscriptions() {
		if slices.Contains(s.Types, e.Type) || slices.Contains(s.Types, entity+".*") {
			queues = append(queues, string(s.Queue))
		}
	}
	return queues
}
