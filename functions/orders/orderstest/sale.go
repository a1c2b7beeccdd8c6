package orderstest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/shared/page"
)

func testPayment(t *testing.T, newShop func(t *testing.T) Shop) {
	t.Helper()
	shop := newShop(t)
	Stocked(t, shop, 100, "A")
	step := func(err, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	o := created(t, shop, NewOrder("A"))
	step(shop.Record(t.Context(), o.ID, "pay-1", orders.PaymentAuthorized, Time(1).Time), orders.ErrNotClaimed)
	step(shop.Claim(t.Context(), o, "pay-1", Time(1).Time), nil)
	claimed := o.Claimed("pay-1", Time(1).Time)
	wantOrder(t, shop, claimed)
	step(shop.Claim(t.Context(), claimed, "pay-2", Time(2).Time), orders.ErrPaymentInProgress)
	step(shop.Claim(t.Context(), o, "pay-2", Time(2).Time), orders.ErrPaymentInProgress)
	step(shop.Record(t.Context(), o.ID, "pay-2", orders.PaymentAuthorized, Time(2).Time), orders.ErrNotClaimed)
	step(shop.Record(t.Context(), o.ID, "pay-1", orders.PaymentDeclined, Time(3).Time), nil)
	declined := recorded(claimed, orders.PaymentDeclined, Time(3))
	wantOrder(t, shop, declined)
	step(shop.Claim(t.Context(), o, "pay-2", Time(4).Time), orders.ErrChanged)
	step(shop.Claim(t.Context(), declined, "pay-2", Time(4).Time), nil)
	step(shop.Record(t.Context(), o.ID, "pay-2", orders.PaymentCaptured, Time(5).Time), nil)
	paid, err := shop.Get(t.Context(), o.ID)
	step(err, nil)
	step(shop.Claim(t.Context(), paid, "pay-3", Time(6).Time), orders.ErrPaid)

	late := created(t, shop, NewOrder("A"))
	step(shop.Claim(t.Context(), late, "pay-4", late.ExpiresAt.Add(-time.Millisecond).Time), nil)
	tooLate := created(t, shop, NewOrder("A"))
	step(shop.Claim(t.Context(), tooLate, "pay-5", tooLate.ExpiresAt.Time), orders.ErrExpired)
	cancelled := next(tooLate, orders.StatusCancelled, Time(7))
	step(shop.Apply(t.Context(), orders.Change{Before: tooLate, After: cancelled, Stock: orders.Release, At: Time(7).Time}), nil)
	step(shop.Claim(t.Context(), cancelled, "pay-5", Time(8).Time), orders.ErrInvalidTransition)
}

func testShip(t *testing.T, newShop func(t *testing.T) Shop) {
	t.Helper()
	shop := newShop(t)
	Stocked(t, shop, 10, "A", "B")
	o := created(t, shop, NewOrder("A", "B"))
	if err := shop.Ship(t.Context(), o, o.Left(), "ship-1", Time(1).Time); !errors.Is(err, orders.ErrInvalidTransition) {
		t.Errorf("Ship of an unpaid order: %v, want %v", err, orders.ErrInvalidTransition)
	}
	paid := next(o, orders.StatusConfirmed, Time(1))
	if err := shop.Apply(t.Context(), orders.Change{Before: o, After: paid, Stock: orders.Commit, At: Time(1).Time}); err != nil {
		t.Fatal(err)
	}
	some := []orders.Shipped{{SKU: "A", Quantity: 1}, {SKU: "B", Quantity: 2}}
	if err := shop.Ship(t.Context(), paid, some, "ship-1", Time(2).Time); err != nil {
		t.Fatal(err)
	}
	partly, _, err := paid.ShipEvent(some, "ship-1", Time(2).Time)
	if err != nil || partly.Status != orders.StatusPartiallyShipped {
		t.Fatalf("status %s, %v", partly.Status, err)
	}
	wantOrder(t, shop, partly)
	if err := shop.Ship(t.Context(), paid, some, "ship-2", Time(3).Time); !errors.Is(err, orders.ErrChanged) {
		t.Errorf("Ship from an old version: %v, want %v", err, orders.ErrChanged)
	}
	if err := shop.Ship(t.Context(), partly, some, "ship-2", Time(3).Time); !errors.Is(err, orders.ErrOverShip) {
		t.Errorf("Ship of more than is left: %v, want %v", err, orders.ErrOverShip)
	}
	wantOrder(t, shop, partly)
	if err := shop.Ship(t.Context(), partly, partly.Left(), "ship-2", Time(3).Time); err != nil {
		t.Fatal(err)
	}
	wantEvents(t, shop, o.ID, orders.EventCreated, orders.EventPartiallyShipped, orders.EventShipped)
}

func testLists(t *testing.T, newShop func(t *testing.T) Shop) {
	t.Helper()
	shop := newShop(t)
	Stocked(t, shop, 100, "A")
	var mine []string
	for i := range 7 {
		o := NewOrder("A")
		o.CreatedAt = Time(10 * i)
		o.ID, o.ExpiresAt = NewID(o.CreatedAt), o.CreatedAt.Add(orders.HoldFor)
		if i == 3 {
			o.Customer = "customer-2"
		} else {
			mine = append(mine, o.ID)
		}
		created(t, shop, o)
	}
	slices.Reverse(mine)
	id := func(o orders.Order) string { return o.ID }
	got := read(t, id, func(after []byte) ([]orders.Order, []byte, error) {
		return shop.ListOf(t.Context(), "customer-1", 2, after)
	})
	if diff := cmp.Diff(mine, got); diff != "" {
		t.Errorf("the customer's orders (-want +got):\n%s", diff)
	}
	all := read(t, id, func(after []byte) ([]orders.Order, []byte, error) {
		return shop.List(t.Context(), orders.StatusPendingPayment, Time(0).Time, 3, after)
	})
	if len(all) != 7 || !slices.IsSortedFunc(all, func(a, b string) int { return -compare(a, b) }) {
		t.Errorf("the orders of the day are %q, want 7, newest first", all)
	}
	for name, none := range map[string]func() ([]orders.Order, []byte, error){
		"AnotherCustomer": func() ([]orders.Order, []byte, error) { return shop.ListOf(t.Context(), "customer-3", 2, nil) },
		"AnotherStatus": func() ([]orders.Order, []byte, error) {
			return shop.List(t.Context(), orders.StatusShipped, Time(0).Time, 2, nil)
		},
		"AnotherDay": func() ([]orders.Order, []byte, error) {
			return shop.List(t.Context(), orders.StatusPendingPayment, Time(-86400).Time, 2, nil)
		},
	} {
		if found, next, err := none(); len(found) > 0 || next != nil || err != nil {
			t.Errorf("%s: %d orders, position %q, %v", name, len(found), next, err)
		}
	}
	if _, _, err := shop.ListOf(t.Context(), "customer-1", 2, []byte(`"x"`)); !errors.Is(err, page.ErrInvalidCursor) {
		t.Errorf("a position that is none: %v, want %v", err, page.ErrInvalidCursor)
	}
	held := read(t, func(r orders.Reservation) string { return r.OrderID }, func(after []byte) ([]orders.Reservation, []byte, error) {
		return shop.Held(t.Context(), Time(30).Add(orders.HoldFor).Time, 2, after)
	})
	slices.Reverse(all)
	if diff := cmp.Diff(all[:3], held); diff != "" { // what expires at the very time is not before it
		t.Errorf("reservations that expire first (-want +got):\n%s", diff)
	}
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	default:
		return 0
	}
}

