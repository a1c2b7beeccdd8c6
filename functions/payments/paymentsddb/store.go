// Package paymentsddb keeps payments in DynamoDB. Every change is one transaction: the payment, its refunds, its status at
// the order, the events and the record of the request.
//
//	PK            SK            item
//	PAY#<id>      META          payment; in GSI1 only while something is unknown or due
//	PAY#<id>      RF#<id>       refund
//	O#<order id>  PAY#<id>      that the order has the payment
//	O#<order id>  EV#<id>       event; see package outboxddb
//	ID#<digest>   I             request by its idempotency key; see package idempotencyddb
//	IN#…          I             event that was settled; see package outboxddb
//	WH#<provider>#<id>  I       notification of the provider; kept for a week
//
// GSI1PK is PAYWORK, GSI1SK is <when it is due, milliseconds since 1970, 15 digits>#<id>.
package paymentsddb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/idempotency/idempotencyddb"
	"github.com/tienda-dev/tienda/shared/outbox/outboxddb"
	"github.com/tienda-dev/tienda/shared/problem"
)

// Consumer is the name under which the records of settled events are kept.
const Consumer = "settle-payments"

const (
	byDue = "GSI1"
	work  = "PAYWORK"
	// notificationLife is how long a notification is remembered: longer than the provider repeats it.
	notificationLife = 7 * 24 * time.Hour
)

// errContradiction: the items of a payment contradict each other, which no call can cause.
var errContradiction = errors.New("paymentsddb: the items of a payment contradict each other")

// Orders are the orders of another store on the same client.
type Orders interface {
	// Get returns the order as it is now, or payments.ErrOrderNotFound.
	Get(ctx context.Context, id string) (payments.Order, error)
	// Claim makes the payment the only one that the order has in progress. Its failed condition and its own errors are
	// those of payments.Store.Create.
	Claim(ctx context.Context, o payments.Order, paymentID string, now time.Time) (ddb.Write, error)
	// Record sets the status of the payment at the order. Its failed condition is ErrNotClaimed.
	Record(orderID, paymentID string, status payments.Status, now time.Time) ddb.Write
}

// ErrNotClaimed is a payment that the order does not have in progress.
var ErrNotClaimed = problem.New(problem.Conflict, "payment_not_claimed", "The payment does not claim the order.")

// Store is the payments.Store on a table with the index GSI1. It is safe for concurrent use.
type Store struct {
	table  *ddb.Table
	orders Orders
}

var _ payments.Store = (*Store)(nil)

// New returns a store on the table. It panics when an argument is nil, which no input can cause.
func New(table *ddb.Table, orders Orders) *Store {
	if table == nil || orders == nil {
		panic("paymentsddb: New needs a table and orders")
	}
	return &Store{table: table, orders: orders}
}

// Order implements payments.Store.
func (s *Store) Order(ctx context.Context, id string) (payments.Order, error) {
	return s.orders.Get(ctx, id)
}

// Get implements payments.Store. It reads consistently: money is moved by what it returns.
func (s *Store) Get(ctx context.Context, id string) (payments.Payment, error) {
	var items []ddb.Item
	var start ddb.Position
	for {
		page, next, err := s.table.Query(ctx, ddb.Query{
			Where: expression.Key(ddb.AttrPK).Equal(expression.Value(paymentKey(id).PK)), Start: start, Consistent: true,
		})
		if err != nil {
			return payments.Payment{}, err
		}
		items = append(items, page...)
		if start = next; start == nil {
			return decodePayment(items)
		}
	}
}

// OfOrder implements payments.Store.
func (s *Store) OfOrder(ctx context.Context, orderID string) ([]string, error) {
	items, _, err := s.table.Query(ctx, ddb.Query{
		Where: expression.Key(ddb.AttrPK).Equal(expression.Value(orderPartition(orderID))).
			And(expression.Key(ddb.AttrSK).BeginsWith(paymentPrefix)),
		Consistent: true,
	})
	if err != nil {
		return nil, err
	}
	ids := []string{}
	for _, item := range items {
		key, _ := ddb.KeyOf(item)
		ids = append(ids, strings.TrimPrefix(key.SK, paymentPrefix))
	}
	return ids, nil
}

// Create implements payments.Store. The running record is the first write, so that a repeated request finds it before
// it finds the order claimed.
func (s *Store) Create(ctx context.Context, c payments.Creation) error {
	p := c.Payment
	claim, err := s.orders.Claim(ctx, c.Order, p.ID, p.CreatedAt.Time)
	if err != nil {
		return err
	}
	pointer := ddb.Key{PK: orderPartition(p.OrderID), SK: paymentPrefix + p.ID}
	writes := append(idempotencyddb.Write(s.table, c.Record), claim,
		s.table.Put(newPaymentRecord(p)).If(ddb.Absent(), errContradiction),
		s.table.Put(pointerRecord{PK: pointer.PK, SK: pointer.SK}),
		outboxddb.Write(s.table, orderPartition(p.OrderID), c.Event),
	)
	return s.commit(ctx, writes...)
}

