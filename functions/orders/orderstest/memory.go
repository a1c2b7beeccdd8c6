package orderstest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/idempotency/idempotencymem"
	"github.com/tienda-dev/tienda/shared/outbox"
	"github.com/tienda-dev/tienda/shared/page"
	"github.com/tienda-dev/tienda/shared/problem"
)

// Memory is a Shop in memory, for tests. It passes the suite and is safe for concurrent use.
type Memory struct {
	mu           sync.Mutex
	orders       map[string]orders.Order
	reservations map[string]orders.Reservation
	events       map[string][]outbox.Event
	stock        map[string]Stock  // by product
	skus         map[string]string // by product
	adjusted     map[string]int64  // by product
	versions     map[string]int64  // by product
	codes        map[string]Code
	uses         map[[2]string]int64
	quotes       map[string]string
	consumed     map[string]bool
	keys         idempotencymem.Store
}

var _ Shop = (*Memory)(nil)

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{
		orders: map[string]orders.Order{}, reservations: map[string]orders.Reservation{}, events: map[string][]outbox.Event{},
		stock: map[string]Stock{}, skus: map[string]string{}, adjusted: map[string]int64{}, versions: map[string]int64{},
		codes: map[string]Code{}, uses: map[[2]string]int64{}, quotes: map[string]string{}, consumed: map[string]bool{},
	}
}

// errContradiction: an order and its stock contradict each other, which no call can cause.
var errContradiction = errors.New("orderstest: the order and its stock contradict each other")

// errQuoteUsed is pricing's.
var errQuoteUsed = problem.New(problem.Conflict, "quote_used", "The quote was ordered already.")

// Put implements Shop.
func (m *Memory) Put(_ context.Context, sku, productID string, version, pieces int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.skus[productID], m.versions[productID] = sku, version
	s := m.stock[productID]
	s.Available += pieces
	m.stock[productID] = s
	m.adjusted[productID] += pieces
	return nil
}

// Stock implements Shop.
func (m *Memory) Stock(_ context.Context, productID string) (Stock, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stock[productID], nil
}

// PutCode implements Shop.
func (m *Memory) PutCode(_ context.Context, code string, c Code) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.codes[code] = c
	return nil
}

// Uses implements Shop.
func (m *Memory) Uses(_ context.Context, code, customer string) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.uses[[2]string{code, customer}], nil
}

// Create implements orders.Store.
func (m *Memory) Create(ctx context.Context, c orders.Creation) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	o := c.Order.Clone()
	if err := m.keys.Check(c.Record); err != nil {
		return done(err)
	}
	if _, taken := m.orders[o.ID]; taken {
		return errContradiction
	}
	for _, line := range o.Lines {
		if available := m.stock[line.ProductID].Available; available < line.Quantity {
			return o.OutOfStock(line.ProductID, available)
		}
	}
	for id, version := range c.Versions {
		if m.versions[id] != version {
			return orders.ErrPriceChanged
		}
	}
	if o.QuoteID != "" && m.quotes[o.QuoteID] != "" {
		return errQuoteUsed
	}
	if err := m.checkCodes(o); err != nil {
		return err
	}
	for _, line := range o.Lines {
		s := m.stock[line.ProductID]
		s.Available, s.Reserved = s.Available-line.Quantity, s.Reserved+line.Quantity
		m.stock[line.ProductID] = s
	}
	m.countCodes(o, 1)
	if o.QuoteID != "" {
		m.quotes[o.QuoteID] = o.ID
	}
	m.orders[o.ID] = o
	m.reservations[o.ID] = orders.Reservation{OrderID: o.ID, State: orders.Held, Pieces: o.ReservedPieces(), ExpiresAt: o.ExpiresAt.Time}
	m.events[o.ID] = append(m.events[o.ID], c.Event)
	return m.keys.Put(c.Record)
}

// done returns the error of a record whose key is in use, and nil for one that this very call has stored before.
func done(err error) error {
	if errors.Is(err, idempotency.ErrDone) {
		return nil
	}
	return err
}

