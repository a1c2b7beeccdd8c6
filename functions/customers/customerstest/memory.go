package customerstest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/tienda-dev/tienda/functions/customers"
	"github.com/tienda-dev/tienda/shared/api"
)

// Memory is a customers.Store in memory, for tests. It passes the suite and is safe for concurrent use.
type Memory struct {
	mu        sync.Mutex
	customers map[string]customers.Customer
}

var _ Store = (*Memory)(nil)

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{customers: map[string]customers.Customer{}}
}

// Create implements Store.
func (m *Memory) Create(ctx context.Context, id, email, name string, at time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, taken := m.customers[id]; taken {
		return errors.New("customerstest: the customer exists")
	}
	created := api.NewTime(at)
	m.customers[id] = customers.Customer{ID: id, Email: email, Name: name, Version: 1, CreatedAt: created, UpdatedAt: created}
	return nil
}

// Get implements customers.Store.
func (m *Memory) Get(ctx context.Context, id string) (customers.Customer, error) {
	if err := ctx.Err(); err != nil {
		return customers.Customer{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.customers[id]
	if !ok {
		return customers.Customer{}, customers.ErrNotFound
	}
	return c, nil
}

// Update implements customers.Store.
func (m *Memory) Update(ctx context.Context, before, after customers.Customer) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if after.ID != before.ID || after.Email != before.Email || after.Version != before.Version+1 {
		return errors.New("customerstest: an update keeps id and e-mail address and has the next version")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	stored, ok := m.customers[after.ID]
	switch {
	case !ok:
		return customers.ErrNotFound
	case stored.Version == before.Version:
		m.customers[after.ID] = after
		return nil
	case stored == after: // the same call again
		return nil
	default:
		return customers.ErrStale
	}
}
