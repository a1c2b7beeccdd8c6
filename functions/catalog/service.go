package catalog

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"reflect"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/clock"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/shared/problem"
)

// Service changes the catalogue. It sets ids, versions and times and checks the rules between a product's
// states; a Store stores the result.
type Service struct {
	store Store
	now   func() time.Time
}

// NewService returns a Service on store; now is the clock. It panics when one of them is nil.
func NewService(store Store, now func() time.Time) *Service {
	if store == nil || now == nil {
		panic("catalog: NewService needs a store and a clock")
	}
	return &Service{store: store, now: clock.Wall(now)}
}

// Create gives the product its id, version and times and stores it. It returns ErrSKUExists.
func (s *Service) Create(ctx context.Context, p Product) (Product, error) {
	now := s.time()
	p.ID = newID(now)
	p.Version = 1
	p.CreatedAt, p.UpdatedAt = now, now
	p = p.withoutNulls()
	if err := s.store.Create(ctx, p); err != nil {
		return Product{}, err
	}
	metrics.From(ctx).Product(ctx, metrics.Created)
	return p, nil
}

// Update applies change to the product, if its version matches, and stores the result as the next version, unless it is
// the same. It returns ErrNotFound, ErrGone for an archived product, ErrStale for a version that does not match, and what
// change returns.
func (s *Service) Update(ctx context.Context, id string, matches func(version int64) bool, change func(Product) (Product, error)) (Product, error) {
	before, err := byID(ctx, id, s.store.Get)
	if err != nil {
		return Product{}, err
	}
	if before.Status == Archived {
		return Product{}, ErrGone
	}
	if !matches(before.Version) {
		return Product{}, ErrStale
	}
	after, err := change(before)
	if err != nil {
		return Product{}, err
	}
	if before, after = before.withoutNulls(), after.withoutNulls(); reflect.DeepEqual(before, after) {
		return before, nil
	}
	return s.replace(ctx, before, after)
}

// Archive takes the product out of sale for good. Archiving it again changes nothing. It returns ErrStale for
// a version that does not match; nil matches every one.
func (s *Service) Archive(ctx context.Context, id string, matches func(version int64) bool) error {
	before, err := byID(ctx, id, s.store.Get)
	if err != nil {
		return err
	}
	if before.Status == Archived {
		return nil
	}
	if matches != nil && !matches(before.Version) {
		return ErrStale
	}
	after := before
	after.Status = Archived
	_, err = s.replace(ctx, before, after)
	return err
}

func (s *Service) replace(ctx context.Context, before, after Product) (Product, error) {
	after.Version = before.Version + 1
	after.UpdatedAt = s.time()
	after = after.withoutNulls()
	if err := s.store.Update(ctx, before, after); err != nil {
		return Product{}, err
	}
	change := metrics.Updated
	if after.Status == Archived {
		change = metrics.Archived
	}
	metrics.From(ctx).Product(ctx, change)
	return after, nil
}

// Adjust moves the stock of a product by delta pieces, once for the idempotency key of the request, and returns the ledger
// entry. It returns ErrNotFound, ErrWouldGoNegative, and *idempotency.UsedError for a key that is in use.
func (s *Service) Adjust(ctx context.Context, productID string, delta int64, reason string) (Adjustment, error) {
	if delta == 0 {
		return Adjustment{}, problem.Fields(problem.FieldError{Pointer: "/delta", Detail: "must not be 0"})
	}
	stock, err := byID(ctx, productID, s.store.Inventory)
	if err != nil {
		return Adjustment{}, err
	}
	now := s.time()
	a := Adjustment{ID: newID(now), ProductID: stock.ProductID, SKU: stock.SKU, Delta: delta, Reason: reason, CreatedAt: now}
	record, err := idempotency.Done(ctx, now.Time, http.StatusCreated, nil, a)
	if err != nil {
		return Adjustment{}, err
	}
	switch err := s.store.Adjust(ctx, record, a); {
	case errors.Is(err, ErrWouldGoNegative):
		metrics.From(ctx).OutOfStock(ctx)
		return Adjustment{}, err
	case err != nil:
		return Adjustment{}, err
	}
	metrics.From(ctx).StockAdjusted(ctx, delta)
	return a, nil
}

// withoutNulls replaces missing tags and attributes by empty ones, so that clients read [] and {}.
func (p Product) withoutNulls() Product {
	if p.Tags == nil {
		p.Tags = []string{}
	}
	if p.Attributes == nil {
		p.Attributes = map[string]string{}
	}
	return p
}

func (s *Service) time() api.Time { return api.NewTime(s.now()) }

func newID(now api.Time) string {
	return ulid.MustNew(ulid.Timestamp(now.Time), rand.Reader).String()
}
