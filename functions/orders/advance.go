package orders

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/outbox"
)

// The types of the events of payments and shipments that mean something to an order.
const (
	paymentAuthorized = "payment.authorized"
	paymentCaptured   = "payment.captured"
	paymentDeclined   = "payment.declined"

	shipmentCreated   = "shipment.created"
	shipmentPickedUp  = "shipment.picked_up"
	shipmentDelivered = "shipment.delivered"
	shipmentReturned  = "shipment.returned"
	shipmentLost      = "shipment.lost"
)

// incoming is the data of an event that Advance reads. Members that a type does not have are zero.
type incoming struct {
	PaymentID  string       `json:"payment_id"`
	ShipmentID string       `json:"shipment_id"`
	Provider   string       `json:"provider"`
	Currency   string       `json:"currency"`
	Total      *money.Money `json:"total"`
	Pieces     int64        `json:"pieces"`
}

// Advance does what an event of an order, its payments or its shipments means for the order, and counts it: once,
// however often and in whatever order events arrive, because the event is marked as consumed in the transaction of its
// effect, and the effect depends on the stored order alone. It returns ErrNotFound if the order does not exist.
func (s *Service) Advance(ctx context.Context, e outbox.Event) error {
	var data incoming
	if err := e.Decode(&data); err != nil {
		return err
	}
	var change Change
	err := s.retry(func() error {
		o, err := s.store.Get(ctx, e.Subject)
		if err != nil {
			return err
		}
		if change, err = react(o, e.Type, data, s.now()); err != nil {
			return err
		}
		change.Consumed = &e
		return s.store.Apply(ctx, change)
	})
	if errors.Is(err, outbox.ErrConsumed) {
		return nil
	}
	if err == nil {
		count(ctx, e.Type, data, change)
	}
	return err
}

// react returns what an event changes of the order.
func react(o Order, typ string, data incoming, now time.Time) (Change, error) {
	switch typ {
	case paymentAuthorized, paymentCaptured:
		return o.paid(data.PaymentID, now)
	case shipmentDelivered:
		return o.arrived(data.ShipmentID, ParcelDelivered, now)
	case shipmentReturned:
		return o.arrived(data.ShipmentID, ParcelReturned, now)
	case shipmentLost:
		return o.arrived(data.ShipmentID, ParcelLost, now)
	default:
		return unchangedBy(o, now), nil
	}
}

// unchangedBy returns the change that changes nothing.
func unchangedBy(o Order, now time.Time) Change { return Change{Before: o, After: o, At: now} }

// paid confirms the order if there still is money for it, or refuses a payment that comes too late.
func (o Order) paid(paymentID string, now time.Time) (Change, error) {
	change := unchangedBy(o, now)
	if o.PaymentID != paymentID || !o.PaymentStatus.Funded() {
		return change, nil
	}
	if o.Status == StatusExpired || o.Status == StatusCancelled {
		event, err := o.event(EventPaymentRefused, now, eventData{PaymentID: paymentID})
		change.Events = []outbox.Event{event}
		return change, err
	}
	after, row, err := o.apply(Pay, now)
	if errors.Is(err, ErrInvalidTransition) {
		return change, nil // it was confirmed before
	}
	event, err := after.event(row.Event, now, eventData{PaymentID: paymentID})
	return Change{Before: o, After: after, Stock: row.Stock, Events: []outbox.Event{event}, At: now}, err
}

// arrived records what has become of a parcel, and what that means for the order.
func (o Order) arrived(shipmentID string, state ParcelState, now time.Time) (Change, error) {
	after, on, changed := o.parcel(shipmentID, state, now)
	if !changed {
		return unchangedBy(o, now), nil
	}
	change := Change{Before: o, After: after, At: now}
	row, err := o.Status.Next(on)
	if on == "" || errors.Is(err, ErrInvalidTransition) {
		return change, nil // another parcel is on its way or still to be sent, or none has arrived
	}
	change.After.Status = row.To
	change.After.FulfilmentStatus = FulfilmentDelivered
	if on == Return {
		change.After.FulfilmentStatus = FulfilmentReturned
	}
	event, err := change.After.event(row.Event, now, eventData{ShipmentID: shipmentID})
	change.Events = []outbox.Event{event}
	return change, err
}

// count records the business metrics of an event that was consumed.
func count(ctx context.Context, typ string, data incoming, change Change) {
	m := metrics.From(ctx)
	switch typ {
	case EventCreated:
		if data.Total != nil {
			m.OrderPlaced(ctx, data.Total.Currency, mainUnits(*data.Total))
		}
		m.StockReserved(ctx, data.Pieces)
	case EventCancelled:
		m.OrderCancelled(ctx, data.Currency)
	case paymentAuthorized, paymentCaptured:
		if change.Stock == Commit { // one of the two confirms the order
			m.Payment(ctx, metrics.Success, provider(data))
		}
	case paymentDeclined:
		m.Payment(ctx, metrics.Failure, provider(data))
	case shipmentCreated:
		m.Shipment(ctx, metrics.Created)
	case shipmentPickedUp:
		m.Shipment(ctx, metrics.Sent)
	case shipmentDelivered:
		m.Shipment(ctx, metrics.Delivered)
	case shipmentReturned:
		m.Shipment(ctx, metrics.Returned)
	case shipmentLost:
		m.Shipment(ctx, metrics.Lost)
	}
}

// provider returns the name of a payment's provider: one of the code's own, so that labels stay few.
func provider(data incoming) string {
	if data.Provider == "stripe" {
		return data.Provider
	}
	return metrics.Other
}

// mainUnits returns an amount in the currency's main unit. It is for a histogram, and never for money.
func mainUnits(m money.Money) float64 {
	exponent, _ := money.Exponent(m.Currency)
	return float64(m.AmountMinor) / math.Pow10(exponent)
}
