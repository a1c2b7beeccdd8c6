package payments_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/functions/payments/paymentstest"
)

// strange is a provider that reports another amount.
type strange struct{ payments.Provider }

func (strange) Lookup(_ context.Context, p payments.Payment) (payments.Report, error) {
	return payments.Report{PaymentID: p.ID, Ref: p.Ref, State: payments.ReportClosed, Amount: 1, Captured: 1, Currency: "EUR"}, nil
}

// A payment whose reports are not believed is looked at again later, with something pending and without.
func TestContradictionIsPutOff(t *testing.T) {
	t.Parallel()
	for _, pending := range []bool{true, false} {
		t.Run(fmt.Sprintf("Pending=%t", pending), func(t *testing.T) {
			t.Parallel()
			s := newShop().start(t)
			if !pending {
				s.notify(t, s.report(payments.ReportAuthorized, 0, 1000))
			}
			now := paymentstest.Time(8 * 24 * 3600).Time
			service := payments.NewService(s.store, strange{}, func() time.Time { return now })
			var waits []time.Duration
			for range 12 {
				if err := service.Reconcile(t.Context()); err == nil {
					t.Fatal("no error")
				}
				p, err := s.store.Get(t.Context(), s.payment.ID)
				if err != nil {
					t.Fatal(err)
				}
				waits = append(waits, p.NextAt.Sub(now))
				now = p.NextAt.Time
			}
			if first, last := waits[0], waits[len(waits)-1]; first <= 0 || last < 4*time.Minute || (pending && last > 5*time.Minute) {
				t.Errorf("it waits %v", waits)
			}
		})
	}
}

// While an outcome is unknown, the provider is asked every few minutes, however long it does not answer.
func TestUnknownIsAskedForSoon(t *testing.T) {
	t.Parallel()
	s := newShop().start(t)
	now := paymentstest.Time(60).Time
	service := payments.NewService(s.store, away{}, func() time.Time { return now })
	for range 20 {
		if err := service.Reconcile(t.Context()); err != nil {
			t.Fatal(err)
		}
		p, err := s.store.Get(t.Context(), s.payment.ID)
		if err != nil {
			t.Fatal(err)
		}
		if wait := p.NextAt.Sub(now); wait > 5*time.Minute {
			t.Fatalf("it waits %v", wait)
		}
		now = now.Add(5 * time.Minute)
	}
}

// away is a provider that does not answer.
type away struct{ payments.Provider }

func (away) Lookup(context.Context, payments.Payment) (payments.Report, error) {
	return payments.Report{}, errors.New("no answer")
}
