// Package checkout joins the orders to the resources that read and change them, for mains.
package checkout

import (
	"context"
	"errors"
	"time"

	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/functions/orders/ordersddb"
	"github.com/tienda-dev/tienda/functions/shipments"
	"github.com/tienda-dev/tienda/shared/ddb"
)

// Shipping joins the orders to the shipments: it is their Orders, and gives their store the writes that ship an order.
type Shipping struct {
	orders *ordersddb.Store
}

var _ shipments.Orders = (*Shipping)(nil)

// NewShipping returns the orders in the table for the shipments.
func NewShipping(table *ddb.Table) *Shipping {
	return &Shipping{orders: ordersddb.New(table, nil, nil)}
}

// ForShipping implements shipments.Orders.
func (s *Shipping) ForShipping(ctx context.Context, id string) (shipments.Order, error) {
	o, err := s.orders.Get(ctx, id)
	if errors.Is(err, orders.ErrNotFound) { // with the same text as for another customer's order
		err = shipments.ErrOrderNotFound
	}
	if err != nil {
		return shipments.Order{}, err
	}
	return forShipping(o), nil
}

// Ship returns the writes that take the lines from what is left to ship of the order, and change its status. The order
// is read again, because a shipment knows less of it than its store writes.
func (s *Shipping) Ship(ctx context.Context, o shipments.Order, lines []shipments.Line, shipmentID string, now time.Time) ([]ddb.Write, error) {
	stored, err := s.orders.Get(ctx, o.ID)
	if err != nil {
		return nil, err
	}
	if stored.Version != o.Version {
		return nil, shipments.ErrOrderChanged
	}
	shipped := make([]orders.Shipped, len(lines))
	for i, l := range lines {
		shipped[i] = orders.Shipped(l)
	}
	return s.orders.Ship(stored, shipped, shipmentID, now)
}

func forShipping(o orders.Order) shipments.Order {
	out := shipments.Order{
		ID: o.ID, Customer: o.Customer, Phase: phase(o), Version: o.Version, Total: o.Total,
		Lines: make([]shipments.OrderLine, len(o.Lines)),
	}
	for i, l := range o.Lines {
		out.Lines[i] = shipments.OrderLine{SKU: l.SKU, Quantity: l.Quantity, ToShip: l.ToShip, Total: l.Total}
	}
	return out
}

// phase returns what the order's state means for shipping. A confirmed order can lose its money: staff void or refund the
// payment, or the provider's hold ends. A change of the payment is a new version of the order, so that a shipment that
// was begun before it is refused.
func phase(o orders.Order) shipments.Phase {
	switch o.Status {
	case orders.StatusPendingPayment:
		return shipments.Unpaid
	case orders.StatusConfirmed, orders.StatusPartiallyShipped:
		if o.PaymentStatus.Funded() {
			return shipments.Open
		}
		return shipments.Unpaid
	default:
		return shipments.Closed
	}
}
