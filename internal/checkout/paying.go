package checkout

import (
	"context"
	"errors"
	"time"

	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/functions/orders/ordersddb"
	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/functions/payments/paymentsddb"
	"github.com/tienda-dev/tienda/shared/ddb"
)

// Payments returns the store of payments, joined to the orders of the same table.
func Payments(table *ddb.Table) *paymentsddb.Store {
	return paymentsddb.New(table, Paying{ordersddb.New(table, nil, nil)})
}

// Paying is the orders as their payments see them.
type Paying struct {
	// Orders makes and ends no order here.
	Orders *ordersddb.Store
}

var _ paymentsddb.Orders = Paying{}

// Get implements paymentsddb.Orders.
func (p Paying) Get(ctx context.Context, id string) (payments.Order, error) {
	o, err := p.Orders.Get(ctx, id)
	if errors.Is(err, orders.ErrNotFound) {
		return payments.Order{}, payments.ErrOrderNotFound
	}
	return payable(o), err
}

// payable is the order as its payments see it.
func payable(o orders.Order) payments.Order {
	state := payments.OrderPaid
	switch o.Status {
	case orders.StatusPendingPayment:
		state = payments.OrderOpen
	case orders.StatusExpired:
		state = payments.OrderExpired
	case orders.StatusCancelled:
		state = payments.OrderCancelled
	case orders.StatusConfirmed, orders.StatusPartiallyShipped, orders.StatusShipped, orders.StatusDelivered, orders.StatusReturned:
	}
	return payments.Order{
		ID: o.ID, Customer: o.Customer, Total: o.Total, State: state, PaymentID: o.PaymentID,
		ExpiresAt: o.ExpiresAt, Version: o.Version, UpdatedAt: o.UpdatedAt,
	}
}

// Claim implements paymentsddb.Orders. It reads the order again, because the claim writes all of it.
func (p Paying) Claim(ctx context.Context, o payments.Order, paymentID string, now time.Time) (ddb.Write, error) {
	stored, err := p.Orders.Get(ctx, o.ID)
	if errors.Is(err, orders.ErrNotFound) {
		return ddb.Write{}, payments.ErrOrderNotFound
	}
	if err != nil {
		return ddb.Write{}, err
	}
	if err := stored.Payable(now); err != nil {
		return ddb.Write{}, err
	}
	if stored.Version != o.Version {
		return ddb.Write{}, payments.ErrOrderChanged
	}
	return p.Orders.ClaimForPayment(stored, paymentID, now), nil
}

// Record implements paymentsddb.Orders.
func (p Paying) Record(orderID, paymentID string, status payments.Status, now time.Time) ddb.Write {
	return p.Orders.RecordPayment(orderID, paymentID, atOrder(status), now)
}

// atOrder is a payment's status by the name that orders have for it.
func atOrder(status payments.Status) orders.PaymentStatus {
	if status == payments.Authorizing {
		return orders.PaymentProcessing
	}
	return orders.PaymentStatus(status)
}
