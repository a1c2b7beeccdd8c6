package ordersddb

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/outbox/outboxddb"
)

// ClaimForPayment makes the payment the only one that the order has in progress, for the transaction that makes the
// payment. o is the order as it was read. Its failed condition is orders.ErrChanged, ErrExpired, ErrPaid,
// ErrPaymentInProgress or ErrInvalidTransition.
func (s *Store) ClaimForPayment(o orders.Order, paymentID string, now time.Time) ddb.Write {
	free := unchanged(o).
		And(expression.Name("status").Equal(expression.Value(orders.StatusPendingPayment))).
		And(expression.Name("expires_at").GreaterThan(expression.Value(now.UnixMilli()))).
		And(expression.AttributeNotExists(expression.Name("payment_id")))
	return s.table.Put(newOrderRecord(o.Claimed(paymentID, now))).IfElse(free, func(old ddb.Item) error {
		if old == nil {
			return orders.ErrNotFound
		}
		var record orderRecord
		if err := ddb.Decode(old, &record); err != nil {
			return err
		}
		if err := record.order().Payable(now); err != nil {
			return err
		}
		return orders.ErrChanged
	})
}

// RecordPayment sets the order's payment status, for the transaction that changes the payment. It changes no other
// state. A declined payment gives its claim up, so that another one may follow. Its failed condition is
// orders.ErrNotClaimed.
func (s *Store) RecordPayment(orderID, paymentID string, status orders.PaymentStatus, now time.Time) ddb.Write {
	version := expression.Name("version")
	change := expression.
		Set(expression.Name("payment_status"), expression.Value(status)).
		Set(version, version.Plus(expression.Value(1))).
		Set(expression.Name("updated_at"), expression.Value(now.UnixMilli()))
	if status == orders.PaymentDeclined {
		change = change.Remove(expression.Name("payment_id"))
	}
	claimed := expression.Name("payment_id").Equal(expression.Value(paymentID))
	return s.table.Update(orderKey(orderID), change).If(claimed, orders.ErrNotClaimed)
}

// Ship takes the pieces of a shipment from what is left to ship and writes the order's event, for the transaction
// that makes the shipment. o is the order as it was read. It returns what orders.Order.ShipEvent returns, and the failed
// condition of the first write is orders.ErrChanged.
func (s *Store) Ship(o orders.Order, lines []orders.Shipped, shipmentID string, now time.Time) ([]ddb.Write, error) {
	after, event, err := o.ShipEvent(lines, shipmentID, now)
	if err != nil {
		return nil, err
	}
	return []ddb.Write{s.replace(o, after), outboxddb.Write(s.table, partition(o.ID), event)}, nil
}
