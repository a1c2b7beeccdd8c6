package simulator_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/functions/payments/paymentsstripe"
	"github.com/tienda-dev/tienda/internal/apitest"
	"github.com/tienda-dev/tienda/local/simulator"
)

func TestPaymentOfEachMethod(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		method string
		first  int
		// then is the status of the payment after two sweeps.
		then payments.Status
	}{
		"Visa":              {simulator.MethodVisa, http.StatusCreated, payments.Captured},
		"Declined":          {simulator.MethodDeclined, http.StatusPaymentRequired, payments.Declined},
		"InsufficientFunds": {simulator.MethodInsufficientFunds, http.StatusPaymentRequired, payments.Declined},
		"TimeoutSuccess":    {simulator.MethodTimeoutThenSuccess, http.StatusAccepted, payments.Captured},
		"TimeoutDecline":    {simulator.MethodTimeoutThenDecline, http.StatusAccepted, payments.Declined},
		"LostSuccess":       {simulator.MethodLostThenSuccess, http.StatusAccepted, payments.Captured},
		"FailureSuccess":    {simulator.MethodFailureThenSuccess, http.StatusAccepted, payments.Captured},
		"FailureAfter":      {simulator.MethodFailureAfterSuccess, http.StatusAccepted, payments.Captured},
		"WebhookFirst":      {simulator.MethodWebhookFirst, http.StatusCreated, payments.Captured},
		"WebhookTwice":      {simulator.MethodWebhookTwice, http.StatusCreated, payments.Captured},
		"WebhookShuffled":   {simulator.MethodWebhookShuffled, http.StatusCreated, payments.Captured},
		"Slow":              {simulator.MethodSlow, http.StatusCreated, payments.Captured},
	} {
		for _, notified := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/Notified=%t", name, notified), func(t *testing.T) {
				t.Parallel()
				s := newShop(t)
				if notified {
					s = hooked(t)
				}
				answer := s.pay("k1", tc.method, "automatic")
				faster := map[payments.Status]int{payments.Captured: http.StatusCreated, payments.Declined: http.StatusPaymentRequired}[tc.then]
				if answer.Status != tc.first && (!notified || answer.Status != faster) { // a notification may be faster than the answer
					t.Fatalf("got %d %s, want %d", answer.Status, answer.Body, tc.first)
				}
				if again := s.pay("k1", tc.method, "automatic"); again.Status != answer.Status || again.Body != answer.Body {
					t.Errorf("the repeated request: got %d %s, want %d %s", again.Status, again.Body, answer.Status, answer.Body)
				}
				s.sim.Wait()
				s.sweep()
				s.sweep()
				s.agree()
				if p, ok := s.payment(); !ok || p.Status != tc.then {
					t.Errorf("the payment is %s, want %s", p.Status, tc.then)
				}
			})
		}
	}
}

func TestDeclinedPaymentIsFollowedByAnother(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	declined := s.pay("k1", simulator.MethodInsufficientFunds, "automatic")
	declined.WantProblem(http.StatusPaymentRequired, "payment_declined", "/payment_method")
	if !strings.Contains(declined.Body, "insufficient_funds") {
		t.Errorf("%s does not say why", declined.Body)
	}
	s.pay("k2", simulator.MethodVisa, "automatic").Want(http.StatusCreated)
	s.pay("k3", simulator.MethodVisa, "automatic").WantProblem(http.StatusConflict, "payment_in_progress")
	if got := len(s.sim.Ledger().Entries); got != 2 {
		t.Errorf("the provider moved money %d times, want 2: an authorisation and a capture", got)
	}
}

// 50 payments of one order at once, each with a key of its own, charge once.
func TestParallelPaymentsChargeOnce(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]func(int) string{
		"OwnKeys": func(i int) string { return fmt.Sprintf("key-%d", i) },
		"OneKey":  func(int) string { return "key" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			statuses := make([]int, 50)
			var group sync.WaitGroup
			for i := range statuses {
				group.Go(func() { statuses[i] = s.pay(key(i), simulator.MethodVisa, "automatic").Status })
			}
			group.Wait()
			created := 0
			for _, status := range statuses {
				switch status {
				case http.StatusCreated:
					created++
				case http.StatusConflict:
				default:
					t.Errorf("got %d", status)
				}
			}
			if created == 0 || (name == "OwnKeys" && created != 1) {
				t.Errorf("%d requests were answered with 201", created)
			}
			s.agree()
			if got := s.sim.Ledger().Requests["confirm"]; got != 1 {
				t.Errorf("%d confirmations were sent", got)
			}
		})
	}
}

// A process that was killed is followed by the client's repetition with the same key: it resumes the payment.
func TestRepetitionResumes(t *testing.T) {
	t.Parallel()
	for killAt := 4; ; killAt++ {
		s := newShop(t)
		killed := s.killed(killAt, func(api *apitest.API) apitest.Answer {
			return api.Do(http.MethodPost, "/v1/orders/"+s.order.ID+"/payments", `{"payment_method":"pm_card_visa"}`,
				apitest.As(customer, "customer"), apitest.Header("Idempotency-Key", "k1"))
		})
		if !killed {
			return
		}
		repeat := func() apitest.Answer {
			return s.as(customer, "customer", http.MethodPost, "/v1/orders/"+s.order.ID+"/payments", "k1", `{"payment_method":"pm_card_visa"}`)
		}
		if first := repeat(); first.Status == http.StatusConflict {
			first.WantProblem(http.StatusConflict, "request_in_progress")
		}
		s.clock.advance(31 * time.Second)
		answer := repeat().Want(http.StatusCreated)
		if again := repeat(); again.Body != answer.Body || again.Status != answer.Status {
			t.Errorf("killed at %d: got %s, want %s", killAt, again.Body, answer.Body)
		}
		s.sweep()
		s.sweep()
		s.agree()
	}
}

