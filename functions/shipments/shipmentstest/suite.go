// Package shipmentstest has a test suite for every shipments.Store, and a store in memory that passes it.
package shipmentstest

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/oklog/ulid/v2"

	"github.com/tienda-dev/tienda/functions/shipments"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/outbox"
)

// Store is a shipments.Store together with the orders that it ships.
type Store interface {
	shipments.Store
	shipments.Orders
	// AddOrder adds an order, as somebody else makes them, or replaces it.
	AddOrder(ctx context.Context, o shipments.Order) error
	// Events returns the events of an order's shipments, oldest first.
	Events(ctx context.Context, orderID string) ([]outbox.Event, error)
}

// Run runs the suite. newStore returns an empty store that no other test uses.
func Run(t *testing.T, newStore func(t *testing.T) Store) {
	t.Helper()
	for name, test := range map[string]func(t *testing.T, store Store){
		"CreatedIsFound":             testCreated,
		"UnknownIsNotFound":          testUnknown,
		"RepeatedIsTheSameChange":    testRepeated,
		"KeyIsUsedOnce":              testKey,
		"ExistingShipmentIsKept":     testExists,
		"OrderThatChanged":           testOrderChanged,
		"NeverMoreThanOrdered":       testNeverMore,
		"ListIsByCreation":           testList,
		"ReportMovesOnce":            testReport,
		"ReportOfAnotherVersion":     testStale,
		"OneOfManyReporters":         testReporters,
		"EndedContextChangesNothing": testContext,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newStore(t))
		})
	}
}

// Time returns a fixed time, n seconds after the first one.
func Time(n int) api.Time {
	return api.NewTime(time.Date(2026, time.March, 1, 12, 0, n, 0, time.UTC))
}

// NewID returns a new id of something that was made at the time.
func NewID(at api.Time) string {
	return ulid.MustNew(ulid.Timestamp(at.Time), rand.Reader).String()
}

// NewOrder returns a paid order of two SKUs with 3 and 2 pieces: 10.00 and 5.00 EUR in all, and 4.90 EUR for shipping.
func NewOrder(change ...func(*shipments.Order)) shipments.Order {
	o := shipments.Order{
		ID: NewID(Time(0)), Customer: "user-1", Phase: shipments.Open, Version: 2,
		Lines: []shipments.OrderLine{
			{SKU: "BEANS", Quantity: 3, ToShip: 3, Total: money.Money{AmountMinor: 1000, Currency: "EUR"}},
			{SKU: "CUP", Quantity: 2, ToShip: 2, Total: money.Money{AmountMinor: 500, Currency: "EUR"}},
		},
		Total: money.Money{AmountMinor: 1990, Currency: "EUR"},
	}
	for _, f := range change {
		f(&o)
	}
	return o
}

// creation returns a shipment of one piece of BEANS, as the service passes one to a store.
func creation(t *testing.T, o shipments.Order) shipments.Creation {
	t.Helper()
	made := shipments.Shipment{
		ID: NewID(Time(1)), OrderID: o.ID, Status: shipments.Created, Carrier: "Correos Exprés",
		Lines: []shipments.Line{{SKU: "BEANS", Quantity: 1}}, Amount: money.Money{AmountMinor: 333, Currency: "EUR"},
		TrackingToken: rand.Text(), Milestones: []shipments.Milestone{}, Version: 1, CreatedAt: Time(1), UpdatedAt: Time(1),
		Customer: o.Customer,
	}
	return shipments.Creation{Shipment: made, Order: o, Event: event(t, "shipment.created", o.ID, 1)}
}

func event(t *testing.T, typ, orderID string, version int64) outbox.Event {
	t.Helper()
	e, err := outbox.New(Time(int(version)).Time, typ, orderID, map[string]any{"order_id": orderID, "version": version})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// ordered stores an order.
func ordered(t *testing.T, store Store, change ...func(*shipments.Order)) shipments.Order {
	t.Helper()
	o := NewOrder(change...)
	if err := store.AddOrder(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	return o
}

// created stores a shipment of a new order.
func created(t *testing.T, store Store) shipments.Shipment {
	t.Helper()
	c := creation(t, ordered(t, store))
	if err := store.Create(t.Context(), c); err != nil {
		t.Fatalf("Create: %v", err)
	}
	return c.Shipment
}

func want(t *testing.T, store Store, want shipments.Shipment) {
	t.Helper()
	for name, find := range map[string]func() (shipments.Shipment, error){
		"Get":   func() (shipments.Shipment, error) { return store.Get(t.Context(), want.ID) },
		"Track": func() (shipments.Shipment, error) { return store.Track(t.Context(), want.TrackingToken) },
		"List": func() (shipments.Shipment, error) {
			list, next, err := store.List(t.Context(), want.OrderID, 10, nil)
			if err != nil || len(list) != 1 || next != nil {
				t.Fatalf("List: %d shipments, %q, %v", len(list), next, err)
			}
			return list[0], nil
		},
	} {
		got, err := find()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// wantEvents checks the types of an order's events.
func wantEvents(t *testing.T, store Store, orderID string, want ...string) {
	t.Helper()
	events, err := store.Events(t.Context(), orderID)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]string, len(events))
	for i, e := range events {
		got[i] = e.Type
	}
	if want == nil {
		want = []string{}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}
