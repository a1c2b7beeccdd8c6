package sam

import (
	"context"
	"errors"
	"time"

	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/functions/shipments"
	"github.com/tienda-dev/tienda/functions/shipments/shipmentsddb"
	"github.com/tienda-dev/tienda/internal/checkout"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/outbox"
)

// The paid order in the sample events, of another customer: two pieces of givenProduct, one of which is in a parcel.
const (
	givenPaidOrder = "01JD7RB6N4K2T8W5Y1E9C3M7ZA"
	givenShipment  = "01JD7RC8P5M3V9X6Z2F0D4N8AB"
	givenTracking  = "MFRGGZDFMZTWQ2LKNNWG23TPOA"
	givenNeighbour = "01JD7PZC3H8Y5E2A9B6D4F7G0M"
)

// givenShipments writes the paid order and its first parcel.
func givenShipments(ctx context.Context, table *ddb.Table) error {
	store := checkout.Store(table)
	if _, err := store.Get(ctx, givenPaidOrder); !errors.Is(err, orders.ErrNotFound) {
		return err
	}
	at := api.NewTime(givenAt())
	o := orders.Order{
		ID: givenPaidOrder, Status: orders.StatusPendingPayment, PaymentStatus: orders.PaymentNone, FulfilmentStatus: orders.FulfilmentNone,
		Lines: []orders.Line{{
			SKU: "CUP-ESP-RED", ProductID: givenProduct, Name: "Espresso cup, red", Quantity: 2, ToShip: 2,
			UnitPrice: eur(1290), Discount: eur(0), Tax: eur(0), Total: eur(2580),
		}},
		Subtotal: eur(2580), Discount: eur(0), Shipping: eur(0), Tax: eur(0), Total: eur(2580),
		ShipTo:    policy.Address{Name: "Ana Ruiz", Line1: "Calle Mayor 3", City: "Madrid", PostalCode: "28013", Country: "ES"},
		ExpiresAt: api.NewTime(time.Date(2100, time.January, 1, 0, 0, 0, 0, time.UTC)),
		Version:   1, CreatedAt: at, UpdatedAt: at, Customer: givenNeighbour,
	}
	event, err := givenEvent(at, orders.EventCreated, o.Version)
	if err != nil {
		return err
	}
	err = store.Create(ctx, orders.Creation{Order: o, Versions: map[string]int64{givenProduct: 1}, Event: event})
	if err != nil {
		return err
	}
	paid := o.Clone()
	paid.Status, paid.PaymentStatus, paid.Version = orders.StatusConfirmed, orders.PaymentAuthorized, o.Version+1
	if err := store.Apply(ctx, orders.Change{Before: o, After: paid, Stock: orders.Commit, At: at.Time}); err != nil {
		return err
	}
	return ship(ctx, table, at)
}

// ship puts one piece of the paid order into a parcel.
func ship(ctx context.Context, table *ddb.Table, at api.Time) error {
	joined := checkout.NewShipping(table)
	order, err := joined.ForShipping(ctx, givenPaidOrder)
	if err != nil {
		return err
	}
	event, err := givenEvent(at, "shipment.created", 1)
	if err != nil {
		return err
	}
	return shipmentsddb.New(table, joined).Create(ctx, shipments.Creation{
		Shipment: shipments.Shipment{
			ID: givenShipment, OrderID: givenPaidOrder, Status: shipments.Created, Carrier: "Correos",
			Lines: []shipments.Line{{SKU: "CUP-ESP-RED", Quantity: 1}}, Amount: eur(1290), TrackingToken: givenTracking,
			Version: 1, CreatedAt: at, UpdatedAt: at, Customer: givenNeighbour,
		},
		Order: order, Event: event,
	})
}

// givenEvent returns an event of the paid order. Nobody consumes it: the samples run one function alone.
func givenEvent(at api.Time, typ string, version int64) (outbox.Event, error) {
	return outbox.New(at.Time, typ, givenPaidOrder, struct {
		OrderID string `json:"order_id"`
		Version int64  `json:"version"`
	}{givenPaidOrder, version})
}
