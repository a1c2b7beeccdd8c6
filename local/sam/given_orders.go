package sam

import (
	"context"
	"errors"
	"time"

	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/internal/checkout"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/outbox"
)

// givenOrder is the order in the sample events: one piece of givenProduct, which nobody has paid.
const givenOrder = "01JD7QG0D4R1A8K5T2V9W6X3YZ"

// givenOrders writes an order that does not expire.
func givenOrders(ctx context.Context, table *ddb.Table) error {
	if _, err := checkout.Store(table).Get(ctx, givenOrder); !errors.Is(err, orders.ErrNotFound) {
		return err
	}
	_, err := givenOpenOrder(ctx, table, givenOrder, givenUser)
	return err
}

// givenOpenOrder writes an order of one piece of givenProduct that waits for its payment.
func givenOpenOrder(ctx context.Context, table *ddb.Table, id, customer string) (orders.Order, error) {
	at := api.NewTime(givenAt())
	o := orders.Order{
		ID: id, Status: orders.StatusPendingPayment, PaymentStatus: orders.PaymentNone, FulfilmentStatus: orders.FulfilmentNone,
		Lines: []orders.Line{{
			SKU: "CUP-ESP-RED", ProductID: givenProduct, Name: "Espresso cup, red", Quantity: 1, ToShip: 1,
			UnitPrice: eur(1290), Discount: eur(0), Tax: eur(271), Total: eur(1561),
		}},
		Subtotal: eur(1290), Discount: eur(0), Shipping: eur(490), Tax: eur(271), Total: eur(2051),
		ShipTo:    policy.Address{Name: "María López", Line1: "Calle Mayor 1", City: "Madrid", PostalCode: "28013", Country: "ES"},
		ExpiresAt: api.NewTime(time.Date(2100, time.January, 1, 0, 0, 0, 0, time.UTC)),
		Version:   1, CreatedAt: at, UpdatedAt: at, Customer: customer,
	}
	event, err := outbox.New(at.Time, orders.EventCreated, o.ID, struct {
		OrderID  string      `json:"order_id"`
		Version  int64       `json:"version"`
		Currency string      `json:"currency"`
		Total    money.Money `json:"total"`
		Pieces   int64       `json:"pieces"`
	}{o.ID, o.Version, o.Total.Currency, o.Total, 1})
	if err != nil {
		return orders.Order{}, err
	}
	return o, checkout.Store(table).Create(ctx, orders.Creation{Order: o, Versions: map[string]int64{givenProduct: 1}, Event: event})
}