// Keys returns the records of the orders' idempotency keys, for idempotency.Middleware.
func (m *Memory) Keys() idempotency.Store { return &m.keys }

// Get implements orders.Store.
func (m *Memory) Get(ctx context.Context, id string) (orders.Order, error) {
	if err := ctx.Err(); err != nil {
		return orders.Order{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.orders[id]
	if !ok {
		return orders.Order{}, orders.ErrNotFound
	}
	return o.Clone(), nil
}

// Reservation implements orders.Store.
func (m *Memory) Reservation(ctx context.Context, id string) (orders.Reservation, error) {
	if err := ctx.Err(); err != nil {
		return orders.Reservation{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.reservations[id]
	if !ok {
		return orders.Reservation{}, orders.ErrNotFound
	}
	r.Pieces = slices.Clone(r.Pieces)
	return r, nil
}

// Apply implements orders.Store.
func (m *Memory) Apply(ctx context.Context, c orders.Change) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.keys.Check(c.Record); err != nil {
		return done(err)
	}
	if c.Consumed != nil && m.consumed[c.Consumed.ID] {
		return outbox.ErrConsumed
	}
	if stored := m.orders[c.Before.ID]; stored.Version != c.Before.Version || stored.Status != c.Before.Status {
		return orders.ErrChanged
	}
	if err := m.move(c); err != nil {
		return err
	}
	if c.Consumed != nil {
		m.consumed[c.Consumed.ID] = true
	}
	m.orders[c.After.ID] = c.After.Clone()
	m.events[c.After.ID] = append(m.events[c.After.ID], c.Events...)
	return m.keys.Put(c.Record)
}

// move changes the reservation and the stock, or nothing.
func (m *Memory) move(c orders.Change) error {
	from, to, ok := c.Stock.Holds()
	if !ok {
		return nil
	}
	r := m.reservations[c.Before.ID]
	if r.State != from {
		return errContradiction
	}
	r.State = to
	m.reservations[c.Before.ID] = r
	for _, pieces := range r.Pieces {
		s, n := m.stock[pieces.ProductID], pieces.Quantity
		switch c.Stock {
		case orders.Commit:
			s.Reserved, s.Sold = s.Reserved-n, s.Sold+n
		case orders.Release:
			s.Reserved, s.Available = s.Reserved-n, s.Available+n
		case orders.Restock:
			s.Sold, s.Available = s.Sold-n, s.Available+n
		default:
			return errContradiction
		}
		m.stock[pieces.ProductID] = s
	}
	if c.ReturnsCodes() {
		m.countCodes(c.Before, -1)
	}
	return nil
}

// Claim implements Shop.
func (m *Memory) Claim(_ context.Context, o orders.Order, paymentID string, now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	stored := m.orders[o.ID]
	if err := stored.Payable(now); err != nil {
		return err
	}
	if stored.Version != o.Version {
		return orders.ErrChanged
	}
	m.orders[o.ID] = stored.Claimed(paymentID, now)
	return nil
}

// Record implements Shop.
func (m *Memory) Record(_ context.Context, orderID, paymentID string, status orders.PaymentStatus, now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	o := m.orders[orderID]
	if o.PaymentID != paymentID || paymentID == "" {
		return orders.ErrNotClaimed
	}
	m.orders[orderID] = recorded(o, status, api.NewTime(now))
	return nil
}

// recorded returns the order as it is when its payment has a new status.
func recorded(o orders.Order, status orders.PaymentStatus, at api.Time) orders.Order {
	o = next(o, o.Status, at)
	o.PaymentStatus = status
	if status == orders.PaymentDeclined {
		o.PaymentID = ""
	}
	return o
}

// Ship implements Shop.
func (m *Memory) Ship(_ context.Context, o orders.Order, lines []orders.Shipped, shipmentID string, now time.Time) error {
	after, event, err := o.ShipEvent(lines, shipmentID, now)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.orders[o.ID].Version != o.Version {
		return orders.ErrChanged
	}
	m.orders[o.ID] = after
	m.events[o.ID] = append(m.events[o.ID], event)
	return nil
}

// position is where the next page of a list starts.
type position struct {
	At time.Time
	ID string
}

func (p position) compare(q position) int {
	return cmp.Or(p.At.Compare(q.At), cmp.Compare(p.ID, q.ID))
}

// turn reads a page of values, which have a place in the order of less.
func turn[T any](ctx context.Context, values []T, place func(T) position, compare func(a, b position) int, limit int, after []byte) ([]T, []byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	slices.SortFunc(values, func(a, b T) int { return compare(place(a), place(b)) })
	if len(after) > 0 {
		var start position
		if err := json.Unmarshal(after, &start); err != nil || start.ID == "" {
			return nil, nil, page.ErrInvalidCursor
		}
		values = slices.DeleteFunc(values, func(v T) bool { return compare(place(v), start) <= 0 })
	}
	if len(values) <= limit {
		return values, nil, nil
	}
	next, err := json.Marshal(place(values[limit-1]))
	return values[:limit], next, err
}

func newest(a, b position) int { return b.compare(a) }

func oldest(a, b position) int { return a.compare(b) }

// ListOf implements orders.Store.
func (m *Memory) ListOf(ctx context.Context, customer string, limit int, after []byte) ([]orders.Order, []byte, error) {
	return m.list(ctx, func(o orders.Order) bool { return o.Customer == customer }, limit, after)
}

// List implements orders.Store.
func (m *Memory) List(ctx context.Context, status orders.Status, day time.Time, limit int, after []byte) ([]orders.Order, []byte, error) {
	return m.list(ctx, func(o orders.Order) bool {
		return o.Status == status && o.CreatedAt.Format(time.DateOnly) == day.UTC().Format(time.DateOnly)
	}, limit, after)
}

func (m *Memory) list(ctx context.Context, match func(orders.Order) bool, limit int, after []byte) ([]orders.Order, []byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := []orders.Order{}
	for _, o := range m.orders {
		if match(o) {
			found = append(found, o.Clone())
		}
	}
	return turn(ctx, found, func(o orders.Order) position { return position{o.CreatedAt.Time, o.ID} }, newest, limit, after)
}

// Events implements orders.Store.
func (m *Memory) Events(ctx context.Context, id string, limit int, after []byte) ([]outbox.Event, []byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return turn(ctx, slices.Clone(m.events[id]), func(e outbox.Event) position { return position{ID: e.ID} }, oldest, limit, after)
}

// Held implements orders.Store.
func (m *Memory) Held(ctx context.Context, before time.Time, limit int, after []byte) ([]orders.Reservation, []byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []orders.Reservation
	for _, r := range m.reservations {
		if r.State == orders.Held && r.ExpiresAt.Before(before) {
			found = append(found, r)
		}
	}
	return turn(ctx, found, func(r orders.Reservation) position { return position{r.ExpiresAt, r.OrderID} }, oldest, limit, after)
}

// Balances implements orders.Balances.
func (m *Memory) Balances(context.Context, int, []byte) ([]orders.Balance, []byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []orders.Balance
	for id := range m.stock {
		found = append(found, m.balance(id))
	}
	return found, nil, nil
}

// Balance implements orders.Balances.
func (m *Memory) Balance(_ context.Context, productID string) (orders.Balance, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.balance(productID), nil
}

func (m *Memory) balance(productID string) orders.Balance {
	s := m.stock[productID]
	return orders.Balance{
		ProductID: productID, SKU: m.skus[productID],
		Available: s.Available, Reserved: s.Reserved, Sold: s.Sold, Adjusted: m.adjusted[productID], Version: 1,
	}
}

// Spoil changes a stored order and its stock in ways that no request can, for tests of an auditor.
func (m *Memory) Spoil(id string, change func(*orders.Order, *orders.Reservation, map[string]Stock)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o, r := m.orders[id], m.reservations[id]
	change(&o, &r, m.stock)
	m.orders[id], m.reservations[id] = o, r
}
