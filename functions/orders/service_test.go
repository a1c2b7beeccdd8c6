package orders_test

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/functions/orders/orderstest"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/shared/outbox"
	"github.com/tienda-dev/tienda/shared/problem"
	"github.com/tienda-dev/tienda/tests/metricstest"
)

// quote stores an offer of 2 pieces of A as it is priced now.
func (s *shop) quote(id string) {
	s.t.Helper()
	offer, err := s.offers.Price(s.t.Context(), orders.Basket{
		Items: []orders.Item{{SKU: "A", Quantity: 2}}, ShipTo: policy.Address{Name: "María López", Line1: "Calle Mayor 1", City: "Madrid", PostalCode: "28013", Country: "ES"},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.offers.quotes[id] = offer
}

const quoteID = "01J00000000000000000000009"

// A product may change between the reading of its price and the transaction.
func TestChangedProducts(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		in    orders.NewOrder
		price int64
		want  error
	}{
		"LinesGetTheNewPrice":       {orders.NewOrder{Items: []orders.Item{{SKU: "A", Quantity: 2}}, ShipTo: &policy.Address{Country: "ES"}}, 1100, nil},
		"QuoteOfTheSameTotal":       {orders.NewOrder{QuoteID: quoteID}, 1000, nil},
		"QuoteOfAnotherTotal":       {orders.NewOrder{QuoteID: quoteID}, 1100, orders.ErrPriceChanged},
		"LinesWithAnotherExpection": {orders.NewOrder{Items: []orders.Item{{SKU: "A", Quantity: 2}}, ShipTo: &policy.Address{Country: "ES"}, ExpectedTotal: new(eur(2920))}, 1100, orders.ErrPriceChanged},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newService(t)
			s.offers.version = 2
			s.stock(5, "A") // in version 2
			s.offers.version = 1
			s.quote(quoteID)
			// The offers learn of the new version after the first attempt.
			s.service = orders.NewService(learning{s.store, s.offers, tc.price}, s.offers, s.now)
			tc.in.Customer = maria
			o, err := s.service.Create(t.Context(), tc.in)
			if !errors.Is(err, tc.want) {
				t.Fatalf("Create: %v, want %v", err, tc.want)
			}
			if tc.want != nil {
				s.wantStock("A", orderstest.Stock{Available: 5})
				return
			}
			if want := eur(2*tc.price + 500 + 2*tc.price*21/100); o.Total != want {
				t.Errorf("total %v, want %v", o.Total, want)
			}
			s.wantStock("A", orderstest.Stock{Available: 3, Reserved: 2})
		})
	}
}

// learning is a store after whose refusal the offers know the products' new version and price.
type learning struct {
	*orderstest.Memory

	offers *offers
	price  int64
}

func (l learning) Create(ctx context.Context, c orders.Creation) error {
	err := l.Memory.Create(ctx, c)
	if errors.Is(err, orders.ErrPriceChanged) {
		l.offers.version, l.offers.price = 2, l.price
	}
	return err
}

