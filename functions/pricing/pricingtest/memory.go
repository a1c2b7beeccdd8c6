package pricingtest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/tienda-dev/tienda/functions/pricing"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/idempotency/idempotencymem"
	"github.com/tienda-dev/tienda/shared/page"
)

// Memory is a Store in memory, for tests. It passes the suite and is safe for concurrent use.
type Memory struct {
	mu        sync.Mutex
	quotes    map[string]pricing.Quote
	rules     pricing.Rules
	discounts map[string]pricing.Discount
	deleted   map[string]bool
	uses      map[use]int64
	keys      idempotencymem.Store
}

type use struct{ code, customer string }

var _ Store = (*Memory)(nil)

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{
		quotes:    map[string]pricing.Quote{},
		rules:     pricing.Rules{Tax: []pricing.TaxRate{}, Shipping: []pricing.ShippingRate{}},
		discounts: map[string]pricing.Discount{},
		deleted:   map[string]bool{},
		uses:      map[use]int64{},
	}
}

// Keys are the records of the requests' keys, for the middleware.
func (m *Memory) Keys() *idempotencymem.Store { return &m.keys }

// lock locks the store, unless the context has ended. Call the returned function in the end.
func (m *Memory) lock(ctx context.Context) (func(), error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	return m.mu.Unlock, nil
}

// Terms implements pricing.Store.
func (m *Memory) Terms(ctx context.Context, customer string, codes []string) (pricing.Terms, error) {
	unlock, err := m.lock(ctx)
	if err != nil {
		return pricing.Terms{}, err
	}
	defer unlock()
	terms := pricing.Terms{Rules: m.rules, Discounts: map[string]pricing.Discount{}, Uses: map[string]int64{}}
	for _, code := range codes {
		if d, ok := m.discounts[code]; ok && !m.deleted[code] {
			terms.Discounts[code] = d
		}
		if n, ok := m.uses[use{code, customer}]; ok {
			terms.Uses[code] = n
		}
	}
	return terms, nil
}

// CreateQuote implements pricing.Store.
func (m *Memory) CreateQuote(ctx context.Context, q pricing.Quote, record idempotency.Record) error {
	unlock, err := m.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	switch err := m.keys.Check(record); {
	case errors.Is(err, idempotency.ErrDone):
		return nil
	case err != nil:
		return err
	}
	if _, ok := m.quotes[q.ID]; ok {
		return errTaken
	}
	m.quotes[q.ID] = q
	return m.keys.Put(record)
}

// Quote implements pricing.Store.
func (m *Memory) Quote(ctx context.Context, id string) (pricing.Quote, error) {
	unlock, err := m.lock(ctx)
	if err != nil {
		return pricing.Quote{}, err
	}
	defer unlock()
	q, ok := m.quotes[id]
	if !ok {
		return pricing.Quote{}, pricing.ErrQuoteNotFound
	}
	return q, nil
}

// ConsumeQuote implements Store.
func (m *Memory) ConsumeQuote(ctx context.Context, quoteID, customer, orderID string, now time.Time) error {
	unlock, err := m.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	q, ok := m.quotes[quoteID]
	switch {
	case !ok || q.Customer != customer:
		return pricing.ErrQuoteNotFound
	case q.OrderID == orderID:
		return nil
	case q.OrderID != "":
		return pricing.ErrQuoteUsed
	case q.Expired(now):
		return pricing.ErrQuoteExpired
	}
	q.OrderID = orderID
	m.quotes[quoteID] = q
	return nil
}

// Rules implements pricing.Store.
func (m *Memory) Rules(ctx context.Context) (pricing.Rules, error) {
	unlock, err := m.lock(ctx)
	if err != nil {
		return pricing.Rules{}, err
	}
	defer unlock()
	return m.rules, nil
}

// PutRules implements pricing.Store.
func (m *Memory) PutRules(ctx context.Context, before int64, after pricing.Rules) error {
	unlock, err := m.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	switch {
	case reflect.DeepEqual(m.rules, after):
		return nil
	case m.rules.Version != before:
		return pricing.ErrStale
	}
	m.rules = after
	return nil
}

