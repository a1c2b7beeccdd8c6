// Package shipmentsddb keeps shipments in DynamoDB. Every change is one transaction.
//
//	PK             SK               item
//	SH#<id>        META             shipment
//	SH#<id>        SC#<event id>    a carrier's report
//	O#<order id>   SH#<id>          pointer from an order to its shipment
//	TRK#<token>    T                pointer from a tracking token to its shipment
package shipmentsddb

import (
	"context"
	"errors"
	"reflect"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/functions/shipments"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/idempotency/idempotencyddb"
	"github.com/tienda-dev/tienda/shared/outbox"
	"github.com/tienda-dev/tienda/shared/outbox/outboxddb"
)

// errContradiction: the items of a shipment contradict each other, which no call can cause.
var errContradiction = errors.New("shipmentsddb: the items of a shipment contradict each other")

// orders returns what takes the pieces of a shipment from what is left to ship of its order, and changes its status. It
// fails with shipments.ErrOrderChanged, at once or when the writes are committed, if the order is no longer as it was
// read.
type orders interface {
	Ship(ctx context.Context, o shipments.Order, lines []shipments.Line, shipmentID string, now time.Time) ([]ddb.Write, error)
}

// Store is the shipments.Store on a table. It is safe for concurrent use.
type Store struct {
	table  *ddb.Table
	orders orders
}

var _ shipments.Store = (*Store)(nil)

// New returns a store on the table. Only Create needs the orders; elsewhere they may be nil. It panics when the table
// is nil, which no input can cause.
func New(table *ddb.Table, orders orders) *Store {
	if table == nil {
		panic("shipmentsddb: New needs a table")
	}
	return &Store{table: table, orders: orders}
}

// Create implements shipments.Store. The answer's record is the first item of the transaction: a repeated request gets
// its first answer even if nothing is left to ship now.
func (s *Store) Create(ctx context.Context, c shipments.Creation) error {
	if s.orders == nil {
		return errors.New("shipmentsddb: Create needs the orders")
	}
	made := c.Shipment
	shipped, err := s.orders.Ship(ctx, c.Order, made.Lines, made.ID, made.CreatedAt.Time)
	if err != nil {
		return err
	}
	writes := idempotencyddb.Write(s.table, c.Answer)
	writes = append(writes, s.add(made))
	writes = append(writes, shipped...)
	writes = append(
		writes,
		s.table.Put(pointerRecord{Key: pointerKey(made.OrderID, made.ID), ShipmentID: made.ID}),
		s.table.Put(pointerRecord{Key: tokenKey(made.TrackingToken), ShipmentID: made.ID}),
		outboxddb.Write(s.table, orderPartition(made.OrderID), c.Event),
	)
	return ddb.Commit(ctx, s.table.Client(), writes...)
}

func (s *Store) add(made shipments.Shipment) ddb.Write {
	next := newRecord(made)
	return s.table.Put(next).IfElse(ddb.Absent(), func(old ddb.Item) error {
		var stored record
		if err := ddb.Decode(old, &stored); err != nil {
			return err
		}
		if reflect.DeepEqual(stored, next) {
			return ddb.ErrDone
		}
		return errContradiction
	})
}

// Get implements shipments.Store.
func (s *Store) Get(ctx context.Context, id string) (shipments.Shipment, error) {
	var r record
	found, err := s.table.Get(ctx, shipmentKey(id), &r, true)
	if err != nil {
		return shipments.Shipment{}, err
	}
	if !found {
		return shipments.Shipment{}, shipments.ErrNotFound
	}
	return r.shipment(), nil
}

// Track implements shipments.Store. A parcel's status may be some milliseconds old.
func (s *Store) Track(ctx context.Context, token string) (shipments.Shipment, error) {
	var pointer pointerRecord
	found, err := s.table.Get(ctx, tokenKey(token), &pointer, false)
	if err != nil {
		return shipments.Shipment{}, err
	}
	if !found {
		return shipments.Shipment{}, shipments.ErrNotFound
	}
	var r record
	found, err = s.table.Get(ctx, shipmentKey(pointer.ShipmentID), &r, false)
	if err == nil && !found {
		err = errContradiction
	}
	return r.shipment(), err
}

// Scan implements shipments.Store.
func (s *Store) Scan(ctx context.Context, shipmentID, eventID string) (shipments.Scan, bool, error) {
	var r scanRecord
	found, err := s.table.Get(ctx, scanKey(shipmentID, eventID), &r, true)
	if err != nil || !found {
		return shipments.Scan{}, false, err
	}
	return r.scan(), true, nil
}

// Record implements shipments.Store.
func (s *Store) Record(ctx context.Context, scan shipments.Scan, before shipments.Shipment, after *shipments.Shipment, event *outbox.Event) error {
	if after != nil && (after.ID != before.ID || after.Version != before.Version+1) {
		return errors.New("shipmentsddb: a report changes one shipment, to the next version")
	}
	writes := []ddb.Write{s.addScan(scan), s.replace(before, after)}
	if event != nil {
		writes = append(writes, outboxddb.Write(s.table, orderPartition(before.OrderID), *event))
	}
	return ddb.Commit(ctx, s.table.Client(), writes...)
}

func (s *Store) addScan(scan shipments.Scan) ddb.Write {
	next := newScanRecord(scan)
	return s.table.Put(next).IfElse(ddb.Absent(), func(old ddb.Item) error {
		var stored scanRecord
		if err := ddb.Decode(old, &stored); err != nil {
			return err
		}
		if stored == next {
			return ddb.ErrDone
		}
		return shipments.ErrChanged
	})
}

// replace writes after; without it, it only makes sure that the shipment is still in the version of before.
func (s *Store) replace(before shipments.Shipment, after *shipments.Shipment) ddb.Write {
	unchanged := expression.Name("version").Equal(expression.Value(before.Version))
	changed := func(old ddb.Item) error {
		if old == nil {
			return shipments.ErrNotFound
		}
		return shipments.ErrChanged
	}
	if after == nil {
		return s.table.Check(shipmentKey(before.ID)).IfElse(unchanged, changed)
	}
	return s.table.Put(newRecord(*after)).IfElse(unchanged, changed)
}
