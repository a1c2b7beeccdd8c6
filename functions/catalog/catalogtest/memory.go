package catalogtest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"sync"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/idempotency/idempotencymem"
	"github.com/tienda-dev/tienda/shared/page"
	"github.com/tienda-dev/tienda/shared/problem"
)

// Memory is a catalog.Store in memory, for tests. It passes the suite and is safe for concurrent use.
type Memory struct {
	// Records are those of idempotency keys.
	Records idempotencymem.Store

	mu       sync.Mutex
	products map[string]catalog.Product
	owners   map[string]string // of SKUs: product ids
	stock    map[string]catalog.Inventory
}

var _ catalog.Store = (*Memory)(nil)

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{
		products: map[string]catalog.Product{},
		owners:   map[string]string{},
		stock:    map[string]catalog.Inventory{},
	}
}

// Get implements catalog.Store.
func (m *Memory) Get(ctx context.Context, id string) (catalog.Product, error) {
	if err := ctx.Err(); err != nil {
		return catalog.Product{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	p, ok := m.products[id]
	if !ok {
		return catalog.Product{}, catalog.ErrNotFound
	}
	return clone(p), nil
}

// BySKU implements catalog.Store.
func (m *Memory) BySKU(ctx context.Context, skus []string) (map[string]catalog.Product, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	found := map[string]catalog.Product{}
	for _, sku := range skus {
		if id, ok := m.owners[sku]; ok {
			found[sku] = clone(m.products[id])
		}
	}
	return found, nil
}

// Create implements catalog.Store.
func (m *Memory) Create(ctx context.Context, p catalog.Product) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if owner, taken := m.owners[p.SKU]; taken {
		if owner == p.ID { // the same call again
			return nil
		}
		return catalog.ErrSKUExists
	}
	m.owners[p.SKU] = p.ID
	m.products[p.ID] = clone(p)
	m.stock[p.ID] = catalog.Inventory{ProductID: p.ID, SKU: p.SKU, Version: 1, UpdatedAt: p.CreatedAt}
	return nil
}

// Update implements catalog.Store.
func (m *Memory) Update(ctx context.Context, before, after catalog.Product) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if after.ID != before.ID || after.SKU != before.SKU || after.Version != before.Version+1 {
		return errors.New("catalogtest: an update keeps id and SKU and has the next version")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	stored, ok := m.products[after.ID]
	switch {
	case !ok:
		return catalog.ErrNotFound
	case stored.Version == before.Version:
		m.products[after.ID] = clone(after)
		return nil
	case reflect.DeepEqual(stored, clone(after)): // the same call again
		return nil
	default:
		return catalog.ErrStale
	}
}

// List implements catalog.Store.
func (m *Memory) List(ctx context.Context, filter catalog.Filter, limit int, after []byte) ([]catalog.Product, []byte, error) {
	return m.page(ctx, limit, after, func(p catalog.Product) catalog.Match {
		if p.Status == filter.Status && (filter.Category == "" || p.Category == filter.Category) {
			return catalog.MatchWords
		}
		return catalog.NoMatch
	})
}

// Search implements catalog.Store.
func (m *Memory) Search(ctx context.Context, q catalog.Query, limit int, after []byte) ([]catalog.Product, []byte, error) {
	return m.page(ctx, limit, after, func(p catalog.Product) catalog.Match {
		if p.Status != catalog.Active {
			return catalog.NoMatch
		}
		return q.Match(p)
	})
}

// position is the place of a product in a list.
type position struct {
	Match     catalog.Match `json:"match"`
	CreatedAt api.Time      `json:"created_at"`
	ID        string        `json:"id"`
}

// page returns the matching products after the position: those with the greatest match, then the newest.
func (m *Memory) page(ctx context.Context, limit int, after []byte, match func(catalog.Product) catalog.Match) ([]catalog.Product, []byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	var start position
	if len(after) > 0 {
		if err := json.Unmarshal(after, &start); err != nil || start.ID == "" {
			return nil, nil, page.ErrInvalidCursor
		}
	}

	m.mu.Lock()
	defer m.mu.Unlock()
	var places []position
	for _, p := range m.products {
		at := position{Match: match(p), CreatedAt: p.CreatedAt, ID: p.ID}
		if at.Match != catalog.NoMatch && (len(after) == 0 || compare(at, start) > 0) {
			places = append(places, at)
		}
	}
	slices.SortFunc(places, compare)
	more := len(places) > limit
	places = places[:min(len(places), limit)]
	found := make([]catalog.Product, len(places))
	for i, at := range places {
		found[i] = clone(m.products[at.ID])
	}
	if !more {
		return found, nil, nil
	}
	next, err := json.Marshal(places[limit-1])
	return found, next, err
}

func compare(a, b position) int {
	return cmp.Or(cmp.Compare(b.Match, a.Match), b.CreatedAt.Compare(a.CreatedAt.Time), cmp.Compare(b.ID, a.ID))
}

// Categories implements catalog.Store.
func (m *Memory) Categories(ctx context.Context, limit int, after []byte) ([]catalog.Category, []byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	start := ""
	if len(after) > 0 {
		if err := json.Unmarshal(after, &start); err != nil || start == "" {
			return nil, nil, page.ErrInvalidCursor
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	active := map[string]int64{}
	for _, p := range m.products {
		if p.Status == catalog.Active && p.Category > start {
			active[p.Category]++
		}
	}
	categories := make([]catalog.Category, 0, len(active))
	for _, name := range slices.Sorted(maps.Keys(active)) {
		categories = append(categories, catalog.Category{Name: name, ActiveProducts: active[name]})
	}
	if len(categories) <= limit {
		return categories, nil, nil
	}
	next, err := json.Marshal(categories[limit-1].Name)
	return categories[:limit], next, err
}

// Inventory implements catalog.Store.
func (m *Memory) Inventory(ctx context.Context, productID string) (catalog.Inventory, error) {
	if err := ctx.Err(); err != nil {
		return catalog.Inventory{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	stock, ok := m.stock[productID]
	if !ok {
		return catalog.Inventory{}, catalog.ErrNotFound
	}
	return stock, nil
}

// Adjust implements catalog.Store.
func (m *Memory) Adjust(ctx context.Context, r idempotency.Record, a catalog.Adjustment) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.Records.Check(r); errors.Is(err, idempotency.ErrDone) {
		return nil
	} else if err != nil {
		return err
	}
	stock, ok := m.stock[a.ProductID]
	if !ok || stock.SKU != a.SKU {
		return errors.New("catalogtest: an adjustment of stock that does not exist")
	}
	if stock.Available+a.Delta < 0 {
		return catalog.ErrWouldGoNegative.WithFields(problem.FieldError{
			Pointer: "/delta", Detail: fmt.Sprintf("must not take more than the %d available", stock.Available),
		})
	}
	stock.Available += a.Delta
	stock.Version++
	stock.UpdatedAt = a.CreatedAt
	m.stock[a.ProductID] = stock
	return m.Records.Put(r)
}

// clone returns a copy that shares nothing with p, and has an empty list or map where p has none.
func clone(p catalog.Product) catalog.Product {
	p.Tags = append([]string{}, p.Tags...)
	attributes := make(map[string]string, len(p.Attributes))
	maps.Copy(attributes, p.Attributes)
	p.Attributes = attributes
	return p
}
