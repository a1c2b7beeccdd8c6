package shipments

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/clock"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/outbox"
	"github.com/tienda-dev/tienda/shared/problem"
)

// attempts is how often the service begins again because an order or a shipment has changed meanwhile.
const attempts = 8

// Service makes shipments and follows them.
type Service struct {
	store  Store
	orders Orders
	now    func() time.Time
}

// NewService returns a Service on store; now is the clock. It panics when one of them is nil. Only Create needs the
// orders; elsewhere they may be nil.
func NewService(store Store, orders Orders, now func() time.Time) *Service {
	if store == nil || now == nil {
		panic("shipments: NewService needs a store and a clock")
	}
	return &Service{store: store, orders: orders, now: clock.Wall(now)}
}

// Create puts lines of an order into a parcel; no lines are all pieces that are left. It returns ErrOrderNotFound,
// ErrNotPaid, ErrInvalidTransition, ErrOverShip, ErrOrderChanged if others kept changing the order, and
// *idempotency.UsedError.
func (s *Service) Create(ctx context.Context, orderID string, lines []Line, carrier string) (Shipment, error) {
	if s.orders == nil {
		return Shipment{}, errors.New("shipments: Create needs the orders")
	}
	orderID, ok := api.ULID(orderID)
	if !ok {
		return Shipment{}, ErrOrderNotFound
	}
	for range attempts {
		made, err := s.create(ctx, orderID, lines, carrier)
		if !errors.Is(err, ErrOrderChanged) {
			return made, err
		}
	}
	return Shipment{}, ErrOrderChanged
}

func (s *Service) create(ctx context.Context, orderID string, wanted []Line, carrier string) (Shipment, error) {
	order, err := s.orders.ForShipping(ctx, orderID)
	if err != nil {
		return Shipment{}, err
	}
	lines, amount, err := order.pick(wanted)
	if err != nil {
		return Shipment{}, err
	}
	now := api.NewTime(s.now())
	made := Shipment{
		ID: ulid.MustNew(ulid.Timestamp(now.Time), rand.Reader).String(), OrderID: order.ID, Status: Created,
		Carrier: carrier, Lines: lines, Amount: amount, TrackingToken: rand.Text(), Milestones: []Milestone{},
		Version: 1, CreatedAt: now, UpdatedAt: now, Customer: order.Customer,
	}
	event, err := outbox.New(now.Time, eventCreated, made.OrderID, newCreatedData(made))
	if err != nil {
		return Shipment{}, err
	}
	answer, err := idempotency.Done(ctx, now.Time, http.StatusCreated, map[string]string{"Location": location(made)}, made)
	if err != nil {
		return Shipment{}, err
	}
	if err := s.store.Create(ctx, Creation{Shipment: made, Order: order, Event: event, Answer: answer}); err != nil {
		return Shipment{}, err
	}
	return made, nil
}

// Record takes a report about a parcel. A report that has arrived before changes nothing, whatever else it says, and
// is answered as it was the first time. It returns ErrNotFound, a 422 for a time that is too far in the future, and
// ErrChanged if others kept changing the shipment.
func (s *Service) Record(ctx context.Context, shipmentID, eventID string, of ScanType, at api.Time) (Scan, error) {
	shipmentID, ok := api.ULID(shipmentID)
	if !ok {
		return Scan{}, ErrNotFound
	}
	for range attempts {
		scan, err := s.record(ctx, shipmentID, eventID, of, at)
		if !errors.Is(err, ErrChanged) {
			return scan, err
		}
	}
	return Scan{}, ErrChanged
}

func (s *Service) record(ctx context.Context, shipmentID, eventID string, of ScanType, at api.Time) (Scan, error) {
	before, err := s.store.Get(ctx, shipmentID)
	if err != nil {
		return Scan{}, err
	}
	if first, arrived, err := s.store.Scan(ctx, shipmentID, eventID); err != nil || arrived {
		return first, err
	}
	now := api.NewTime(s.now())
	if at.After(now.Add(MaxAhead).Time) {
		return Scan{}, problem.Fields(problem.FieldError{Pointer: "/at", Detail: "must not be in the future"})
	}
	scan := Scan{EventID: eventID, ShipmentID: shipmentID, Type: of, At: api.NewTime(at.Time), Status: before.Status, ReceivedAt: now}
	milestones, added := with(before.Milestones, Milestone{Type: of, At: scan.At})
	if !added {
		return scan, s.store.Record(ctx, scan, before, nil, nil)
	}
	after := before
	after.Milestones, after.Status = milestones, StatusOf(milestones)
	after.Version, after.UpdatedAt = before.Version+1, now
	scan.Status, scan.Moved = after.Status, after.Status != before.Status
	if !scan.Moved {
		return scan, s.store.Record(ctx, scan, before, &after, nil)
	}
	event, err := outbox.New(now.Time, eventPrefix+string(after.Status), after.OrderID, newMovedData(after, scan))
	if err != nil {
		return Scan{}, err
	}
	return scan, s.store.Record(ctx, scan, before, &after, &event)
}
