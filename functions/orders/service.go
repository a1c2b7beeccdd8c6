package orders

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/clock"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/outbox"
	"github.com/tienda-dev/tienda/shared/problem"
)

// Offers returns the price of a basket.
type Offers interface {
	// Price returns what the basket costs now. Its errors name members of the request, and are for the client.
	Price(ctx context.Context, b Basket) (Offer, error)
	// Quoted returns the offer of a quote that the customer may use. Its errors are for the client.
	Quoted(ctx context.Context, quoteID, customer string) (Offer, error)
}

// Basket is what a customer wants to buy.
type Basket struct {
	// Customer is the user's id.
	Customer string
	Items    []Item
	// Codes are discount codes.
	Codes  []string
	ShipTo policy.Address
}

// Item is a number of pieces of a SKU.
type Item struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

// Offer is what a basket costs. Its amounts are those of Order.
type Offer struct {
	Lines                                    []Line
	Subtotal, Discount, Shipping, Tax, Total money.Money
	// Codes are the discount codes that the offer uses.
	Codes  []string
	ShipTo policy.Address
	// Versions are the versions of the products that the prices are from, by product id.
	Versions map[string]int64
}

// attempts is how often a change is made from a new reading when another one was in its way.
const attempts = 6

// Service makes and changes orders. It sets ids, versions and times and checks the rules between the states; a
// Store stores the result.
type Service struct {
	store  Store
	offers Offers
	now    func() time.Time
}

// NewService returns a Service on store; now is the clock. A process that makes no orders may pass nil for offers. It
// panics when the store or the clock is nil.
func NewService(store Store, offers Offers, now func() time.Time) *Service {
	if store == nil || now == nil {
		panic("orders: NewService needs a store and a clock")
	}
	return &Service{store: store, offers: offers, now: clock.Wall(now)}
}

// NewOrder is a request for an order: of a basket, or of a quote.
type NewOrder struct {
	// Customer is the user's id.
	Customer string
	// QuoteID is empty for an order of Items.
	QuoteID string
	Items   []Item
	Codes   []string
	// ShipTo is nil for the address of the quote.
	ShipTo *policy.Address
	// ExpectedTotal is nil if the customer accepts every total.
	ExpectedTotal *money.Money
}

// priced returns the pointer to the member of the request that its total comes from.
func (in NewOrder) priced() string {
	switch {
	case in.QuoteID != "":
		return "/quote_id"
	case len(in.Codes) > 0:
		return "/discount_codes"
	default:
		return "/lines"
	}
}

// Create makes an order: it holds the stock for HoldFor, uses the codes and the quote, and stores the answer for the
// request's idempotency key, all in one transaction. It returns ErrOutOfStock, ErrPriceChanged with the member total, a
// 422 for a total that no payment can authorise, such as 0, and the errors of Offers and of Store.Create.
func (s *Service) Create(ctx context.Context, in NewOrder) (Order, error) {
	start := s.now()
	o, err := s.create(ctx, in)
	if used := (*idempotency.UsedError)(nil); errors.As(err, &used) {
		return Order{}, err // the first attempt was measured
	}
	result := metrics.Success
	if err != nil {
		result = metrics.Failure
		metrics.From(ctx).OrderFailed(ctx, o.Total.Currency)
	}
	if errors.Is(err, ErrOutOfStock) {
		metrics.From(ctx).OutOfStock(ctx)
	}
	metrics.From(ctx).Checkout(ctx, s.now().Sub(start), result)
	if err != nil {
		return Order{}, err
	}
	return o, nil
}

// unpayable returns the detail of the 422 for a total that no payment can authorise.
func unpayable(unit int64) string {
	if unit == 1 {
		return "must leave a total that can be paid"
	}
	return fmt.Sprintf("must leave a total that can be paid: a multiple of %d minor units above 0", unit)
}

