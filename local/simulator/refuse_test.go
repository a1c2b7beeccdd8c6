package simulator_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/functions/payments/paymentsstripe"
	"github.com/tienda-dev/tienda/functions/payments/paymentstest"
	"github.com/tienda-dev/tienda/internal/apitest"
	"github.com/tienda-dev/tienda/local/simulator"
)

func TestPaymentsRefuse(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	path := "/v1/orders/" + s.order.ID + "/payments"
	for name, tc := range map[string]struct {
		body, code, pointer string
	}{
		"NoMethod":      {`{}`, "validation_failed", "/payment_method"},
		"EmptyMethod":   {`{"payment_method":""}`, "validation_failed", "/payment_method"},
		"OtherToken":    {`{"payment_method":"tok_visa"}`, "validation_failed", "/payment_method"},
		"CardNumber":    {`{"payment_method":"4242424242424242"}`, "validation_failed", "/payment_method"},
		"CardInToken":   {`{"payment_method":"pm_4242424242424242"}`, "validation_failed", "/payment_method"},
		"CardAsNumber":  {`{"payment_method":4242424242424242}`, "validation_failed", "/payment_method"},
		"CardElsewhere": {`{"payment_method":"pm_card_visa","card":"4242424242424242"}`, "validation_failed", "/card"},
		"UnknownMode":   {`{"payment_method":"pm_card_visa","capture":"later"}`, "validation_failed", "/capture"},
	} {
		a := s.as(customer, "customer", http.MethodPost, path, "k-"+name, tc.body)
		a.WantProblem(http.StatusUnprocessableEntity, tc.code, tc.pointer)
		if strings.Contains(a.Body, "4242") {
			t.Errorf("%s: the answer repeats the number: %s", name, a.Body)
		}
	}
	s.as(customer, "customer", http.MethodPost, path, "", `{"payment_method":"pm_card_visa"}`).WantProblem(http.StatusBadRequest, "idempotency_key_required")
	for _, id := range []string{s.order.ID, paymentstest.NewID(), "x"} {
		s.as("somebody-else", "customer", http.MethodPost, "/v1/orders/"+id+"/payments", "k1", `{"payment_method":"pm_card_visa"}`).
			WantProblem(http.StatusNotFound, "order_not_found")
	}
	s.as("support-1", "support", http.MethodPost, path, "k1", `{"payment_method":"pm_card_visa"}`).WantProblem(http.StatusNotFound, "order_not_found")
	if got := s.sim.Ledger().Requests; len(got) != 0 {
		t.Errorf("the provider was asked: %v", got)
	}
	if _, ok := s.payment(); ok {
		t.Error("a payment was stored")
	}

	s.store.MoveOrder(s.order.ID, payments.OrderExpired)
	s.pay("k2", simulator.MethodVisa, "automatic").WantProblem(http.StatusGone, "order_expired")
	s.store.MoveOrder(s.order.ID, payments.OrderCancelled)
	s.pay("k3", simulator.MethodVisa, "automatic").WantProblem(http.StatusConflict, "invalid_transition")
}

func TestForeignPaymentsLookLikeRandomOnes(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	p := apitest.Decode[payments.Payment](s.pay("k1", simulator.MethodVisa, "automatic").Want(http.StatusCreated))
	for _, id := range []string{p.ID, paymentstest.NewID(), "x"} {
		s.as("somebody-else", "customer", http.MethodGet, "/v1/payments/"+id, "", "").WantProblem(http.StatusNotFound, "payment_not_found")
	}
	for _, role := range []string{"support", "fulfilment", "admin"} {
		s.as("staff-1", role, http.MethodGet, "/v1/payments/"+p.ID, "", "").Want(http.StatusOK)
	}
	s.as("staff-1", "catalog", http.MethodGet, "/v1/payments/"+p.ID, "", "").WantProblem(http.StatusNotFound, "payment_not_found")
	s.as(customer, "customer", http.MethodPost, "/v1/payments/"+p.ID+"/refunds", "r1", `{}`).WantProblem(http.StatusForbidden, "insufficient_role")
	s.staff("/v1/payments/"+paymentstest.NewID()+"/void", "v1", "").WantProblem(http.StatusNotFound, "payment_not_found")
	s.staff("/v1/payments/"+p.ID+"/refunds", "r2", `{"amount":{"amount_minor":1,"currency":"EUR"},"reason":"card 4242 4242 4242 4242"}`).
		WantProblem(http.StatusUnprocessableEntity, "validation_failed", "/reason")
}

