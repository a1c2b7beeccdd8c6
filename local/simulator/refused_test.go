package simulator_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/internal/apitest"
	"github.com/tienda-dev/tienda/local/simulator"
)

// operation is a request of staff that moves the money of a payment.
type operation struct {
	capture          payments.Capture
	path, body, call string
	// done is the answer when the provider does it.
	done int
}

func operations() map[string]operation {
	return map[string]operation{
		"Capture": {payments.Manual, "/capture", `{"amount":{"amount_minor":400,"currency":"EUR"}}`, "capture", http.StatusOK},
		"Void":    {payments.Manual, "/void", "", "cancel", http.StatusOK},
		"Refund":  {payments.Automatic, "/refunds", `{"amount":{"amount_minor":300,"currency":"EUR"},"reason":"broken"}`, "refund", http.StatusCreated},
	}
}

// operate returns the request with the key.
func (o operation) operate(p payments.Payment, key string) func(*apitest.API) apitest.Answer {
	return func(api *apitest.API) apitest.Answer {
		return api.Do(http.MethodPost, "/v1/payments/"+p.ID+o.path, o.body, apitest.As("support-1", "support"), apitest.Header("Idempotency-Key", key))
	}
}

// paid is a shop with a payment.
func paid(t *testing.T, capture payments.Capture) (*shop, payments.Payment) {
	t.Helper()
	s := newShop(t)
	return s, apitest.Decode[payments.Payment](s.pay("k1", simulator.MethodVisa, string(capture)).Want(http.StatusCreated))
}

// refusedOnce repeats an operation that the provider refuses, after a kill at every point: after the refusal and before its
// answer was stored, in particular. Each repetition is refused too.
func refusedOnce(t *testing.T, o operation) {
	t.Helper()
	after := 0 // of the points, those after the refusal
	for killAt := 1; !t.Failed(); killAt++ {
		s, p := paid(t, o.capture)
		moved := len(s.sim.Ledger().Entries)
		s.sim.Fail(o.call, simulator.Refuse, simulator.Refuse)
		if !s.killed(killAt, o.operate(p, "op")) {
			break
		}
		if got, _ := s.payment(); got.Pending == nil && got.Version > p.Version {
			after++
		}
		s.clock.advance(31 * time.Second)
		answer := o.operate(p, "op")(s.api)
		answer.WantProblem(http.StatusConflict, "provider_refused")
		if again := o.operate(p, "op")(s.api); again.Body != answer.Body || again.Status != answer.Status {
			t.Errorf("killed at %d: then %s, want %s", killAt, again.Body, answer.Body)
		}
		if got := len(s.sim.Ledger().Entries); got != moved {
			t.Errorf("killed at %d: money has moved: %+v", killAt, s.sim.Ledger().Entries)
		}
		s.agree()
	}
	if after < 2 {
		t.Errorf("the process was killed at %d points after the refusal", after)
	}
}

// A repetition answers with the outcome of its own operation, also while another one is pending, and does not carry that one
// on.
func TestRepetitionLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	const boundaries = 60
	for name, tc := range operations() {
		for _, refused := range []bool{false, true} {
			if name == "Void" && !refused { // nothing follows
				continue
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				for killAt := 1; killAt < boundaries; killAt++ {
					s, p := paid(t, tc.capture)
					if refused {
						s.sim.Fail(tc.call, simulator.Refuse)
					}
					if !s.killed(killAt, tc.operate(p, "op")) {
						return
					}
					if got, _ := s.payment(); got.Pending != nil || got.Version == p.Version {
						continue
					}
					s.sim.Fail(tc.call, simulator.LoseRequest)
					tc.operate(p, "other")(s.api).Want(http.StatusAccepted)
					s.sim.Fail(tc.call, simulator.Refuse)
					s.clock.advance(31 * time.Second)
					answer := tc.operate(p, "op")(s.api)
					if refused {
						answer.WantProblem(http.StatusConflict, "provider_refused")
					} else {
						answer.Want(tc.done)
					}
					if got, _ := s.payment(); got.Pending == nil {
						t.Errorf("killed at %d: the other operation was carried on", killAt)
					}
				}
			})
		}
	}
}

// A repeated request to pay answers with the payment, and leaves a capture alone that is pending by then.
func TestRepeatedPaymentLeavesACaptureAlone(t *testing.T) {
	t.Parallel()
	capture, seen := operations()["Capture"], 0
	for killAt := 1; ; killAt++ {
		s := newShop(t)
		pay := func(api *apitest.API) apitest.Answer {
			return api.Do(http.MethodPost, "/v1/orders/"+s.order.ID+"/payments", `{"payment_method":"pm_card_visa","capture":"manual"}`,
				apitest.As(customer, "customer"), apitest.Header("Idempotency-Key", "pay"))
		}
		if !s.killed(killAt, pay) {
			break
		}
		p, ok := s.payment()
		if !ok || p.Status != payments.Authorized {
			continue
		}
		seen++
		s.sim.Fail("capture", simulator.LoseRequest, simulator.Refuse)
		capture.operate(p, "capture")(s.api).Want(http.StatusAccepted)
		s.clock.advance(31 * time.Second)
		pay(s.api).Want(http.StatusCreated)
		if p, _ = s.payment(); p.Pending == nil || len(p.Refused) > 0 {
			t.Errorf("killed at %d: the capture was carried on: %+v", killAt, p)
		}
	}
	if seen == 0 {
		t.Error("the process was never killed after the authorisation")
	}
}
