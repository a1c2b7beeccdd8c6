package orders_test

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/functions/orders/orderstest"
	"github.com/tienda-dev/tienda/internal/apitest"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/middleware"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/outbox"
	"github.com/tienda-dev/tienda/shared/page"
	"github.com/tienda-dev/tienda/shared/problem"
)

// offers prices every SKU, 10 EUR a piece with 21 percent tax and 5 EUR shipping, unless a test changes that.
type offers struct {
	price    int64
	shipping int64
	version  int64
	quotes   map[string]orders.Offer
	prices   int
	// items and codes are the errors of every price, and of a price with codes.
	items, codes error
}

func eur(minor int64) money.Money { return money.Money{AmountMinor: minor, Currency: "EUR"} }

// Price implements orders.Offers.
func (o *offers) Price(_ context.Context, b orders.Basket) (orders.Offer, error) {
	o.prices++
	if o.items != nil {
		return orders.Offer{}, o.items
	}
	if len(b.Codes) > 0 && o.codes != nil {
		return orders.Offer{}, o.codes
	}
	made := orders.Offer{Codes: b.Codes, ShipTo: b.ShipTo, Versions: map[string]int64{}, Discount: eur(0), Shipping: eur(o.shipping)}
	var subtotal, tax int64
	for _, item := range b.Items {
		value := o.price * item.Quantity
		made.Lines = append(made.Lines, orders.Line{
			SKU: item.SKU, ProductID: orderstest.ProductOf(item.SKU), Name: "Product " + item.SKU, Quantity: item.Quantity,
			UnitPrice: eur(o.price), Discount: eur(0), Tax: eur(value * 21 / 100), Total: eur(value + value*21/100),
		})
		made.Versions[orderstest.ProductOf(item.SKU)] = o.version
		subtotal += value
		tax += value * 21 / 100
	}
	made.Subtotal, made.Tax, made.Total = eur(subtotal), eur(tax), eur(subtotal+tax+o.shipping)
	return made, nil
}

// Quoted implements orders.Offers.
func (o *offers) Quoted(_ context.Context, id, _ string) (orders.Offer, error) {
	offer, ok := o.quotes[id]
	if !ok {
		return orders.Offer{}, problem.New(problem.NotFound, "quote_not_found", "There is no such quote.")
	}
	return offer, nil
}

// shop serves every route of orders on a store in memory.
type shop struct {
	t       testing.TB
	store   *orderstest.Memory
	offers  *offers
	clock   *time.Time
	service *orders.Service
	api     *apitest.API
}

// fixed is page.Cursors with one sealer.
type fixed struct{ *page.Sealer }

func (f fixed) Get(context.Context) *page.Sealer { return f.Sealer }

func newShop(t *testing.T) *shop {
	t.Helper()
	s := newService(t)
	keys, err := page.ParseKeys([]byte(`{"kid":"k1","status":"active","key":"` + strings.Repeat("k", 32) + `"}`))
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := page.NewSealer(keys, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	s.api = apitest.New(t, orders.Routes(), map[string]api.Handler{
		"create-order":      orders.CreateOrder(s.service),
		"list-orders":       orders.ListOrders(s.store, fixed{sealer}),
		"get-order":         orders.GetOrder(s.service),
		"list-order-events": orders.ListOrderEvents(s.service, fixed{sealer}),
		"cancel-order":      orders.CancelOrder(s.service),
	}, func(api.Route) middleware.Config {
		return middleware.Config{
			Authenticator: middleware.GatewayAuthenticator(time.Now),
			Idempotency:   idempotency.Middleware(s.store.Keys(), s.now),
		}
	})
	return s
}

// newService returns a shop without routes.
func newService(t testing.TB) *shop {
	t.Helper()
	clock := orderstest.Time(0).Time
	s := &shop{t: t, store: orderstest.NewMemory(), offers: &offers{price: 1000, shipping: 500, version: 1, quotes: map[string]orders.Offer{}}, clock: &clock}
	s.service = orders.NewService(s.store, s.offers, s.now)
	return s
}

func (s *shop) now() time.Time { return *s.clock }

func (s *shop) stock(pieces int64, skus ...string) {
	s.t.Helper()
	for _, sku := range skus {
		if err := s.store.Put(s.t.Context(), sku, orderstest.ProductOf(sku), s.offers.version, pieces); err != nil {
			s.t.Fatal(err)
		}
	}
}

// do sends a request as a user with a role, with a new idempotency key.
func (s *shop) do(user, role, method, target, body string, options ...apitest.Option) apitest.Answer {
	s.t.Helper()
	all := append([]apitest.Option{apitest.As(user, role), apitest.Header("Idempotency-Key", rand.Text())}, options...)
	return s.api.Do(method, target, body, all...)
}

const (
	shipTo = `"ship_to":{"name":"María López","line1":"Calle Mayor 1","city":"Madrid","postal_code":"28013","country":"ES"}`
	twoA   = `{"lines":[{"sku":"A","quantity":2}],` + shipTo + `}`
	maria  = "01J00000000000000000000001"
	other  = "01J00000000000000000000002"
)

// order makes an order of 2 pieces of A.
func (s *shop) order(user string) orders.Order {
	s.t.Helper()
	o, err := s.service.Create(s.t.Context(), orders.NewOrder{
		Customer: user, Items: []orders.Item{{SKU: "A", Quantity: 2}},
		ShipTo: &policy.Address{Name: "María López", Line1: "Calle Mayor 1", City: "Madrid", Country: "ES"},
	})
	if err != nil {
		s.t.Fatalf("Create: %v", err)
	}
	return o
}

// event returns an event about the order's payment or shipment.
func (s *shop) event(orderID, typ string, data map[string]any) outbox.Event {
	s.t.Helper()
	e, err := outbox.New(s.now(), typ, orderID, data)
	if err != nil {
		s.t.Fatal(err)
	}
	return e
}

// get reads the order as it is stored.
func (s *shop) get(id string) orders.Order {
	s.t.Helper()
	o, err := s.store.Get(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return o
}

// pay claims the order for a payment, records its status and returns the event of it.
func (s *shop) pay(o orders.Order, paymentID string, status orders.PaymentStatus, typ string) outbox.Event {
	s.t.Helper()
	if err := s.store.Claim(s.t.Context(), s.get(o.ID), paymentID, s.now()); err != nil {
		s.t.Fatalf("Claim: %v", err)
	}
	if err := s.store.Record(s.t.Context(), o.ID, paymentID, status, s.now()); err != nil {
		s.t.Fatalf("Record: %v", err)
	}
	return s.event(o.ID, typ, map[string]any{"order_id": o.ID, "payment_id": paymentID, "provider": "stripe"})
}

func (s *shop) wantStock(sku string, want orderstest.Stock) {
	s.t.Helper()
	if got, err := s.store.Stock(s.t.Context(), orderstest.ProductOf(sku)); err != nil || got != want {
		s.t.Errorf("stock of %s is %+v, %v; want %+v", sku, got, err, want)
	}
}

// types returns the types of the order's events.
func (s *shop) types(id string) []string {
	s.t.Helper()
	events, _, err := s.store.Events(s.t.Context(), id, 1000, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	var types []string
	for _, e := range events {
		types = append(types, e.Type)
	}
	return types
}
