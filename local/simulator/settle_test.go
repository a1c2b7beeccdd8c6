package simulator_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/functions/payments/paymentstest"
	"github.com/tienda-dev/tienda/internal/apitest"
	"github.com/tienda-dev/tienda/local/simulator"
)

// A success that becomes known after the order has expired is given back.
func TestSuccessAfterTheOrderExpired(t *testing.T) {
	t.Parallel()
	for _, capture := range []string{"manual", "automatic"} {
		for _, method := range []string{simulator.MethodTimeoutThenSuccess, simulator.MethodLostThenSuccess} {
			t.Run(capture+"/"+method, func(t *testing.T) {
				t.Parallel()
				s := newShop(t)
				s.pay("k1", method, capture).Want(http.StatusAccepted)
				s.store.MoveOrder(s.order.ID, payments.OrderExpired)
				if _, _, err := s.run(0, func(service *payments.Service) error {
					return service.Settle(t.Context(), s.event("order.expired", map[string]any{}))
				}); err != nil {
					t.Fatal(err)
				}
				s.sweep()
				s.sweep()
				s.agree()
				p, _ := s.payment()
				if kept := p.Captured.AmountMinor - p.Refunded.AmountMinor + p.Capturable; kept != 0 {
					t.Errorf("the shop keeps %d of an expired order: %+v", kept, p)
				}
			})
		}
	}
}

// An order that refuses a late payment gets its money back, once, and no event of its end is needed for that.
func TestRefusedPaymentIsGivenBack(t *testing.T) {
	t.Parallel()
	for capture, operation := range map[string]string{"manual": "cancel", "automatic": "refund"} {
		t.Run(capture, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.pay("k1", simulator.MethodTimeoutThenSuccess, capture).Want(http.StatusAccepted)
			s.store.MoveOrder(s.order.ID, payments.OrderExpired)
			s.sweep()
			p, _ := s.payment()
			refused := func(id string) {
				t.Helper()
				e := s.event("order.payment_refused", map[string]any{"payment_id": id})
				if _, _, err := s.run(0, func(service *payments.Service) error { return service.Settle(t.Context(), e) }); err != nil {
					t.Fatal(err)
				}
			}
			refused(paymentstest.NewID()) // of another payment
			if kept, _ := s.payment(); kept.Captured.AmountMinor+kept.Capturable != 1000 || kept.Version != p.Version {
				t.Fatalf("the money before the refusal: %+v", kept)
			}
			refused(p.ID)
			refused(p.ID)
			s.agree()
			if p, _ = s.payment(); p.Captured != p.Refunded || p.Capturable != 0 {
				t.Errorf("the shop keeps money that the order has refused: %+v", p)
			}
			if got := s.sim.Ledger().Requests[operation]; got != 1 {
				t.Errorf("the money was given back %d times", got)
			}
		})
	}
}

// Cancel, ship and capture at once: whatever wins, at most what was authorised is taken, and our ledger agrees with the provider's.
func TestCancelShipAndCaptureAtOnce(t *testing.T) {
	t.Parallel()
	for range 10 {
		s := newShop(t)
		p := apitest.Decode[payments.Payment](s.pay("k1", simulator.MethodVisa, "manual").Want(http.StatusCreated))
		cancel, ship := cancelled(s.world), shipped(s.world, 400)
		var group sync.WaitGroup
		for _, call := range []func(){
			func() { _, _, _ = s.run(0, cancel) },
			func() { _, _, _ = s.run(0, ship) },
			func() { s.staff("/v1/payments/"+p.ID+"/capture", "c1", `{}`) },
			func() { s.staff("/v1/payments/"+p.ID+"/void", "v1", "") },
		} {
			group.Go(call)
		}
		group.Wait()
		s.sweep()
		s.sweep()
		s.agree()
		if got, _ := s.payment(); got.Captured != got.Refunded || got.Capturable != 0 {
			t.Errorf("a cancelled order keeps money: %+v", got)
		}
	}
}

// A shipment's price is captured once, however often its event comes, and never more than is authorised.
func TestShipmentsAreCapturedOnce(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.pay("k1", simulator.MethodVisa, "manual").Want(http.StatusCreated)
	first, second := shipped(s.world, 400), shipped(s.world, 700)
	for _, step := range []func(*payments.Service) error{first, first, second, first, second} {
		if _, _, err := s.run(0, step); err != nil {
			t.Fatal(err)
		}
	}
	s.agree()
	if p, _ := s.payment(); p.Captured != euros(1000) || p.Status != payments.Captured {
		t.Errorf("got %+v", p)
	}
	if got := s.sim.Ledger().Requests["capture"]; got != 2 {
		t.Errorf("%d captures were sent, want 2", got)
	}
}

