//go:build integration

package paymentsddb_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/functions/payments/paymentsddb"
	"github.com/tienda-dev/tienda/functions/payments/paymentstest"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/outbox"
	"github.com/tienda-dev/tienda/shared/outbox/outboxddb"
)

// orders are orders of a few attributes. Package checkout joins the real ones.
type orders struct{ table *ddb.Table }

type orderRecord struct {
	PK       string              `dynamodbav:"PK"`
	SK       string              `dynamodbav:"SK"`
	Customer string              `dynamodbav:"customer"`
	Total    money.Money         `dynamodbav:"total"`
	State    payments.OrderState `dynamodbav:"state"`
	Payment  string              `dynamodbav:"payment_id,omitempty"`
	Status   payments.Status     `dynamodbav:"payment_status,omitempty"`
	Expires  int64               `dynamodbav:"expires_at"`
	Version  int64               `dynamodbav:"version"`
}

func (r orderRecord) order(id string) payments.Order {
	return payments.Order{
		ID: id, Customer: r.Customer, Total: r.Total, State: r.State, PaymentID: r.Payment, Version: r.Version,
		ExpiresAt: api.NewTime(time.UnixMilli(r.Expires)),
	}
}

func key(id string) ddb.Key { return ddb.Key{PK: "O#" + id, SK: "META"} }

func (o orders) Get(ctx context.Context, id string) (payments.Order, error) {
	var r orderRecord
	found, err := o.table.Get(ctx, key(id), &r, true)
	if err == nil && !found {
		err = payments.ErrOrderNotFound
	}
	return r.order(id), err
}

func (o orders) Claim(_ context.Context, read payments.Order, paymentID string, _ time.Time) (ddb.Write, error) {
	change := expression.Set(expression.Name("payment_id"), expression.Value(paymentID)).
		Set(expression.Name("payment_status"), expression.Value(payments.Authorizing)).
		Set(expression.Name("version"), expression.Name("version").Plus(expression.Value(1)))
	free := expression.Name("version").Equal(expression.Value(read.Version)).
		And(expression.Name("state").Equal(expression.Value(payments.OrderOpen)), expression.AttributeNotExists(expression.Name("payment_id")))
	return o.table.Update(key(read.ID), change).IfElse(free, func(old ddb.Item) error {
		var r orderRecord
		if err := ddb.Decode(old, &r); err != nil {
			return err
		}
		switch {
		case r.State == payments.OrderPaid:
			return payments.ErrAlreadyPaid
		case r.State == payments.OrderExpired:
			return payments.ErrOrderExpired
		case r.State != payments.OrderOpen:
			return payments.ErrInvalidTransition
		case r.Payment != "":
			return payments.ErrInProgress
		default:
			return payments.ErrOrderChanged
		}
	}), nil
}

func (o orders) Record(orderID, paymentID string, status payments.Status, _ time.Time) ddb.Write {
	change := expression.Set(expression.Name("payment_status"), expression.Value(status)).
		Set(expression.Name("version"), expression.Name("version").Plus(expression.Value(1)))
	if status == payments.Declined {
		change = change.Remove(expression.Name("payment_id"))
	}
	return o.table.Update(key(orderID), change).
		If(expression.Name("payment_id").Equal(expression.Value(paymentID)), paymentsddb.ErrNotClaimed)
}

// shop is the store with its orders, as the suite needs them.
type shop struct {
	*paymentsddb.Store

	t     *testing.T
	table *ddb.Table
}

func newShop(t *testing.T, table *ddb.Table) shop {
	t.Helper()
	return shop{Store: paymentsddb.New(table, orders{table}), t: t, table: table}
}

func (s shop) PutOrder(o payments.Order) {
	s.t.Helper()
	r := orderRecord{
		PK: key(o.ID).PK, SK: key(o.ID).SK, Customer: o.Customer, Total: o.Total, State: o.State, Payment: o.PaymentID,
		Expires: o.ExpiresAt.UnixMilli(), Version: o.Version,
	}
	if err := ddb.Commit(s.t.Context(), s.table.Client(), s.table.Put(r)); err != nil {
		s.t.Fatal(err)
	}
}

func (s shop) PaymentStatus(ctx context.Context, orderID string) (payments.Status, error) {
	var r orderRecord
	_, err := s.table.Get(ctx, key(orderID), &r, true)
	return r.Status, err
}

func (s shop) Events(ctx context.Context, orderID string) ([]outbox.Event, error) {
	events, _, err := outboxddb.List(ctx, s.table, "O#"+orderID, 100, nil)
	return events, err
}

func TestStore(t *testing.T) {
	t.Parallel()
	paymentstest.Run(t, func(t *testing.T) paymentstest.Shop {
		t.Helper()
		return newShop(t, ddbtest.Table(t))
	})
}

// A transaction whose answer is lost is done once, and its caller gets no error.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]ddbtest.Fault{"Closed": ddbtest.LoseResponse, "Answered500": ddbtest.FailAfterCommit} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faults := &ddbtest.Faults{}
			s := newShop(t, ddbtest.Table(t, faults.Option))
			o := paymentstest.NewOrder()
			s.PutOrder(o)
			p := paymentstest.NewPayment(o)
			faults.Inject("TransactWriteItems", fault)
			err := s.Create(t.Context(), payments.Creation{Payment: p, Order: o, Event: paymentstest.NewEvent(t, payments.EventCreated, o.ID)})
			if err != nil {
				t.Fatalf("Create: %v", err)
			}
			after := p.Clone()
			after.Version, after.Status = 2, payments.Unknown
			faults.Inject("TransactWriteItems", fault)
			change := payments.Change{Before: p, After: after, Events: []outbox.Event{paymentstest.NewEvent(t, payments.EventUnknown, o.ID)}, At: paymentstest.Time(1).Time}
			if err := s.Apply(t.Context(), change); err != nil {
				t.Fatalf("Apply: %v", err)
			}
			events, err := s.Events(t.Context(), o.ID)
			if err != nil || len(events) != 2 {
				t.Errorf("got %d events, %v; want 2", len(events), err)
			}
			if err := s.Apply(t.Context(), change); !errors.Is(err, payments.ErrStale) {
				t.Errorf("the change again: %v, want %v", err, payments.ErrStale)
			}
		})
	}
}

// A payment of which nothing is unknown or due is not in the index.
func TestIndexHasOnlyWork(t *testing.T) {
	t.Parallel()
	table := ddbtest.Table(t)
	s := newShop(t, table)
	o := paymentstest.NewOrder()
	s.PutOrder(o)
	p := paymentstest.NewPayment(o)
	if err := s.Create(t.Context(), payments.Creation{Payment: p, Order: o, Event: paymentstest.NewEvent(t, payments.EventCreated, o.ID)}); err != nil {
		t.Fatal(err)
	}
	count := func() int {
		items, _, err := table.Query(t.Context(), ddb.Query{Index: "GSI1", Where: expression.Key("GSI1PK").Equal(expression.Value("PAYWORK"))})
		if err != nil {
			t.Fatal(err)
		}
		return len(items)
	}
	if got := count(); got != 1 {
		t.Errorf("the index has %d payments, want 1", got)
	}
	after := p.Clone()
	after.Version, after.Status, after.Pending, after.NextAt = 2, payments.Declined, nil, api.Time{}
	if err := s.Apply(t.Context(), payments.Change{Before: p, After: after, At: paymentstest.Time(1).Time}); err != nil {
		t.Fatal(err)
	}
	if got := count(); got != 0 {
		t.Errorf("the index has %d payments, want none", got)
	}
}
