package customers

import (
	"context"
	"time"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/clock"
	"github.com/tienda-dev/tienda/shared/metrics"
)

// Service changes profiles. It sets versions and times; a Store stores the result.
type Service struct {
	store Store
	now   func() time.Time
}

// NewService returns a Service on store; now is the clock. It panics when one of them is nil.
func NewService(store Store, now func() time.Time) *Service {
	if store == nil || now == nil {
		panic("customers: NewService needs a store and a clock")
	}
	return &Service{store: store, now: clock.Wall(now)}
}

// Update applies change to the profile, if its version matches, and stores the result as the next version, unless it is
// the same. It returns ErrNotFound, and ErrStale for a version that does not match.
func (s *Service) Update(ctx context.Context, id string, matches func(version int64) bool, change func(Customer) Customer) (Customer, error) {
	before, err := s.store.Get(ctx, id)
	if err != nil {
		return Customer{}, err
	}
	if !matches(before.Version) {
		return Customer{}, ErrStale
	}
	after := change(before)
	if after == before {
		return before, nil
	}
	after.Version = before.Version + 1
	after.UpdatedAt = api.NewTime(s.now())
	if err := s.store.Update(ctx, before, after); err != nil {
		return Customer{}, err
	}
	metrics.From(ctx).Customer(ctx, metrics.Updated)
	return after, nil
}