// read returns the ids on all pages.
func read[T any](t *testing.T, id func(T) string, list func(after []byte) ([]T, []byte, error)) []string {
	t.Helper()
	var ids []string
	for after := []byte(nil); ; {
		found, next, err := list(after)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range found {
			ids = append(ids, id(v))
		}
		if next == nil {
			return ids
		}
		if len(ids) > 100 {
			t.Fatal("the list does not end")
		}
		after = next
	}
}

// Sale is the result of many buyers who order a piece of one SKU at the same time.
type Sale struct {
	// Sold is how many of them have an order, Refused how many have not because nothing was left.
	Sold, Refused int
	// Stock is the stock afterwards.
	Stock Stock
}

// patience is how long all concurrent calls of a test may take.
const patience = 2 * time.Minute

// Sell lets every buyer order one of the pieces in stock, all at the same time. create makes an order, with
// shop.Create for one that does not oversell. It checks nothing: if a store oversells, Sold is more than pieces.
func Sell(ctx context.Context, shop Shop, create func(context.Context, orders.Creation) error, pieces int64, buyers int) (Sale, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := shop.Put(ctx, "HOT", ProductOf("HOT"), 1, pieces); err != nil {
		return Sale{}, err
	}
	errs := make([]error, buyers)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range buyers {
		all.Go(func() {
			<-start
			o := NewOrder("HOT")
			o.Lines[0].Quantity = 1
			errs[i] = create(ctx, Creation(o))
		})
	}
	close(start)
	all.Wait()
	var sale Sale
	for _, err := range errs {
		switch {
		case err == nil:
			sale.Sold++
		case errors.Is(err, orders.ErrOutOfStock):
			sale.Refused++
		default:
			return Sale{}, err
		}
	}
	var err error
	sale.Stock, err = shop.Stock(ctx, ProductOf("HOT"))
	return sale, err
}

func testConcurrency(t *testing.T, newShop func(t *testing.T) Shop) {
	t.Helper()
	t.Run("TwoHundredBuyersOfFiftyPieces", func(t *testing.T) {
		t.Parallel()
		shop := newShop(t)
		got, err := Sell(t.Context(), shop, shop.Create, 50, 200)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(Sale{Sold: 50, Refused: 150, Stock: Stock{Reserved: 50}}, got); diff != "" {
			t.Errorf("sale (-want +got):\n%s", diff)
		}
	})
	t.Run("OneOfManyEndsWins", func(t *testing.T) {
		t.Parallel()
		shop := newShop(t)
		Stocked(t, shop, 5, "A")
		o := created(t, shop, NewOrder("A"))
		moves := []struct {
			to   orders.Status
			move orders.Move
		}{{orders.StatusConfirmed, orders.Commit}, {orders.StatusExpired, orders.Release}, {orders.StatusCancelled, orders.Release}}
		errs := make([]error, 12)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() {
				m := moves[i%len(moves)]
				errs[i] = shop.Apply(t.Context(), orders.Change{Before: o, After: next(o, m.to, Time(i)), Stock: m.move, At: Time(i).Time})
			})
		}
		all.Wait()
		won := 0
		for _, err := range errs {
			switch {
			case err == nil:
				won++
			case !errors.Is(err, orders.ErrChanged):
				t.Errorf("Apply: %v, want %v", err, orders.ErrChanged)
			}
		}
		stock, err := shop.Stock(t.Context(), ProductOf("A"))
		if won != 1 || err != nil || stock.Available+stock.Sold != 5 || stock.Reserved != 0 {
			t.Errorf("%d changes won, stock %+v, %v; want one, and nothing reserved", won, stock, err)
		}
	})
}