// create makes an order. With an error it returns the order that it could not make, for the metrics.
func (s *Service) create(ctx context.Context, in NewOrder) (Order, error) {
	offer, err := s.offer(ctx, in)
	if err != nil {
		return Order{}, err
	}
	var o Order
	for range attempts {
		if unit := policy.PayableUnit(offer.Total.Currency); offer.Total.AmountMinor == 0 || offer.Total.AmountMinor%unit != 0 {
			return Order{Total: offer.Total}, problem.Fields(problem.FieldError{Pointer: in.priced(), Detail: unpayable(unit)})
		}
		if in.ExpectedTotal != nil && *in.ExpectedTotal != offer.Total {
			return Order{Total: offer.Total}, priceChanged(offer.Total)
		}
		var c Creation
		if c, err = s.creation(ctx, in, offer); err != nil {
			return Order{Total: offer.Total}, err
		}
		o = c.Order
		if err = s.store.Create(ctx, c); !errors.Is(err, ErrPriceChanged) {
			return o, err
		}
		// A product has changed since its price was read.
		if offer, err = s.renew(ctx, in, offer); err != nil {
			return o, err
		}
	}
	return o, priceChanged(offer.Total)
}

// offer returns what the order costs.
func (s *Service) offer(ctx context.Context, in NewOrder) (Offer, error) {
	if in.QuoteID == "" {
		return s.offers.Price(ctx, Basket{Customer: in.Customer, Items: in.Items, Codes: in.Codes, ShipTo: *in.ShipTo})
	}
	offer, err := s.offers.Quoted(ctx, in.QuoteID, in.Customer)
	if err != nil {
		return Offer{}, err
	}
	if in.ShipTo != nil {
		if err := sameDestination(*in.ShipTo, offer.ShipTo); err != nil {
			return Offer{}, err
		}
		offer.ShipTo = *in.ShipTo
	}
	return offer, nil
}

// sameDestination returns nil if tax and shipping are the same for both addresses, and otherwise 422 with the members
// that differ.
func sameDestination(to, quoted policy.Address) error {
	var broken []problem.FieldError
	for _, member := range []struct{ name, got, want string }{
		{"country", to.Country, quoted.Country}, {"region", to.Region, quoted.Region}, {"postal_code", to.PostalCode, quoted.PostalCode},
	} {
		if member.got != member.want {
			broken = append(broken, problem.FieldError{Pointer: "/ship_to/" + member.name, Detail: "must be that of the quote"})
		}
	}
	if len(broken) > 0 {
		return problem.Fields(broken...)
	}
	return nil
}

// renew prices the lines of an offer again.
func (s *Service) renew(ctx context.Context, in NewOrder, old Offer) (Offer, error) {
	basket := Basket{Customer: in.Customer, Codes: old.Codes, ShipTo: old.ShipTo}
	for _, line := range old.Lines {
		basket.Items = append(basket.Items, Item{line.SKU, line.Quantity})
	}
	if in.QuoteID != "" {
		return s.requote(ctx, basket, old)
	}
	return s.offers.Price(ctx, basket)
}

// requote returns the offer of a quote with the new versions of its products. It keeps its price as long as they are for
// sale at the prices that it has, whatever happens to its codes and to the rules. Otherwise it is ErrPriceChanged, with
// the new total if there is one: another price needs another quote.
func (s *Service) requote(ctx context.Context, basket Basket, old Offer) (Offer, error) {
	codes := basket.Codes
	basket.Codes = nil
	offer, err := s.reprice(ctx, basket)
	if err != nil {
		return Offer{}, err
	}
	if slices.EqualFunc(old.Lines, offer.Lines, func(a, b Line) bool { return a.ProductID == b.ProductID && a.UnitPrice == b.UnitPrice }) {
		old.Versions = offer.Versions
		return old, nil
	}
	basket.Codes = codes
	if offer, err = s.reprice(ctx, basket); err != nil {
		return Offer{}, err
	}
	return Offer{}, priceChanged(offer.Total)
}

// reprice prices what a quote has. The request does not have it, so that a basket that can no longer be bought is
// ErrPriceChanged.
func (s *Service) reprice(ctx context.Context, basket Basket) (Offer, error) {
	offer, err := s.offers.Price(ctx, basket)
	if refused, ok := problem.As(err); ok && refused.Kind == problem.Invalid {
		return Offer{}, ErrPriceChanged.WithCause(refused)
	}
	return offer, err
}

