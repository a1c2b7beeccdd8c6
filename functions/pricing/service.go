package pricing

import (
	"context"
	"crypto/rand"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/sync/errgroup"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/clock"
	"github.com/tienda-dev/tienda/shared/idempotency"
)

const (
	headerLocation = "Location"
	headerETag     = "ETag"
)

// Service makes quotes and changes rules and discounts.
type Service struct {
	store    Store
	products Products
	now      func() time.Time
}

// NewService returns a Service on store; products may be nil for a service that makes no prices, and now is the clock.
// It panics when store or now is nil.
func NewService(store Store, products Products, now func() time.Time) *Service {
	if store == nil || now == nil {
		panic("pricing: NewService needs a store and a clock")
	}
	return &Service{store: store, products: products, now: clock.Wall(now)}
}

// Price computes a quote and stores nothing: it has no id. Its errors are 422 and name the parts of the request, as
// members of a body that has lines, discount_codes and ship_to.
func (s *Service) Price(ctx context.Context, req Request) (Quote, error) {
	if err := req.faults().err(); err != nil {
		return Quote{}, err
	}
	req.Codes = normalCodes(req.Codes)
	skus := make([]string, len(req.Lines))
	for i, line := range req.Lines {
		skus[i] = line.SKU
	}

	var products map[string]Product
	var terms Terms
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		products, err = s.products.Products(groupCtx, skus)
		return err
	})
	group.Go(func() (err error) {
		terms, err = s.store.Terms(groupCtx, req.Customer, slices.DeleteFunc(slices.Clone(req.Codes), invalidCode))
		return err
	})
	if err := group.Wait(); err != nil {
		return Quote{}, err
	}
	now := s.time()
	q, err := price(req, products, terms, now.Time)
	if err != nil {
		return Quote{}, err
	}
	q.CreatedAt, q.ExpiresAt = now, now.Add(QuoteLife)
	return q, nil
}

// faults are what is wrong with the request whatever the catalogue has.
func (req Request) faults() *faults {
	var f faults
	f.items(req.Lines)
	f.codes(req.Codes)
	f.broken = append(f.broken, req.ShipTo.Validate("/ship_to")...)
	return &f
}

func normalCodes(codes []string) []string {
	normal := make([]string, len(codes))
	for i, code := range codes {
		normal[i] = NormalCode(code)
	}
	return normal
}

func invalidCode(code string) bool { return !ValidCode(code) }

// CreateQuote computes a quote and stores it for QuoteLife, with the answer for repetitions of the request. Its errors
// are Price's and *idempotency.UsedError.
func (s *Service) CreateQuote(ctx context.Context, req Request) (Quote, error) {
	q, err := s.Price(ctx, req)
	if err != nil {
		return Quote{}, err
	}
	q.ID = ulid.MustNew(ulid.Timestamp(q.CreatedAt.Time), rand.Reader).String()
	record, err := idempotency.Done(ctx, q.CreatedAt.Time, http.StatusCreated, map[string]string{headerLocation: q.location()}, q)
	if err != nil {
		return Quote{}, err
	}
	return q, s.store.CreateQuote(ctx, q, record)
}

// Quote returns a quote. An empty customer may read everybody's. It returns ErrQuoteNotFound and ErrQuoteExpired.
func (s *Service) Quote(ctx context.Context, id, customer string) (Quote, error) {
	id, ok := api.ULID(id)
	if !ok {
		return Quote{}, ErrQuoteNotFound
	}
	q, err := s.store.Quote(ctx, id)
	if err != nil {
		return Quote{}, err
	}
	if customer != "" && q.Customer != customer {
		return Quote{}, ErrQuoteNotFound
	}
	if q.Expired(s.now()) {
		return Quote{}, ErrQuoteExpired
	}
	return q, nil
}