func TestExpire(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.stock(20, "A")
	unpaid, unknown, paid, partlyRefunded := s.order(maria), s.order(maria), s.order(maria), s.order(maria)
	s.pay(unknown, "pay-1", orders.PaymentUnknown, "payment.unknown")
	s.pay(paid, "pay-2", orders.PaymentAuthorized, "payment.authorized")
	s.pay(partlyRefunded, "pay-3", orders.PaymentPartiallyRefunded, "payment.captured")
	for _, step := range []struct {
		after time.Duration
		want  int
		stock orderstest.Stock
	}{
		{orders.HoldFor - time.Second, 0, orderstest.Stock{Available: 12, Reserved: 8}},
		{orders.HoldFor, 0, orderstest.Stock{Available: 12, Reserved: 8}}, // the list has what expired before now
		{orders.HoldFor + time.Millisecond, 1, orderstest.Stock{Available: 14, Reserved: 6}},
		{orders.HoldFor + orders.PaymentGrace, 1, orderstest.Stock{Available: 16, Reserved: 4}},
		{24 * time.Hour, 0, orderstest.Stock{Available: 16, Reserved: 4}}, // they are paid, and wait for their events
	} {
		*s.clock = orderstest.Time(0).Add(step.after).Time
		if got, err := s.service.Expire(t.Context()); got != step.want || err != nil {
			t.Errorf("after %v: %d orders, %v; want %d", step.after, got, err, step.want)
		}
		s.wantStock("A", step.stock)
	}
	if got := s.get(unpaid.ID); got.Status != orders.StatusExpired {
		t.Errorf("status %s", got.Status)
	}
	if diff := cmp.Diff([]string{"order.created", "order.expired"}, s.types(unpaid.ID)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// A payment may change before its event is delivered. What is left of it decides.
func TestPaymentsThatChangeBeforeTheirEvent(t *testing.T) {
	t.Parallel()
	for status, want := range map[orders.PaymentStatus]orders.Status{
		orders.PaymentPartiallyCaptured: orders.StatusConfirmed,
		orders.PaymentPartiallyRefunded: orders.StatusConfirmed,
		orders.PaymentRefunded:          orders.StatusPendingPayment,
		orders.PaymentVoided:            orders.StatusPendingPayment,
	} {
		t.Run(string(status), func(t *testing.T) {
			t.Parallel()
			s := newService(t)
			s.stock(5, "A")
			o := s.order(maria)
			if err := s.service.Advance(t.Context(), s.pay(o, "pay-1", status, "payment.captured")); err != nil {
				t.Fatal(err)
			}
			if got := s.get(o.ID).Status; got != want {
				t.Errorf("status %s, want %s", got, want)
			}
		})
	}
}

// Payments that succeed after the order has ended are refused, so that they are given back.
func TestLatePaymentsAreRefused(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*shop, orders.Order) error{
		"Expired": func(s *shop, _ orders.Order) error {
			*s.clock = s.clock.Add(time.Hour)
			_, err := s.service.Expire(s.t.Context())
			return err
		},
		"Cancelled": func(s *shop, o orders.Order) error {
			_, err := s.service.Cancel(s.t.Context(), o.ID, orders.Reader{ID: maria}, orders.ReasonMistake)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newService(t)
			s.stock(5, "A")
			o := s.order(maria)
			e := s.pay(o, "pay-1", orders.PaymentUnknown, "payment.captured")
			if err := end(s, o); err != nil {
				t.Fatal(err)
			}
			if err := s.store.Record(t.Context(), o.ID, "pay-1", orders.PaymentCaptured, s.now()); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				if err := s.service.Advance(t.Context(), e); err != nil {
					t.Fatalf("Advance: %v", err)
				}
			}
			refused := 0
			for _, typ := range s.types(o.ID) {
				if typ == orders.EventPaymentRefused {
					refused++
				}
			}
			if status := s.get(o.ID).Status; refused != 1 || status != orders.StatusExpired && status != orders.StatusCancelled {
				t.Errorf("%d payments refused, status %s; want one", refused, s.get(o.ID).Status)
			}
			s.wantStock("A", orderstest.Stock{Available: 5})
		})
	}
}

