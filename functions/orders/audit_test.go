package orders_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/functions/orders/orderstest"
)

// meeting answers each call when it meets another one.
type meeting chan struct{}

func (m meeting) Unbalanced(context.Context, orders.Order, time.Time) (string, error) {
	select {
	case m <- struct{}{}:
	case <-m:
	case <-time.After(10 * time.Second):
		return "", errors.New("no other order is checked")
	}
	return "", nil
}

func TestOrdersAreCheckedInParallel(t *testing.T) {
	t.Parallel()
	s := newService(t)
	s.stock(10, "A")
	s.order(maria)
	s.order(other)
	if broken, err := orders.NewAuditor(s.store, s.store, make(meeting), s.now, 0).Invariants(t.Context()); len(broken) > 0 || err != nil {
		t.Errorf("violations %+v, %v", broken, err)
	}
}

// ledger says of every order's payments what is wrong with them.
type ledger string

func (l ledger) Unbalanced(context.Context, orders.Order, time.Time) (string, error) {
	return string(l), nil
}

// Each rule is broken in the stored data, and its violation is found.
func TestInvariants(t *testing.T) {
	t.Parallel()
	type spoil = func(*orders.Order, *orders.Reservation, map[string]orderstest.Stock)
	confirmed := func(payment orders.PaymentStatus) spoil {
		return func(o *orders.Order, r *orders.Reservation, stock map[string]orderstest.Stock) {
			o.Status, o.PaymentStatus, r.State = orders.StatusConfirmed, payment, orders.Committed
			stock[orderstest.ProductOf("A")] = orderstest.Stock{Available: 3, Sold: 2}
		}
	}
	for name, tc := range map[string]struct {
		spoil spoil
		after time.Duration
		want  []string
		// payments is what is wrong with the payments.
		payments string
	}{
		"Kept":           {func(*orders.Order, *orders.Reservation, map[string]orderstest.Stock) {}, 0, nil, ""},
		"KeptUntilSwept": {func(*orders.Order, *orders.Reservation, map[string]orderstest.Stock) {}, orders.HoldFor + orders.PaymentGrace + 10*time.Minute, nil, ""},
		"LostPieces": {func(_ *orders.Order, _ *orders.Reservation, stock map[string]orderstest.Stock) {
			stock[orderstest.ProductOf("A")] = orderstest.Stock{Available: 2, Reserved: 2}
		}, 0, []string{"stock_ledger A"}, ""},
		"NegativeStock": {func(_ *orders.Order, _ *orders.Reservation, stock map[string]orderstest.Stock) {
			stock[orderstest.ProductOf("A")] = orderstest.Stock{Available: -1, Reserved: 2, Sold: 4}
		}, 0, []string{"stock_ledger A"}, ""},
		"ReservedForNobody": {func(_ *orders.Order, _ *orders.Reservation, stock map[string]orderstest.Stock) {
			stock[orderstest.ProductOf("A")] = orderstest.Stock{Available: 2, Reserved: 3}
		}, 0, []string{"stock_reserved A"}, ""},
		"ReservationOfAnUnknownProduct": {func(_ *orders.Order, r *orders.Reservation, _ map[string]orderstest.Stock) {
			r.Pieces = append(r.Pieces, orders.ReservedPieces{ProductID: orderstest.ProductOf("B"), SKU: "B", Quantity: 1})
		}, 0, []string{"stock_reserved B"}, ""},
		"HeldByACancelledOrder": {func(o *orders.Order, _ *orders.Reservation, _ map[string]orderstest.Stock) {
			o.Status = orders.StatusCancelled
		}, 0, []string{"order_reservation ORDER"}, ""},
		"SoldToNobody": {func(_ *orders.Order, r *orders.Reservation, stock map[string]orderstest.Stock) {
			r.State = orders.Committed
			stock[orderstest.ProductOf("A")] = orderstest.Stock{Available: 3, Sold: 2}
		}, 0, []string{"order_reservation ORDER"}, ""},
		"NeverSwept": {func(*orders.Order, *orders.Reservation, map[string]orderstest.Stock) {}, orders.HoldFor + orders.PaymentGrace + 11*time.Minute, []string{"order_overdue ORDER"}, ""},
		"TotalIsWrong": {func(o *orders.Order, _ *orders.Reservation, _ map[string]orderstest.Stock) {
			o.Total.AmountMinor++
		}, 0, []string{"order_money ORDER"}, ""},
		"LineIsWrong": {func(o *orders.Order, _ *orders.Reservation, _ map[string]orderstest.Stock) {
			o.Lines[0].Total.AmountMinor--
		}, 0, []string{"order_money ORDER"}, ""},
		"PaidTwice":            {func(*orders.Order, *orders.Reservation, map[string]orderstest.Stock) {}, 0, []string{"order_payments ORDER"}, "2 of 1"},
		"PaymentVoided":        {confirmed(orders.PaymentVoided), 11 * time.Minute, []string{"order_payments ORDER"}, ""},
		"PaymentRefunded":      {confirmed(orders.PaymentRefunded), 11 * time.Minute, []string{"order_payments ORDER"}, ""},
		"PaymentVoidedJustNow": {confirmed(orders.PaymentVoided), 9 * time.Minute, nil, ""},
		"PartlyRefunded":       {confirmed(orders.PaymentPartiallyRefunded), 11 * time.Minute, nil, ""},
		"TwoCurrencies": {func(o *orders.Order, _ *orders.Reservation, _ map[string]orderstest.Stock) {
			o.Tax.Currency = "JPY"
		}, 0, []string{"order_money ORDER"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newService(t)
			s.stock(5, "A")
			o := s.order(maria)
			s.store.Spoil(o.ID, tc.spoil)
			*s.clock = s.clock.Add(tc.after)
			broken, err := orders.NewAuditor(s.store, s.store, ledger(tc.payments), s.now, 0).Invariants(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, v := range broken {
				subject := v.Subject
				if subject == o.ID {
					subject = "ORDER"
				}
				got = append(got, v.Rule+" "+subject)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("violations (-want +got):\n%s", diff)
			}
		})
	}
}