// creation returns the order of an offer with everything that is stored with it.
func (s *Service) creation(ctx context.Context, in NewOrder, offer Offer) (Creation, error) {
	now := api.NewTime(s.now())
	o := Order{
		ID:               ulid.MustNew(ulid.Timestamp(now.Time), rand.Reader).String(),
		Status:           StatusPendingPayment,
		PaymentStatus:    PaymentNone,
		FulfilmentStatus: FulfilmentNone,
		Lines:            slices.Clone(offer.Lines),
		Subtotal:         offer.Subtotal,
		Discount:         offer.Discount,
		Shipping:         offer.Shipping,
		Tax:              offer.Tax,
		Total:            offer.Total,
		ShipTo:           offer.ShipTo,
		ExpiresAt:        now.Add(HoldFor),
		Version:          1,
		CreatedAt:        now,
		UpdatedAt:        now,
		Customer:         in.Customer,
		QuoteID:          in.QuoteID,
		Codes:            offer.Codes,
	}.Clone()
	for i := range o.Lines {
		o.Lines[i].ToShip = o.Lines[i].Quantity
	}
	event, err := o.event(EventCreated, now.Time, eventData{Currency: o.Total.Currency, Total: &o.Total, Pieces: o.Pieces()})
	if err != nil {
		return Creation{}, err
	}
	record, err := idempotency.Done(ctx, now.Time, http.StatusCreated, map[string]string{"Location": location(o.ID)}, o)
	if err != nil {
		return Creation{}, err
	}
	return Creation{Order: o, Versions: maps.Clone(offer.Versions), Event: event, Record: record}, nil
}

// location returns the URL of an order, as Location has it.
func location(id string) string { return "orders/" + id }

func priceChanged(total money.Money) error { return ErrPriceChanged.WithMember("total", total) }

// Reader is the caller who reads or cancels an order.
type Reader struct {
	// ID is the user's id.
	ID string
	// Staff may do so with all orders.
	Staff bool
}

// Get returns the order, and ErrNotFound for one that the reader must not see.
func (s *Service) Get(ctx context.Context, id string, reader Reader) (Order, error) {
	id, ok := api.ULID(id)
	if !ok {
		return Order{}, ErrNotFound
	}
	o, err := s.store.Get(ctx, id)
	if err != nil {
		return Order{}, err
	}
	if o.Customer != reader.ID && !reader.Staff {
		return Order{}, ErrNotFound
	}
	return o, nil
}

// Events returns a page of the order's timeline, oldest first, as Store.Events does, and ErrNotFound for an order that
// the reader must not see.
func (s *Service) Events(ctx context.Context, id string, reader Reader, limit int, after []byte) ([]outbox.Event, []byte, error) {
	o, err := s.Get(ctx, id, reader)
	if err != nil {
		return nil, nil, err
	}
	return s.store.Events(ctx, o.ID, limit, after)
}

// Cancel ends an order of which nothing is shipped: its stock is available again, and its codes may be used again. Money
// that was paid goes back later. It returns ErrNotFound for an order that the reader must not see, and
// ErrInvalidTransition.
func (s *Service) Cancel(ctx context.Context, id string, reader Reader, reason Reason) (Order, error) {
	var after Order
	err := s.retry(func() error {
		before, err := s.Get(ctx, id, reader)
		if err != nil {
			return err
		}
		now := s.now()
		var row Transition
		if after, row, err = before.apply(Cancel, now); err != nil {
			return err
		}
		by := ByCustomer
		if before.Customer != reader.ID {
			by = ByStaff
		}
		event, err := after.event(row.Event, now, eventData{Currency: after.Total.Currency, Reason: reason, By: by})
		if err != nil {
			return err
		}
		record, err := idempotency.Done(ctx, now, after.cancelledStatus(), nil, after)
		if err != nil {
			return err
		}
		return s.store.Apply(ctx, Change{
			Before: before, After: after, Stock: row.Stock, Events: []outbox.Event{event}, Record: record, At: now,
		})
	})
	if err != nil {
		return Order{}, err
	}
	return after, nil
}

// retry repeats a change that another one was in the way of.
func (*Service) retry(change func() error) error {
	for n := 1; ; n++ {
		if err := change(); n == attempts || !errors.Is(err, ErrChanged) {
			return err
		}
	}
}