// An order goes through its life whatever the order of its events is and however often they come, and each is counted
// once.
func TestAdvance(t *testing.T) {
	t.Parallel()
	for name, order := range map[string][]int{
		"InOrder":  {0, 1, 2, 3, 4, 5, 6, 7},
		"Twice":    {0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7},
		"Reversed": {7, 6, 5, 4, 3, 2, 1, 0},
		"Mixed":    {4, 0, 2, 4, 6, 1, 7, 3, 2, 5, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newService(t)
			s.stock(5, "A")
			o := s.order(maria)
			ctx, recorded := metricstest.New(t)
			advance := func(e outbox.Event) {
				t.Helper()
				if err := s.service.Advance(ctx, e); err != nil {
					t.Fatalf("Advance %s: %v", e.Type, err)
				}
			}
			created, _, err := s.store.Events(ctx, o.ID, 10, nil)
			if err != nil {
				t.Fatal(err)
			}
			authorized := s.pay(o, "pay-1", orders.PaymentAuthorized, "payment.authorized")
			captured := s.event(o.ID, "payment.captured", map[string]any{"payment_id": "pay-1", "provider": "stripe"})
			shipment := func(typ, id string) outbox.Event { return s.event(o.ID, typ, map[string]any{"shipment_id": id}) }
			events := []outbox.Event{
				created[0], authorized, captured, shipment("shipment.created", "s1"), shipment("shipment.picked_up", "s1"),
				shipment("shipment.delivered", "s1"), shipment("shipment.delivered", "s2"), s.event(o.ID, "payment.declined", map[string]any{"payment_id": "pay-0"}),
			}
			// What the shop does itself comes when the order is confirmed: two parcels.
			shipped := false
			for _, i := range order {
				for !shipped && s.get(o.ID).Status == orders.StatusConfirmed {
					now := s.get(o.ID)
					if err := s.store.Ship(ctx, now, []orders.Shipped{{SKU: "A", Quantity: 1}}, "s1", s.now()); err != nil {
						t.Fatal(err)
					}
					now = s.get(o.ID)
					if err := s.store.Ship(ctx, now, now.Left(), "s2", s.now()); err != nil {
						t.Fatal(err)
					}
					shipped = true
				}
				advance(events[i])
			}
			got := map[string]float64{}
			for _, metric := range []string{metrics.ShopOrderPlaced, metrics.ShopInventoryReserved, metrics.ShopPaymentAttempts, metrics.ShopShipmentChanges} {
				maps.Copy(got, recorded.Series(t, metric))
			}
			want := map[string]float64{
				metrics.ShopOrderPlaced + " EUR": 1, metrics.ShopInventoryReserved: 2,
				metrics.ShopPaymentAttempts + " success stripe": 1, metrics.ShopPaymentAttempts + " failure _OTHER": 1,
				metrics.ShopShipmentChanges + " created": 1, metrics.ShopShipmentChanges + " sent": 1, metrics.ShopShipmentChanges + " delivered": 2,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("series (-want +got):\n%s", diff)
			}
			s.wantStock("A", orderstest.Stock{Available: 3, Sold: 2})
		})
	}
}

// The stored order has every shipment before the shipment's first event, so that a parcel's arrival is never lost.
func TestDeliveredAndReturned(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		events     [][2]string
		status     orders.Status
		fulfilment orders.FulfilmentStatus
	}{
		"OneOfTwo":           {[][2]string{{"delivered", "s1"}}, orders.StatusShipped, orders.FulfilmentShipped},
		"OneTwice":           {[][2]string{{"delivered", "s1"}, {"delivered", "s1"}}, orders.StatusShipped, orders.FulfilmentShipped},
		"Unknown":            {[][2]string{{"delivered", "s1"}, {"delivered", "s9"}}, orders.StatusShipped, orders.FulfilmentShipped},
		"Both":               {[][2]string{{"delivered", "s2"}, {"delivered", "s1"}}, orders.StatusDelivered, orders.FulfilmentDelivered},
		"OneReturned":        {[][2]string{{"returned", "s1"}, {"delivered", "s2"}}, orders.StatusDelivered, orders.FulfilmentDelivered},
		"BothReturned":       {[][2]string{{"returned", "s1"}, {"returned", "s2"}}, orders.StatusReturned, orders.FulfilmentReturned},
		"ReturnedAfterwards": {[][2]string{{"delivered", "s1"}, {"delivered", "s2"}, {"returned", "s1"}, {"returned", "s2"}}, orders.StatusReturned, orders.FulfilmentReturned},
		"OneLost":            {[][2]string{{"delivered", "s1"}, {"lost", "s2"}}, orders.StatusDelivered, orders.FulfilmentDelivered},
		"OneLostBefore":      {[][2]string{{"lost", "s2"}, {"delivered", "s1"}}, orders.StatusDelivered, orders.FulfilmentDelivered},
		"OneLostOneOnItsWay": {[][2]string{{"lost", "s2"}}, orders.StatusShipped, orders.FulfilmentShipped},
		"BothLost":           {[][2]string{{"lost", "s1"}, {"lost", "s2"}}, orders.StatusShipped, orders.FulfilmentShipped},
		"LostAndFound":       {[][2]string{{"lost", "s1"}, {"lost", "s2"}, {"delivered", "s2"}}, orders.StatusDelivered, orders.FulfilmentDelivered},
		"LostReportIsLate":   {[][2]string{{"delivered", "s1"}, {"lost", "s1"}}, orders.StatusShipped, orders.FulfilmentShipped},
		"LostAndReturned":    {[][2]string{{"lost", "s1"}, {"returned", "s2"}}, orders.StatusShipped, orders.FulfilmentShipped},
		"LostThenReturned":   {[][2]string{{"lost", "s1"}, {"returned", "s2"}, {"returned", "s1"}}, orders.StatusReturned, orders.FulfilmentReturned},
		"LostAfterDelivery":  {[][2]string{{"delivered", "s1"}, {"delivered", "s2"}, {"lost", "s2"}, {"returned", "s1"}, {"returned", "s2"}}, orders.StatusReturned, orders.FulfilmentReturned},
		"NotDeliveredAgain":  {[][2]string{{"returned", "s1"}, {"returned", "s2"}, {"delivered", "s1"}}, orders.StatusReturned, orders.FulfilmentReturned},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newService(t)
			s.stock(5, "A")
			o := s.order(maria)
			if err := s.service.Advance(t.Context(), s.pay(o, "pay-1", orders.PaymentCaptured, "payment.captured")); err != nil {
				t.Fatal(err)
			}
			for _, id := range []string{"s1", "s2"} {
				if err := s.store.Ship(t.Context(), s.get(o.ID), []orders.Shipped{{SKU: "A", Quantity: 1}}, id, s.now()); err != nil {
					t.Fatal(err)
				}
			}
			for _, e := range tc.events {
				if err := s.service.Advance(t.Context(), s.event(o.ID, "shipment."+e[0], map[string]any{"shipment_id": e[1]})); err != nil {
					t.Fatal(err)
				}
			}
			if got := s.get(o.ID); got.Status != tc.status || got.FulfilmentStatus != tc.fulfilment {
				t.Errorf("status %s, %s; want %s, %s", got.Status, got.FulfilmentStatus, tc.status, tc.fulfilment)
			}
		})
	}
}

