// Package orderstest has a test suite for every orders.Store, and a store in memory that passes it.
package orderstest

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/oklog/ulid/v2"

	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/outbox"
)

// Shop is an orders.Store together with what it shares transactions with, as tests need them.
type Shop interface {
	orders.Store

	// Put adds pieces to the stock of a product, and sets its SKU and version.
	Put(ctx context.Context, sku, productID string, version, pieces int64) error
	// Stock returns the stock of a product.
	Stock(ctx context.Context, productID string) (Stock, error)
	// PutCode puts a discount code.
	PutCode(ctx context.Context, code string, c Code) error
	// Uses returns how many orders of the customer use the code.
	Uses(ctx context.Context, code, customer string) (int64, error)
	// Claim, Record and Ship commit the writes that the store has for payments and shipments.
	Claim(ctx context.Context, o orders.Order, paymentID string, now time.Time) error
	Record(ctx context.Context, orderID, paymentID string, status orders.PaymentStatus, now time.Time) error
	Ship(ctx context.Context, o orders.Order, lines []orders.Shipped, shipmentID string, now time.Time) error
}

// Stock is the stock of a product in pieces.
type Stock struct{ Available, Reserved, Sold int64 }

// Run runs the suite. newShop returns an empty shop that no other test uses.
func Run(t *testing.T, newShop func(t *testing.T) Shop) {
	t.Helper()
	for _, part := range []struct {
		name string
		test func(t *testing.T, newShop func(t *testing.T) Shop)
	}{
		{"Create", testCreate},
		{"Codes", testCodes},
		{"Apply", testApply},
		{"Payment", testPayment},
		{"Ship", testShip},
		{"Lists", testLists},
		{"Concurrency", testConcurrency},
		{"Context", testContext},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			part.test(t, newShop)
		})
	}
}

// Time returns a fixed time, n seconds after the first one.
func Time(n int) api.Time {
	return api.NewTime(time.Date(2026, time.March, 1, 12, 0, n, 0, time.UTC))
}

// NewID returns a new id of something that was created at the time.
func NewID(at api.Time) string {
	return ulid.MustNew(ulid.Timestamp(at.Time), rand.Reader).String()
}

// NewOrder returns a new order of 2 pieces of each SKU, as the service passes one to a store.
func NewOrder(skus ...string) orders.Order {
	at := Time(0)
	o := orders.Order{
		ID: NewID(at), Status: orders.StatusPendingPayment, PaymentStatus: orders.PaymentNone, FulfilmentStatus: orders.FulfilmentNone,
		ShipTo:    policy.Address{Name: "María López", Line1: "Calle Mayor 1", City: "Madrid", PostalCode: "28013", Country: "ES"},
		ExpiresAt: at.Add(orders.HoldFor), Version: 1, CreatedAt: at, UpdatedAt: at, Customer: "customer-1", Codes: []string{},
		Shipments: map[string]orders.ParcelState{},
	}
	var sum int64
	for _, sku := range skus {
		o.Lines = append(o.Lines, orders.Line{
			SKU: sku, ProductID: ProductOf(sku), Name: "Product " + sku, Quantity: 2, ToShip: 2,
			UnitPrice: euros(1000), Discount: euros(0), Tax: euros(420), Total: euros(2420),
		})
		sum += 2000
	}
	tax := sum * 21 / 100
	o.Subtotal, o.Discount, o.Shipping, o.Tax, o.Total = euros(sum), euros(0), euros(500), euros(tax), euros(sum+500+tax)
	return o
}

// ProductOf returns the id of the product that has the SKU in tests.
func ProductOf(sku string) string { return "PRODUCT-" + sku }

func euros(minor int64) money.Money { return money.Money{AmountMinor: minor, Currency: "EUR"} }

// Creation returns all that is stored for a new order of products in version 1.
func Creation(o orders.Order) orders.Creation {
	versions := map[string]int64{}
	for _, line := range o.Lines {
		versions[line.ProductID] = 1
	}
	return orders.Creation{Order: o, Versions: versions, Event: Event(o, orders.EventCreated, o.CreatedAt)}
}

// Event returns an event about the order.
func Event(o orders.Order, typ string, at api.Time) outbox.Event {
	e, err := outbox.New(at.Time, typ, o.ID, map[string]any{"order_id": o.ID, "version": o.Version})
	if err != nil {
		panic(err) // the type is a constant and the data has a JSON
	}
	return e
}

// Stocked puts pieces of each SKU on sale, in version 1.
func Stocked(t *testing.T, shop Shop, pieces int64, skus ...string) {
	t.Helper()
	for _, sku := range skus {
		if err := shop.Put(t.Context(), sku, ProductOf(sku), 1, pieces); err != nil {
			t.Fatalf("Put: %v", err)
		}
	}
}

func created(t *testing.T, shop Shop, o orders.Order) orders.Order {
	t.Helper()
	if err := shop.Create(t.Context(), Creation(o)); err != nil {
		t.Fatalf("Create: %v", err)
	}
	return o
}

func wantStock(t *testing.T, shop Shop, sku string, want Stock) {
	t.Helper()
	got, err := shop.Stock(t.Context(), ProductOf(sku))
	if err != nil || got != want {
		t.Errorf("stock of %s is %+v, %v; want %+v", sku, got, err, want)
	}
}

func wantOrder(t *testing.T, shop Shop, want orders.Order) {
	t.Helper()
	got, err := shop.Get(t.Context(), want.ID)
	if err != nil {
		t.Fatalf("Get: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func wantEvents(t *testing.T, shop Shop, id string, want ...string) {
	t.Helper()
	events, _, err := shop.Events(t.Context(), id, 100, nil)
	if err != nil {
		t.Fatalf("Events: %v", err)
	}
	var got []string
	for _, e := range events {
		got = append(got, e.Type)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func wantHold(t *testing.T, shop Shop, id string, want orders.Hold) {
	t.Helper()
	r, err := shop.Reservation(t.Context(), id)
	if err != nil || r.State != want {
		t.Errorf("reservation is %+v, %v; want %s", r, err, want)
	}
	held, _, err := shop.Held(t.Context(), Time(0).Add(24*time.Hour).Time, 100, nil)
	if err != nil {
		t.Fatalf("Held: %v", err)
	}
	listed := false
	for _, h := range held {
		listed = listed || h.OrderID == id
	}
	if listed != (want == orders.Held) {
		t.Errorf("the list of held reservations has it: %t, want %t", listed, !listed)
	}
}

func wantReserved(t *testing.T, shop Shop, id string, want ...orders.ReservedPieces) {
	t.Helper()
	r, err := shop.Reservation(t.Context(), id)
	if err != nil {
		t.Fatalf("Reservation: %v", err)
	}
	if diff := cmp.Diff(want, r.Pieces); diff != "" {
		t.Errorf("reserved pieces (-want +got):\n%s", diff)
	}
}

// next returns the order's next version, in another state.
func next(o orders.Order, status orders.Status, at api.Time) orders.Order {
	o = o.Clone()
	o.Version++
	o.Status, o.UpdatedAt = status, at
	return o
}