func TestManualCapture(t *testing.T) {
	t.Parallel()
	s := hooked(t)
	p := apitest.Decode[payments.Payment](s.pay("k1", simulator.MethodVisa, "manual").Want(http.StatusCreated))
	if p.Status != payments.Authorized || p.Authorized != euros(1000) || p.Captured != euros(0) {
		t.Errorf("got %+v", p)
	}
	path := "/v1/payments/" + p.ID
	s.staff(path+"/refunds", "r0", `{"amount":{"amount_minor":1,"currency":"EUR"},"reason":"early"}`).WantProblem(http.StatusConflict, "invalid_transition")
	s.staff(path+"/capture", "c0", `{"amount":{"amount_minor":1001,"currency":"EUR"}}`).WantProblem(http.StatusUnprocessableEntity, "amount_exceeds_authorized", "/amount/amount_minor")
	s.staff(path+"/capture", "c1", `{"amount":{"amount_minor":1,"currency":"USD"}}`).WantProblem(http.StatusUnprocessableEntity, "validation_failed", "/amount/currency")
	s.staff(path+"/capture", "c2", `{"amount":{"amount_minor":0,"currency":"EUR"}}`).WantProblem(http.StatusUnprocessableEntity, "validation_failed", "/amount/amount_minor")

	part := s.staff(path+"/capture", "c3", `{"amount":{"amount_minor":400,"currency":"EUR"}}`).Want(http.StatusOK)
	if got := apitest.Decode[payments.Payment](part); got.Status != payments.PartiallyCaptured || got.Captured != euros(400) {
		t.Errorf("got %+v", got)
	}
	if again := s.staff(path+"/capture", "c3", `{"amount":{"amount_minor":400,"currency":"EUR"}}`); again.Body != part.Body {
		t.Errorf("repeated: got %s, want %s", again.Body, part.Body)
	}
	s.staff(path+"/void", "v1", "").WantProblem(http.StatusConflict, "invalid_transition")
	s.staff(path+"/capture", "c4", `{}`).Want(http.StatusOK)
	s.staff(path+"/capture", "c5", `{}`).WantProblem(http.StatusConflict, "invalid_transition")

	s.staff(path+"/refunds", "r1", `{"amount":{"amount_minor":1001,"currency":"EUR"},"reason":"too much"}`).WantProblem(http.StatusUnprocessableEntity, "amount_exceeds_refundable", "/amount/amount_minor")
	for i, want := range []payments.Status{payments.PartiallyRefunded, payments.Refunded} {
		key := fmt.Sprintf("r%d", 2+i)
		body := `{"amount":{"amount_minor":500,"currency":"EUR"},"reason":"broken"}`
		refund := apitest.Decode[payments.Refund](s.staff(path+"/refunds", key, body).Want(http.StatusCreated))
		if refund.Status != payments.RefundSucceeded || refund.Amount != euros(500) {
			t.Errorf("got %+v", refund)
		}
		if again := apitest.Decode[payments.Refund](s.staff(path+"/refunds", key, body).Want(http.StatusCreated)); again != refund {
			t.Errorf("repeated: got %+v, want %+v", again, refund)
		}
		if got := s.read(p.ID); got.Status != want {
			t.Errorf("the payment is %s, want %s", got.Status, want)
		}
	}
	s.sim.Wait()
	s.agree()
}

func TestVoid(t *testing.T) {
	t.Parallel()
	s := hooked(t)
	p := apitest.Decode[payments.Payment](s.pay("k1", simulator.MethodVisa, "manual").Want(http.StatusCreated))
	if got := apitest.Decode[payments.Payment](s.staff("/v1/payments/"+p.ID+"/void", "v1", "").Want(http.StatusOK)); got.Status != payments.Voided {
		t.Errorf("got %+v", got)
	}
	s.staff("/v1/payments/"+p.ID+"/capture", "c1", `{}`).WantProblem(http.StatusConflict, "invalid_transition")
	s.sim.Wait()
	if got := s.sim.Ledger().Sum("capture", paymentsstripe.MetadataPayment, p.ID); got != 0 {
		t.Errorf("%d was captured", got)
	}
	s.store.MoveOrder(s.order.ID, payments.OrderPaid)
	again := s.pay("k2", simulator.MethodVisa, "manual")
	again.WantProblem(http.StatusConflict, "already_paid")
	if !strings.Contains(again.Body, `"The order has a payment already."`) { // it has, and holds no money
		t.Errorf("got %s", again.Body)
	}
}

// A bank can refuse a refund that had succeeded: the money counts as not refunded again.
func TestRefundThatFailsLater(t *testing.T) {
	t.Parallel()
	s := hooked(t)
	p := apitest.Decode[payments.Payment](s.pay("k1", simulator.MethodRefundFails, "automatic").Want(http.StatusCreated))
	s.staff("/v1/payments/"+p.ID+"/refunds", "r1", `{"amount":{"amount_minor":400,"currency":"EUR"},"reason":"broken"}`)
	s.sim.Wait()
	got := s.read(p.ID)
	if got.Status != payments.Captured || got.Refunded != euros(0) || len(got.Refunds) != 1 || got.Refunds[0].Status != payments.RefundFailed {
		t.Errorf("got %+v", got)
	}
	s.agree()
}
