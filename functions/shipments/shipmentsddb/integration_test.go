//go:build integration

package shipmentsddb_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/shipments"
	"github.com/tienda-dev/tienda/functions/shipments/shipmentsddb"
	"github.com/tienda-dev/tienda/functions/shipments/shipmentstest"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
	"github.com/tienda-dev/tienda/shared/outbox"
	"github.com/tienda-dev/tienda/shared/outbox/outboxddb"
)

// orders keeps the orders of a test in the table. The shop's own store of orders has tests of its own.
type orders struct{ table *ddb.Table }

type orderRecord struct {
	ddb.Key

	Order   shipments.Order `dynamodbav:"order"`
	Version int64           `dynamodbav:"version"`
}

func orderKey(id string) ddb.Key { return ddb.Key{PK: "O#" + id, SK: "META"} }

func (o orders) AddOrder(ctx context.Context, order shipments.Order) error {
	return ddb.Commit(ctx, o.table.Client(), o.table.Put(orderRecord{Key: orderKey(order.ID), Order: order, Version: order.Version}))
}

func (o orders) ForShipping(ctx context.Context, id string) (shipments.Order, error) {
	var r orderRecord
	found, err := o.table.Get(ctx, orderKey(id), &r, true)
	if err == nil && !found {
		err = shipments.ErrOrderNotFound
	}
	return r.Order, err
}

func (o orders) Ship(_ context.Context, order shipments.Order, lines []shipments.Line, _ string, _ time.Time) ([]ddb.Write, error) {
	next := order
	next.Version++
	next.Lines = slices.Clone(next.Lines)
	for i, l := range next.Lines {
		for _, taken := range lines {
			if taken.SKU == l.SKU {
				next.Lines[i].ToShip -= taken.Quantity
			}
		}
	}
	unchanged := expression.Name("version").Equal(expression.Value(order.Version))
	record := orderRecord{Key: orderKey(order.ID), Order: next, Version: next.Version}
	return []ddb.Write{o.table.Put(record).If(unchanged, shipments.ErrOrderChanged)}, nil
}

// store is a store with the orders and events of its table.
type store struct {
	*shipmentsddb.Store
	orders
}

func (s store) Events(ctx context.Context, orderID string) ([]outbox.Event, error) {
	events, _, err := outboxddb.List(ctx, s.table, "O#"+orderID, 100, nil)
	return events, err
}

func newStore(table *ddb.Table) store {
	o := orders{table: table}
	return store{Store: shipmentsddb.New(table, o), orders: o}
}

func TestStore(t *testing.T) {
	t.Parallel()
	shipmentstest.Run(t, func(t *testing.T) shipmentstest.Store {
		t.Helper()
		return newStore(ddbtest.Table(t))
	})
}

// A shipment and a report happen once although their answers are lost.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]ddbtest.Fault{
		"LostResponse": ddbtest.LoseResponse, "FailAfterCommit": ddbtest.FailAfterCommit, "BrokenOff": ddbtest.BreakOff,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faults := &ddbtest.Faults{}
			s := newStore(ddbtest.Table(t, faults.Option))
			order := shipmentstest.NewOrder()
			if err := s.AddOrder(t.Context(), order); err != nil {
				t.Fatal(err)
			}
			service := shipments.NewService(s, s, func() time.Time { return shipmentstest.Time(5).Time })
			faults.Inject("TransactWriteItems", fault, ddbtest.Throttle, fault)
			made, err := service.Create(t.Context(), order.ID, []shipments.Line{{SKU: "CUP", Quantity: 1}}, "Correos")
			if err != nil {
				t.Fatalf("Create: %v", err)
			}
			faults.Inject("TransactWriteItems", fault, ddbtest.Throttle, fault)
			scan, err := service.Record(t.Context(), made.ID, "e1", shipments.ScanPickedUp, shipmentstest.Time(4))
			if err != nil || !scan.Moved {
				t.Fatalf("Record: %+v, %v", scan, err)
			}
			left, err := s.ForShipping(t.Context(), order.ID)
			if err != nil || left.Lines[1].ToShip != 1 {
				t.Errorf("%d pieces left, %v; want 1", left.Lines[1].ToShip, err)
			}
			events, err := s.Events(t.Context(), order.ID)
			if err != nil || len(events) != 2 {
				t.Errorf("%d events, %v; want one for each change", len(events), err)
			}
		})
	}
}

// A change must be based on the stored version, and a clerk who has just made a shipment must find it. What everybody
// may read as often as they like costs half.
func TestReads(t *testing.T) {
	t.Parallel()
	var reads ddbtest.Reads
	s := newStore(ddbtest.Table(t, reads.Option))
	order := shipmentstest.NewOrder()
	if err := s.AddOrder(t.Context(), order); err != nil {
		t.Fatal(err)
	}
	made, err := shipments.NewService(s, s, func() time.Time { return shipmentstest.Time(5).Time }).Create(t.Context(), order.ID, nil, "Correos")
	if err != nil {
		t.Fatal(err)
	}
	get := ddbtest.Read{Operation: "GetItem", Consistent: true}
	for name, tc := range map[string]struct {
		read func() error
		want []ddbtest.Read
	}{
		"Get":  {func() error { _, err := s.Get(t.Context(), made.ID); return err }, []ddbtest.Read{get}},
		"Scan": {func() error { _, _, err := s.Scan(t.Context(), made.ID, "e1"); return err }, []ddbtest.Read{get}},
		"Track": {
			func() error { _, err := s.Track(t.Context(), made.TrackingToken); return err },
			[]ddbtest.Read{{Operation: "GetItem"}, {Operation: "GetItem"}},
		},
		"List": {
			func() error { _, _, err := s.List(t.Context(), order.ID, 10, nil); return err },
			[]ddbtest.Read{{Operation: "Query", Consistent: true}, {Operation: "BatchGetItem", Consistent: true}},
		},
	} {
		reads.Take()
		if err := tc.read(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tc.want, reads.Take()); diff != "" {
			t.Errorf("%s: reads (-want +got):\n%s", name, diff)
		}
	}
}

func TestCreateNeedsOrders(t *testing.T) {
	t.Parallel()
	s := shipmentsddb.New(ddbtest.Table(t), nil)
	if err := s.Create(t.Context(), shipments.Creation{}); err == nil || errors.Is(err, ddb.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}