// inDinars returns a shop whose order is in Kuwaiti dinars, which have three decimals, and is authorised.
func inDinars(t *testing.T) *shop {
	t.Helper()
	s := newShop(t)
	s.order.Total.Currency = "KWD"
	s.memory.PutOrder(s.order)
	s.pay("k1", simulator.MethodVisa, "manual").Want(http.StatusCreated)
	return s
}

// Of an amount that Stripe does not take, such as a parcel that was priced before parcels ended in 0, what it takes is
// captured, and the rest with the next parcel.
func TestWholePayableUnitsAreCaptured(t *testing.T) {
	t.Parallel()
	s := inDinars(t)
	for _, parcel := range []struct{ amount, captured int64 }{{403, 400}, {400, 800}, {197, 1000}} {
		if _, _, err := s.run(0, shipped(s.world, parcel.amount)); err != nil {
			t.Fatal(err)
		}
		if p, _ := s.payment(); p.Captured.AmountMinor != parcel.captured {
			t.Errorf("after a parcel of %d: got %s captured, want %d", parcel.amount, p.Captured, parcel.captured)
		}
	}
	s.agree()
}

// Captures and refunds by staff are of amounts that Stripe takes.
func TestAmountsThatAreNotPayableAreRefused(t *testing.T) {
	t.Parallel()
	s := inDinars(t)
	p, _ := s.payment()
	for _, operation := range []string{"capture", "refunds"} {
		body := func(amount string) string {
			if operation == "capture" {
				return `{"amount":{"amount_minor":` + amount + `,"currency":"KWD"}}`
			}
			return `{"amount":{"amount_minor":` + amount + `,"currency":"KWD"},"reason":"broken"}`
		}
		path := "/v1/payments/" + p.ID + "/" + operation
		for _, amount := range []string{"605", "-605", "0"} {
			s.staff(path, operation+amount, body(amount)).WantProblem(http.StatusUnprocessableEntity, "validation_failed", "/amount/amount_minor")
		}
		if a := s.staff(path, operation, body("610")); a.Status >= http.StatusBadRequest {
			t.Errorf("%s of 610: %s", operation, a.Body)
		}
	}
	s.agree()
}

// lapse ends the payment's hold at the provider, as a bank does.
func (s *shop) lapse() {
	s.t.Helper()
	p, _ := s.payment()
	if _, err := s.world.api.Cancel(s.t.Context(), "lapse", p); err != nil {
		s.t.Fatal(err)
	}
}

// Goods that are shipped after the hold has ended cannot be charged: that is an error, for their event and in the audit.
func TestShippedAfterTheHoldHasEnded(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]int64{"PartlyCaptured": 400, "NothingCaptured": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.pay("k1", simulator.MethodVisa, "manual").Want(http.StatusCreated)
			if before > 0 {
				if _, _, err := s.run(0, shipped(s.world, before)); err != nil {
					t.Fatal(err)
				}
			}
			s.lapse()
			s.clock.advance(8 * 24 * time.Hour)
			s.sweep()
			p, _ := s.payment()
			if p.Capturable != 0 || p.Captured.AmountMinor != before {
				t.Fatalf("got %+v", p)
			}
			ship := shipped(s.world, 500)
			for range 2 {
				if _, _, err := s.run(0, ship); !errors.Is(err, payments.ErrUncharged) {
					t.Errorf("got %v, want %v", err, payments.ErrUncharged)
				}
			}
			p, _ = s.payment()
			o := payments.Order{Total: p.Amount, State: payments.OrderOpen}
			if got := payments.Unbalanced(o, []payments.Payment{p}, s.clock.now()); !strings.Contains(got, "shipped") {
				t.Errorf("the audit says %q", got)
			}
			s.agree()
		})
	}
}

// A hold that ends before shipped goods are captured is an error of the sweeps, which ends.
func TestHoldEndsBeforeTheCapture(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.pay("k1", simulator.MethodVisa, "manual").Want(http.StatusCreated)
	s.sim.Fail("capture", simulator.Refuse)
	if _, _, err := s.run(0, shipped(s.world, 500)); !errors.Is(err, payments.ErrRefused) {
		t.Fatalf("got %v, want %v", err, payments.ErrRefused)
	}
	s.lapse()
	failed := 0
	for range 30 {
		s.clock.advance(time.Hour)
		service, _ := s.start(0)
		if err := service.Reconcile(t.Context()); errors.Is(err, payments.ErrUncharged) {
			failed++
		}
	}
	if failed == 0 || failed > 10 {
		t.Errorf("the sweeps failed %d times", failed)
	}
}