func TestAdvanceOfAnUnknownOrder(t *testing.T) {
	t.Parallel()
	s := newService(t)
	if err := s.service.Advance(t.Context(), s.event("01J0000000000000000000000X", "payment.captured", map[string]any{})); !errors.Is(err, orders.ErrNotFound) {
		t.Errorf("Advance: %v, want %v", err, orders.ErrNotFound)
	}
}

func TestFailedOrdersAreCounted(t *testing.T) {
	t.Parallel()
	s := newService(t)
	ctx, recorded := metricstest.New(t)
	_, err := s.service.Create(ctx, orders.NewOrder{Customer: maria, Items: []orders.Item{{SKU: "A", Quantity: 2}}, ShipTo: &policy.Address{Country: "ES"}})
	if !errors.Is(err, orders.ErrOutOfStock) {
		t.Fatalf("Create: %v", err)
	}
	got := recorded.Series(t, metrics.ShopOrderFailed)
	maps.Copy(got, recorded.Series(t, metrics.ShopInventoryOutOfStock))
	want := map[string]float64{metrics.ShopOrderFailed + " EUR": 1, metrics.ShopInventoryOutOfStock: 1}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("series (-want +got):\n%s", diff)
	}
}

func TestOrdersAreCountedByTheirEvents(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.stock(5, "A")
	o := s.order(maria)
	ctx, recorded := metricstest.New(t)
	created, _, err := s.store.Events(ctx, o.ID, 10, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []outbox.Event{created[0], s.pay(o, "pay-1", orders.PaymentAuthorized, "payment.authorized")} {
		if err := s.service.Advance(ctx, e); err != nil {
			t.Fatalf("Advance %s: %v", e.Type, err)
		}
	}
	if diff := cmp.Diff(map[string]float64{metrics.ShopOrderValue + " EUR": float64(o.Total.AmountMinor) / 100}, recorded.Sums(t, metrics.ShopOrderValue)); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]float64{metrics.ShopPaymentAttempts + " success stripe": 1}, recorded.Series(t, metrics.ShopPaymentAttempts)); diff != "" {
		t.Errorf("a payment that is captured later (-want +got):\n%s", diff)
	}
}

// A product that the order does not have is not taken for one of its lines.
func TestOutOfStockOfAProductThatIsNotOrdered(t *testing.T) {
	t.Parallel()
	o := orders.Order{Lines: []orders.Line{{ProductID: "1", SKU: "A", Quantity: 2}}}
	for product, fields := range map[string]int{"1": 1, "2": 0} {
		err := o.OutOfStock(product, 1)
		p, ok := problem.As(err)
		if !ok || !errors.Is(err, orders.ErrOutOfStock) || len(p.Errors) != fields {
			t.Errorf("product %s: %v, want ErrOutOfStock with %d fields", product, err, fields)
		}
	}
}