// Stored returns a quote of the customer that can be ordered. It returns ErrQuoteNotFound, ErrQuoteExpired and
// ErrQuoteUsed.
func (s *Service) Stored(ctx context.Context, id, customer string) (Quote, error) {
	if customer == "" {
		return Quote{}, ErrQuoteNotFound
	}
	q, err := s.Quote(ctx, id, customer)
	if err != nil {
		return Quote{}, err
	}
	if q.OrderID != "" {
		return Quote{}, ErrQuoteUsed
	}
	return q, nil
}

// PutRules replaces the rules, if their version matches, unless they are the same. It returns ErrStale for a version
// that does not match.
func (s *Service) PutRules(ctx context.Context, matches func(version int64) bool, after Rules) (Rules, error) {
	before, err := s.store.Rules(ctx)
	if err != nil {
		return Rules{}, err
	}
	if !matches(before.Version) {
		return Rules{}, ErrStale
	}
	after = after.withoutNulls()
	after.Version, after.UpdatedAt = before.Version, before.UpdatedAt
	if before.Version > 0 && reflect.DeepEqual(before.withoutNulls(), after) {
		return after, nil
	}
	now := s.time()
	after.Version, after.UpdatedAt = before.Version+1, &now
	return after, s.store.PutRules(ctx, before.Version, after)
}

// withoutNulls replaces missing lists by empty ones, so that clients read [].
func (r Rules) withoutNulls() Rules {
	if r.Tax == nil {
		r.Tax = []TaxRate{}
	}
	shipping := make([]ShippingRate, len(r.Shipping))
	for i, rate := range r.Shipping {
		if rate.Countries == nil {
			rate.Countries = []string{}
		}
		shipping[i] = rate
	}
	r.Shipping = shipping
	return r
}

// CreateDiscount gives the discount its version and times and stores it, with the answer for repetitions of the
// request. It returns ErrCodeExists and *idempotency.UsedError.
func (s *Service) CreateDiscount(ctx context.Context, d Discount) (Discount, error) {
	now := s.time()
	d.Code, d.Uses, d.Version, d.CreatedAt, d.UpdatedAt = NormalCode(d.Code), 0, 1, now, now
	record, err := idempotency.Done(ctx, now.Time, http.StatusCreated,
		map[string]string{headerLocation: d.location(), headerETag: api.ETag(d.Version)}, d)
	if err != nil {
		return Discount{}, err
	}
	return d, s.store.CreateDiscount(ctx, d, record)
}

// UpdateDiscount applies change to the discount, if its version matches, and stores the result as the next version,
// unless it is the same. It returns ErrDiscountNotFound, ErrStale for a version that does not match, 422 for a result
// that breaks a rule, and what change returns.
func (s *Service) UpdateDiscount(ctx context.Context, code string, matches func(version int64) bool, change func(Discount) Discount) (Discount, error) {
	before, err := s.discount(ctx, code, matches)
	if err != nil {
		return Discount{}, err
	}
	after := change(before)
	if reflect.DeepEqual(before, after) {
		return before, nil
	}
	var f faults
	after.check(&f)
	if err := f.err(); err != nil {
		return Discount{}, err
	}
	after.Version, after.UpdatedAt = before.Version+1, s.time()
	return after, s.store.UpdateDiscount(ctx, before, after)
}

// DeleteDiscount deletes the discount, if its version matches. It returns ErrDiscountNotFound and ErrStale.
func (s *Service) DeleteDiscount(ctx context.Context, code string, matches func(version int64) bool) error {
	d, err := s.discount(ctx, code, matches)
	if err != nil {
		return err
	}
	return s.store.DeleteDiscount(ctx, d.Code, d.Version)
}

func (s *Service) discount(ctx context.Context, code string, matches func(version int64) bool) (Discount, error) {
	d, err := readDiscount(ctx, s.store, code)
	if err != nil {
		return Discount{}, err
	}
	if !matches(d.Version) {
		return Discount{}, ErrStale
	}
	return d, nil
}

func (s *Service) time() api.Time { return api.NewTime(s.now()) }
