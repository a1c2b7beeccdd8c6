package paymentstest

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/idempotency/idempotencymem"
	"github.com/tienda-dev/tienda/shared/outbox"
	"github.com/tienda-dev/tienda/shared/outbox/outboxtest"
)

// consumer is the name under which consumed events are remembered.
const consumer = "settle-payments"

// Memory is a payments.Store in memory with its orders, for tests. It passes the suite and is safe for concurrent use.
type Memory struct {
	// Records has the records of idempotency keys, for the middleware.
	Records idempotencymem.Store
	// Outbox has the events; the partition of an order is "O#" and its id.
	Outbox outboxtest.Memory

	mu            sync.Mutex
	orders        map[string]payments.Order
	statuses      map[string]payments.Status // of orders' payments
	payments      map[string]payments.Payment
	notifications map[string]bool
}

var _ payments.Store = (*Memory)(nil)

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{
		orders: map[string]payments.Order{}, statuses: map[string]payments.Status{},
		payments: map[string]payments.Payment{}, notifications: map[string]bool{},
	}
}

// PutOrder adds an order or replaces it.
func (m *Memory) PutOrder(o payments.Order) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.orders[o.ID] = o
}

// MoveOrder changes the state of an order, as the order's own functions do.
func (m *Memory) MoveOrder(id string, state payments.OrderState) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o := m.orders[id]
	o.State = state
	o.Version++
	m.orders[id] = o
}

// PaymentStatus returns the payment's status that the order knows.
func (m *Memory) PaymentStatus(_ context.Context, orderID string) (payments.Status, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.statuses[orderID], nil
}

// Events returns the types of the order's events, oldest first.
func (m *Memory) Events(ctx context.Context, orderID string) ([]outbox.Event, error) {
	events, _, err := m.Outbox.List(ctx, "O#"+orderID, 1000, nil)
	return events, err
}

// Order implements payments.Store.
func (m *Memory) Order(ctx context.Context, id string) (payments.Order, error) {
	if err := ctx.Err(); err != nil {
		return payments.Order{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.orders[id]
	if !ok {
		return payments.Order{}, payments.ErrOrderNotFound
	}
	return o, nil
}

// Get implements payments.Store.
func (m *Memory) Get(ctx context.Context, id string) (payments.Payment, error) {
	if err := ctx.Err(); err != nil {
		return payments.Payment{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	p, ok := m.payments[id]
	if !ok {
		return payments.Payment{}, payments.ErrNotFound
	}
	return p.Clone(), nil
}

// OfOrder implements payments.Store.
func (m *Memory) OfOrder(ctx context.Context, orderID string) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var ids []string
	for id, p := range m.payments {
		if p.OrderID == orderID {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// Create implements payments.Store.
func (m *Memory) Create(ctx context.Context, c payments.Creation) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.Records.Check(c.Record); err != nil {
		return done(err)
	}
	o, ok := m.orders[c.Order.ID]
	_, taken := m.payments[c.Payment.ID]
	switch {
	case taken:
		return errors.New("paymentstest: another payment has the id")
	case !ok:
		return payments.ErrOrderNotFound
	case o.State == payments.OrderExpired:
		return payments.ErrOrderExpired
	case o.State == payments.OrderPaid:
		return payments.ErrAlreadyPaid
	case o.State != payments.OrderOpen:
		return payments.ErrInvalidTransition
	case o.PaymentID != "":
		return payments.ErrInProgress
	case o.Version != c.Order.Version:
		return payments.ErrOrderChanged
	}
	if err := m.publish(ctx, c.Payment.OrderID, c.Event); err != nil {
		return err
	}
	o.PaymentID = c.Payment.ID
	o.Version++
	m.orders[o.ID] = o
	m.statuses[o.ID] = c.Payment.Status
	m.payments[c.Payment.ID] = c.Payment.Clone()
	return done(m.Records.Put(c.Record))
}

func (m *Memory) publish(ctx context.Context, orderID string, events ...outbox.Event) error {
	if len(events) == 0 {
		return nil
	}
	return m.Outbox.Append(ctx, "O#"+orderID, events...)
}

func done(err error) error {
	if errors.Is(err, idempotency.ErrDone) {
		return nil
	}
	return err
}

// Apply implements payments.Store.
func (m *Memory) Apply(ctx context.Context, c payments.Change) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.Records.Check(c.Record); err != nil {
		return done(err)
	}
	seen := ""
	if c.Notification != nil {
		if seen = c.Notification.Provider + "#" + c.Notification.ID; m.notifications[seen] {
			return payments.ErrDuplicate
		}
	}
	if err := m.check(c); err != nil {
		return err
	}
	if c.Consumed != nil {
		if err := m.Outbox.Consume(ctx, consumer, *c.Consumed, c.At); err != nil {
			return err
		}
	}
	if seen != "" {
		m.notifications[seen] = true
	}
	if c.After.Version != c.Before.Version {
		if err := m.publish(ctx, c.After.OrderID, c.Events...); err != nil {
			return err
		}
		m.payments[c.After.ID] = c.After.Clone()
		m.tellOrder(c)
	}
	return done(m.Records.Put(c.Record))
}

// check compares the change with what is stored.
func (m *Memory) check(c payments.Change) error {
	stored, ok := m.payments[c.Before.ID]
	switch {
	case !ok:
		return payments.ErrNotFound
	case c.After.Version == c.Before.Version:
		return nil
	case stored.Version != c.Before.Version || stored.Status != c.Before.Status:
		return payments.ErrStale
	}
	begins, ok := c.Begins()
	switch {
	case ok && begins.Operation == payments.OpCapture && begins.Amount.AmountMinor > stored.Capturable:
		return payments.ErrAmountExceedsAuthorized
	case ok && begins.Operation == payments.OpRefund && begins.Amount.AmountMinor > stored.Refundable:
		return payments.ErrAmountExceedsRefundable
	default:
		return nil
	}
}

// tellOrder records the payment's status at the order that it claims.
func (m *Memory) tellOrder(c payments.Change) {
	o := m.orders[c.After.OrderID]
	if c.After.Status == c.Before.Status || o.PaymentID != c.After.ID {
		return
	}
	if c.After.Status == payments.Declined {
		o.PaymentID = ""
	}
	o.Version++
	m.orders[o.ID] = o
	m.statuses[o.ID] = c.After.Status
}

// Complete implements payments.Store.
func (m *Memory) Complete(ctx context.Context, begun idempotency.Record, a idempotency.Answer) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return done(m.Records.Complete(begun, a))
}

// Due implements payments.Store.
func (m *Memory) Due(ctx context.Context, now time.Time, limit int) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var due []payments.Payment
	for _, p := range m.payments {
		if !p.NextAt.IsZero() && !p.NextAt.After(now) {
			due = append(due, p)
		}
	}
	slices.SortFunc(due, func(a, b payments.Payment) int {
		if c := a.NextAt.Compare(b.NextAt.Time); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	ids := []string{}
	for _, p := range due[:min(len(due), limit)] {
		ids = append(ids, p.ID)
	}
	return ids, nil
}

// Same reports whether two payments are equal.
func Same(a, b payments.Payment) bool { return reflect.DeepEqual(a.Clone(), b.Clone()) }