// signed sends a notification that Stripe has signed.
func (s *shop) signed(body string) apitest.Answer {
	signature := paymentsstripe.Sign([]byte(body), hookKey, s.clock.now())
	return s.api.Do(http.MethodPost, "/v1/webhooks/stripe", body, apitest.Header("Stripe-Signature", signature))
}

// Stripe repeats for days what is not answered with 200, and a contradiction stays one.
func TestContradictingNotificationsAreReceived(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	p := apitest.Decode[payments.Payment](s.pay("k1", simulator.MethodVisa, "manual").Want(http.StatusCreated))
	stored, _ := s.payment()
	before := s.read(p.ID)
	send := func(id, typ, object string) {
		t.Helper()
		s.signed(fmt.Sprintf(`{"id":%q,"type":%q,"created":1,"data":{"object":{%s,"metadata":{"payment_id":%q}}}}`, id, typ, object, p.ID)).
			Want(http.StatusOK)
	}
	intent := func(ref, currency, amounts string) string {
		return fmt.Sprintf(`"id":%q,"status":"succeeded","currency":%q,%s`, ref, currency, amounts)
	}
	for name, object := range map[string]string{
		"OtherIntent":   intent("pi_other", "eur", `"amount":1000,"amount_received":1000`),
		"OtherCurrency": intent(stored.Ref, "usd", `"amount":1000,"amount_received":1000`),
		"Negative":      intent(stored.Ref, "eur", `"amount":1000,"amount_received":-1`),
		"NegativeLeft":  intent(stored.Ref, "eur", `"amount":1000,"amount_received":1000,"amount_capturable":-5`),
		"AboveAmount":   intent(stored.Ref, "eur", `"amount":1000,"amount_received":1001`),
		"GreatestLeft":  intent(stored.Ref, "eur", `"amount":1000,"amount_received":0,"amount_capturable":9223372036854775807`),
		"BothGreatest":  intent(stored.Ref, "eur", `"amount":1000,"amount_received":9223372036854775807,"amount_capturable":9223372036854775807`),
	} {
		send("evt_"+name, "payment_intent.succeeded", object)
	}
	send("evt_refund", "refund.updated", `"id":"re_1","payment_intent":"pi_other","status":"succeeded","currency":"eur","amount":1000`)
	if diff := cmp.Diff(before, s.read(p.ID)); diff != "" {
		t.Errorf("the payment has changed (-before +after):\n%s", diff)
	}
	right := intent(stored.Ref, "eur", `"amount":1000,"amount_received":1000`)
	send("evt_refund", "payment_intent.succeeded", right)
	if got := s.read(p.ID); got.Status != payments.Authorized {
		t.Errorf("a notification that was received before makes the payment %s", got.Status)
	}
	send("evt_right", "payment_intent.succeeded", right)
	if got := s.read(p.ID); got.Status != payments.Captured {
		t.Errorf("the payment is %s", got.Status)
	}
}

func TestNotificationsAreSigned(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	p := apitest.Decode[payments.Payment](s.pay("k1", simulator.MethodVisa, "manual").Want(http.StatusCreated))
	stored, _ := s.payment()
	event := func(id, payment string) string {
		text, err := json.Marshal(map[string]any{
			"id": id, "type": "payment_intent.succeeded", "created": 1, "data": map[string]any{"object": map[string]any{
				"id": stored.Ref, "status": "succeeded", "currency": "eur", "amount": 1000, "amount_received": 1000,
				"metadata": map[string]string{"payment_id": payment},
			}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	send := func(body, signature string) apitest.Answer {
		return s.api.Do(http.MethodPost, "/v1/webhooks/stripe", body, apitest.Header("Stripe-Signature", signature))
	}
	body := event("evt_1", p.ID)
	send(body, paymentsstripe.Sign([]byte(body), "whsec_other", s.clock.now())).WantProblem(http.StatusUnauthorized, "bad_signature")
	send(body, paymentsstripe.Sign([]byte(body), hookKey, s.clock.now().Add(-6*time.Minute))).WantProblem(http.StatusBadRequest, "stale_signature")
	s.signed("{").WantProblem(http.StatusBadRequest, "malformed_notification")
	unknown := event("evt_2", paymentstest.NewID())
	s.signed(unknown).Want(http.StatusOK)
	if got := s.read(p.ID); got.Status != payments.Authorized {
		t.Errorf("the payment is %s", got.Status)
	}
	for range 2 {
		s.signed(body).Want(http.StatusOK)
	}
	if got := s.read(p.ID); got.Status != payments.Captured || got.Version != p.Version+1 {
		t.Errorf("the payment is %s in version %d", got.Status, got.Version)
	}
}
