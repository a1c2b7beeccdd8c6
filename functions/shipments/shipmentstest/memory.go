package shipmentstest

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"sync"

	"github.com/tienda-dev/tienda/functions/shipments"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/idempotency/idempotencymem"
	"github.com/tienda-dev/tienda/shared/outbox"
	"github.com/tienda-dev/tienda/shared/page"
)

// Memory is a shipments.Store in memory with the orders that it ships, for tests. It passes the suite and is safe for
// concurrent use.
type Memory struct {
	// Keys holds the answers of requests.
	Keys *idempotencymem.Store

	mu        sync.Mutex
	orders    map[string]shipments.Order
	shipments map[string]shipments.Shipment
	scans     map[[2]string]shipments.Scan // by shipment and event id
	events    []outbox.Event
}

var (
	_ Store            = (*Memory)(nil)
	_ shipments.Orders = (*Memory)(nil)
)

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{
		Keys: &idempotencymem.Store{}, orders: map[string]shipments.Order{},
		shipments: map[string]shipments.Shipment{}, scans: map[[2]string]shipments.Scan{},
	}
}

// AddOrder implements Store.
func (m *Memory) AddOrder(ctx context.Context, o shipments.Order) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	o.Lines = slices.Clone(o.Lines)
	m.orders[o.ID] = o
	return nil
}

// ForShipping implements shipments.Orders.
func (m *Memory) ForShipping(ctx context.Context, id string) (shipments.Order, error) {
	if err := ctx.Err(); err != nil {
		return shipments.Order{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.orders[id]
	if !ok {
		return shipments.Order{}, shipments.ErrOrderNotFound
	}
	o.Lines = slices.Clone(o.Lines)
	return o, nil
}

// Events implements Store.
func (m *Memory) Events(ctx context.Context, orderID string) ([]outbox.Event, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var of []outbox.Event
	for _, e := range m.events {
		if e.Subject == orderID {
			of = append(of, e)
		}
	}
	return of, nil
}

// Create implements shipments.Store.
func (m *Memory) Create(ctx context.Context, c shipments.Creation) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch err := m.Keys.Check(c.Answer); {
	case errors.Is(err, idempotency.ErrDone):
		return nil
	case err != nil:
		return err
	}
	made := clone(c.Shipment)
	if stored, taken := m.shipments[made.ID]; taken {
		if reflect.DeepEqual(stored, made) { // the same call again
			return nil
		}
		return errors.New("shipmentstest: the shipment exists")
	}
	order, ok := m.orders[made.OrderID]
	if !ok {
		return shipments.ErrOrderNotFound
	}
	if order.Version != c.Order.Version {
		return shipments.ErrOrderChanged
	}
	m.orders[order.ID] = shipped(order, made.Lines)
	m.shipments[made.ID] = made
	m.events = append(m.events, c.Event)
	return m.Keys.Put(c.Answer)
}

// shipped returns the order without the lines.
func shipped(o shipments.Order, lines []shipments.Line) shipments.Order {
	o.Lines = slices.Clone(o.Lines)
	o.Version++
	left := int64(0)
	for i := range o.Lines {
		for _, l := range lines {
			if l.SKU == o.Lines[i].SKU {
				o.Lines[i].ToShip -= l.Quantity
			}
		}
		left += o.Lines[i].ToShip
	}
	if left == 0 {
		o.Phase = shipments.Closed
	}
	return o
}

// Get implements shipments.Store.
func (m *Memory) Get(ctx context.Context, id string) (shipments.Shipment, error) {
	return m.find(ctx, func(s shipments.Shipment) bool { return s.ID == id })
}

// Track implements shipments.Store.
func (m *Memory) Track(ctx context.Context, token string) (shipments.Shipment, error) {
	return m.find(ctx, func(s shipments.Shipment) bool { return s.TrackingToken == token })
}

func (m *Memory) find(ctx context.Context, is func(shipments.Shipment) bool) (shipments.Shipment, error) {
	if err := ctx.Err(); err != nil {
		return shipments.Shipment{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.shipments {
		if is(s) {
			return clone(s), nil
		}
	}
	return shipments.Shipment{}, shipments.ErrNotFound
}

// List implements shipments.Store.
func (m *Memory) List(ctx context.Context, orderID string, limit int, after []byte) ([]shipments.Shipment, []byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	last := ""
	if len(after) > 0 && json.Unmarshal(after, &last) != nil {
		return nil, nil, page.ErrInvalidCursor
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	list := []shipments.Shipment{}
	for _, id := range slices.Sorted(maps.Keys(m.shipments)) {
		if s := m.shipments[id]; s.OrderID == orderID && id > last {
			list = append(list, clone(s))
		}
	}
	if len(list) <= limit {
		return list, nil, nil
	}
	list = list[:limit]
	next, err := json.Marshal(list[limit-1].ID)
	return list, next, err
}

// Scan implements shipments.Store.
func (m *Memory) Scan(ctx context.Context, shipmentID, eventID string) (shipments.Scan, bool, error) {
	if err := ctx.Err(); err != nil {
		return shipments.Scan{}, false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.scans[[2]string{shipmentID, eventID}]
	return s, ok, nil
}

// Record implements shipments.Store.
func (m *Memory) Record(ctx context.Context, scan shipments.Scan, before shipments.Shipment, after *shipments.Shipment, event *outbox.Event) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if after != nil && (after.ID != before.ID || after.Version != before.Version+1) {
		return errors.New("shipmentstest: a report changes one shipment, to the next version")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	key := [2]string{scan.ShipmentID, scan.EventID}
	if stored, arrived := m.scans[key]; arrived {
		if stored == scan { // the same call again
			return nil
		}
		return shipments.ErrChanged
	}
	stored, ok := m.shipments[before.ID]
	switch {
	case !ok:
		return shipments.ErrNotFound
	case stored.Version != before.Version:
		return shipments.ErrChanged
	}
	m.scans[key] = scan
	if after != nil {
		m.shipments[after.ID] = clone(*after)
	}
	if event != nil {
		m.events = append(m.events, *event)
	}
	return nil
}

func clone(s shipments.Shipment) shipments.Shipment {
	s.Lines, s.Milestones = slices.Clone(s.Lines), slices.Clone(s.Milestones)
	return s
}
