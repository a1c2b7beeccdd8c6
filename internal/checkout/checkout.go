// Package checkout joins the orders to the catalogue's stock and to the prices, for the mains that make and change
// orders.
package checkout

import (
	"context"
	"time"

	"github.com/tienda-dev/tienda/functions/catalog/catalogddb"
	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/functions/orders/ordersddb"
	"github.com/tienda-dev/tienda/functions/pricing"
	"github.com/tienda-dev/tienda/functions/pricing/pricingddb"
	"github.com/tienda-dev/tienda/internal/prices"
	"github.com/tienda-dev/tienda/shared/ddb"
)

// Store returns the store of the orders on the table, whose transactions change stock, codes and quotes too.
func Store(table *ddb.Table) *ordersddb.Store {
	return ordersddb.New(table, catalogddb.New(table), pricingddb.New(table))
}

// Orders returns the service that makes and changes the orders of the table; now is the clock.
func Orders(table *ddb.Table, now func() time.Time) *orders.Service {
	return orders.NewService(Store(table), Offers{prices.Service(table, now)}, now)
}

// Offers is the prices as the orders see them.
type Offers struct {
	// Prices is a *pricing.Service.
	Prices interface {
		Price(ctx context.Context, req pricing.Request) (pricing.Quote, error)
		Stored(ctx context.Context, id, customer string) (pricing.Quote, error)
	}
}

var _ orders.Offers = Offers{}

// Price implements orders.Offers.
func (o Offers) Price(ctx context.Context, b orders.Basket) (orders.Offer, error) {
	req := pricing.Request{Customer: b.Customer, Codes: b.Codes, ShipTo: b.ShipTo}
	for _, item := range b.Items {
		req.Lines = append(req.Lines, pricing.Item(item))
	}
	q, err := o.Prices.Price(ctx, req)
	if err != nil {
		return orders.Offer{}, err
	}
	return offer(q), nil
}

// Quoted implements orders.Offers.
func (o Offers) Quoted(ctx context.Context, quoteID, customer string) (orders.Offer, error) {
	q, err := o.Prices.Stored(ctx, quoteID, customer)
	if err != nil {
		return orders.Offer{}, err
	}
	return offer(q), nil
}

func offer(q pricing.Quote) orders.Offer {
	made := orders.Offer{
		Subtotal: q.Subtotal, Discount: q.Discount, Shipping: q.Shipping, Tax: q.Tax, Total: q.Total,
		Codes: q.Codes, ShipTo: q.ShipTo, Versions: make(map[string]int64, len(q.Lines)),
	}
	for _, line := range q.Lines {
		made.Lines = append(made.Lines, orders.Line{
			SKU: line.SKU, ProductID: line.ProductID, Name: line.Name, Quantity: line.Quantity,
			UnitPrice: line.UnitPrice, Discount: line.Discount, Tax: line.Tax, Total: line.Total,
		})
		made.Versions[line.ProductID] = line.ProductVersion
	}
	return made
}