// Apply implements payments.Store.
func (s *Store) Apply(ctx context.Context, c payments.Change) error {
	writes := s.writes(c)
	if c.After.Version == c.Before.Version || c.After.Status == c.Before.Status {
		return s.commit(ctx, writes...)
	}
	err := s.commit(ctx, append(slices.Clone(writes), s.orders.Record(c.After.OrderID, c.After.ID, c.After.Status, c.At))...)
	if errors.Is(err, ErrNotClaimed) { // the order may be paid otherwise: the money is recorded all the same
		return s.commit(ctx, writes...)
	}
	return err
}

// writes are the change without the order.
func (s *Store) writes(c payments.Change) []ddb.Write {
	writes := idempotencyddb.Write(s.table, c.Record)
	if c.Consumed != nil {
		writes = append(writes, outboxddb.Consume(s.table, Consumer, *c.Consumed, c.At))
	}
	if c.Notification != nil {
		writes = append(writes, s.remember(*c.Notification, c.At))
	}
	if c.After.Version == c.Before.Version {
		return writes
	}
	writes = append(writes, s.replace(c))
	for _, r := range c.ChangedRefunds() {
		writes = append(writes, s.table.Put(newRefundRecord(r)))
	}
	for _, e := range c.Events {
		writes = append(writes, outboxddb.Write(s.table, orderPartition(c.After.OrderID), e))
	}
	return writes
}

// replace writes the payment over the one that was read. An attempt that moves money must find enough of it.
func (s *Store) replace(c payments.Change) ddb.Write {
	condition := expression.Name("version").Equal(expression.Value(c.Before.Version)).
		And(expression.Name("status").Equal(expression.Value(c.Before.Status)))
	begins, ok := c.Begins()
	if ok && begins.Operation == payments.OpCapture {
		condition = condition.And(expression.Name("capturable_minor").GreaterThanEqual(expression.Value(begins.Amount.AmountMinor)))
	}
	if ok && begins.Operation == payments.OpRefund {
		condition = condition.And(expression.Name("refundable_minor").GreaterThanEqual(expression.Value(begins.Amount.AmountMinor)))
	}
	return s.table.Put(newPaymentRecord(c.After)).IfElse(condition, func(old ddb.Item) error {
		if old == nil {
			return payments.ErrNotFound
		}
		var stored paymentRecord
		if err := ddb.Decode(old, &stored); err != nil {
			return err
		}
		switch {
		case stored.Version != c.Before.Version || stored.Status != c.Before.Status:
			return payments.ErrStale
		case begins.Operation == payments.OpCapture:
			return payments.ErrAmountExceedsAuthorized
		default:
			return payments.ErrAmountExceedsRefundable
		}
	})
}

// remember records a notification, unless it was recorded before.
func (s *Store) remember(n payments.Notification, now time.Time) ddb.Write {
	return s.table.Put(notificationRecord{
		PK: "WH#" + n.Provider + "#" + n.ID, SK: "I", Type: n.Type, TTL: now.Add(notificationLife).Unix(),
	}).If(ddb.Absent(), payments.ErrDuplicate)
}

// Complete implements payments.Store.
func (s *Store) Complete(ctx context.Context, begun idempotency.Record, a idempotency.Answer) error {
	if begun.IsZero() {
		return nil
	}
	return s.commit(ctx, idempotencyddb.Complete(s.table, begun, a))
}

// Due implements payments.Store.
func (s *Store) Due(ctx context.Context, now time.Time, limit int) ([]string, error) {
	items, _, err := s.table.Query(ctx, ddb.Query{
		Index: byDue, Limit: int32(min(limit, maxDue)),
		Where: expression.Key("GSI1PK").Equal(expression.Value(work)).
			And(expression.Key("GSI1SK").LessThan(expression.Value(dueKey(now.Add(time.Millisecond), "")))),
	})
	if err != nil {
		return nil, err
	}
	ids := []string{}
	for _, item := range items {
		key, _ := ddb.KeyOf(item)
		ids = append(ids, strings.TrimPrefix(key.PK, paymentPrefix))
	}
	return ids, nil
}

const maxDue = 1000

func dueKey(at time.Time, id string) string { return fmt.Sprintf("%015d#%s", at.UnixMilli(), id) }

func (s *Store) commit(ctx context.Context, writes ...ddb.Write) error {
	if len(writes) == 0 {
		return nil
	}
	return ddb.Commit(ctx, s.table.Client(), writes...)
}