// Staff may capture before the goods are shipped: the shipments then take what is left of their prices.
func TestShipmentsAfterACapture(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	p := apitest.Decode[payments.Payment](s.pay("k1", simulator.MethodVisa, "manual").Want(http.StatusCreated))
	s.staff("/v1/payments/"+p.ID+"/capture", "c1", `{"amount":{"amount_minor":500,"currency":"EUR"}}`).Want(http.StatusOK)
	for _, tc := range []struct{ ship, captured int64 }{{400, 500}, {400, 800}, {200, 1000}} {
		if _, _, err := s.run(0, shipped(s.world, tc.ship)); err != nil {
			t.Fatal(err)
		}
		if got := s.read(p.ID); got.Captured != euros(tc.captured) {
			t.Errorf("captured %s, want %d", got.Captured, tc.captured)
		}
	}
	s.agree()
}

// A bank that refuses every refund gets a few attempts. Then the sweeps and the audit report what is left.
func TestReversalThatFailsEnds(t *testing.T) {
	t.Parallel()
	const attempts = 5
	for name, method := range map[string]string{"Later": simulator.MethodRefundFails, "AtOnce": simulator.MethodVisa} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := hooked(t)
			s.pay("k1", method, "automatic").Want(http.StatusCreated)
			if name == "AtOnce" {
				s.sim.Fail("refund", slices.Repeat([]simulator.Fault{simulator.Refuse}, 50)...)
			}
			s.store.MoveOrder(s.order.ID, payments.OrderCancelled)
			event := cancelled(s.world)
			for range 3 { // at once
				_, _, _ = s.run(0, event)
			}
			s.sim.Wait()
			if got := s.sim.Ledger().Requests["refund"]; got > 2 {
				t.Errorf("%d refunds were sent at once", got)
			}
			failed := 0
			for range 3 * 24 {
				s.clock.advance(time.Hour)
				service, _ := s.start(0)
				if err := service.Reconcile(t.Context()); err != nil {
					failed++
				}
				s.sim.Wait()
			}
			if got := s.sim.Ledger().Requests["refund"]; got != attempts || failed == 0 || failed > 2*attempts {
				t.Errorf("%d refunds were sent, and %d sweeps failed", got, failed)
			}
			if _, _, err := s.run(0, event); !errors.Is(err, payments.ErrUnreturned) {
				t.Errorf("the event again: got %v, want %v", err, payments.ErrUnreturned)
			}
			p, _ := s.payment()
			o := payments.Order{Total: p.Amount, State: payments.OrderCancelled}
			if got := payments.Unbalanced(o, []payments.Payment{p}, s.clock.now()); !strings.Contains(got, "refund") {
				t.Errorf("the audit says %q", got)
			}
			s.agree()
			if name == "AtOnce" { // a person gives it back
				s.sim.Heal("refund")
				s.staff("/v1/payments/"+p.ID+"/refunds", "r1", `{"amount":{"amount_minor":1000,"currency":"EUR"},"reason":"by hand"}`).Want(http.StatusCreated)
				if _, _, err := s.run(0, event); err != nil {
					t.Errorf("after it: %v", err)
				}
			}
		})
	}
}

// Payments of which nothing can be learnt do not keep the sweeps from the others.
func TestSweepPassesBrokenPayments(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.pay("k1", simulator.MethodVisa, "manual").Want(http.StatusCreated)
	s.clock.advance(8 * 24 * time.Hour)
	s.sim.Fail("retrieve", simulator.LoseRequest)
	service, _ := s.start(0)
	if err := service.Reconcile(t.Context()); err == nil {
		t.Fatal("no error")
	}
	now := s.clock.now()
	if due, err := s.store.Due(t.Context(), now, 100); err != nil || len(due) != 0 {
		t.Errorf("the payment is due at once: %v, %v", due, err)
	}
	if due, err := s.store.Due(t.Context(), now.Add(5*time.Minute), 100); err != nil || len(due) != 1 {
		t.Errorf("the payment is not due soon: %v, %v", due, err)
	}
}