// CreateDiscount implements pricing.Store.
func (m *Memory) CreateDiscount(ctx context.Context, d pricing.Discount, record idempotency.Record) error {
	unlock, err := m.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	switch err := m.keys.Check(record); {
	case errors.Is(err, idempotency.ErrDone):
		return nil
	case err != nil:
		return err
	}
	if _, ok := m.discounts[d.Code]; ok {
		return pricing.ErrCodeExists
	}
	m.discounts[d.Code] = d
	return m.keys.Put(record)
}

// Discount implements pricing.Store.
func (m *Memory) Discount(ctx context.Context, code string) (pricing.Discount, error) {
	unlock, err := m.lock(ctx)
	if err != nil {
		return pricing.Discount{}, err
	}
	defer unlock()
	d, ok := m.discounts[code]
	if !ok || m.deleted[code] {
		return pricing.Discount{}, pricing.ErrDiscountNotFound
	}
	return d, nil
}

// Discounts implements pricing.Store.
func (m *Memory) Discounts(ctx context.Context, limit int, after []byte) ([]pricing.Discount, []byte, error) {
	unlock, err := m.lock(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer unlock()
	all := slices.SortedFunc(maps.Values(m.discounts), newestFirst)
	all = slices.DeleteFunc(all, func(d pricing.Discount) bool { return m.deleted[d.Code] })
	if len(after) > 0 {
		var start pricing.Discount
		if err := json.Unmarshal(after, &start); err != nil || start.Code == "" {
			return nil, nil, page.ErrInvalidCursor
		}
		all = slices.DeleteFunc(all, func(d pricing.Discount) bool { return newestFirst(d, start) <= 0 })
	}
	if len(all) <= limit {
		return all, nil, nil
	}
	next, err := json.Marshal(all[limit-1])
	return all[:limit], next, err
}

func newestFirst(a, b pricing.Discount) int {
	return cmp.Or(b.CreatedAt.Compare(a.CreatedAt.Time), cmp.Compare(b.Code, a.Code))
}

// UpdateDiscount implements pricing.Store.
func (m *Memory) UpdateDiscount(ctx context.Context, before, after pricing.Discount) error {
	unlock, err := m.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	stored, ok := m.discounts[after.Code]
	after.Uses = stored.Uses
	switch {
	case !ok || m.deleted[after.Code]:
		return pricing.ErrDiscountNotFound
	case reflect.DeepEqual(stored, after):
		return nil
	case stored.Version != before.Version:
		return pricing.ErrStale
	}
	m.discounts[after.Code] = after
	return nil
}

// DeleteDiscount implements pricing.Store.
func (m *Memory) DeleteDiscount(ctx context.Context, code string, version int64) error {
	unlock, err := m.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	stored, ok := m.discounts[code]
	switch {
	case !ok || m.deleted[code]:
		return pricing.ErrDiscountNotFound
	case stored.Version != version:
		return pricing.ErrStale
	}
	m.deleted[code] = true
	return nil
}

// UseCode implements Store.
func (m *Memory) UseCode(ctx context.Context, code, customer string, now time.Time) error {
	unlock, err := m.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	d, ok := m.discounts[code]
	if !ok || m.deleted[code] {
		return pricing.UnknownCode(code)
	}
	if err := d.Valid(now); err != nil {
		return err
	}
	return m.use(d, customer)
}

// UseQuotedCode implements Store.
func (m *Memory) UseQuotedCode(ctx context.Context, code, customer string) error {
	unlock, err := m.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	d, ok := m.discounts[code]
	if !ok {
		return pricing.UnknownCode(code)
	}
	return m.use(d, customer)
}

// use counts one use, if the limits allow it.
func (m *Memory) use(d pricing.Discount, customer string) error {
	code := d.Code
	if err := d.Left(m.uses[use{code, customer}]); err != nil {
		return err
	}
	d.Uses++
	m.discounts[code] = d
	m.uses[use{code, customer}]++
	return nil
}

// ReturnCode implements Store.
func (m *Memory) ReturnCode(ctx context.Context, code, customer string) error {
	unlock, err := m.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	d := m.discounts[code]
	if d.Uses == 0 || m.uses[use{code, customer}] == 0 {
		return errNotUsed
	}
	d.Uses--
	m.discounts[code] = d
	m.uses[use{code, customer}]--
	return nil
}
