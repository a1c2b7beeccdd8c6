// Package stripe_test holds what we send to Stripe, and what the simulated Stripe answers, against the schema that
// Stripe publishes. It is a module of its own, because nothing else needs stripe-mock.
package stripe_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stripe/stripe-mock/embedded"
	"github.com/stripe/stripe-mock/server"
	"github.com/stripe/stripe-mock/spec"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/functions/payments/paymentsstripe"
	"github.com/tienda-dev/tienda/local/simulator"
	"github.com/tienda-dev/tienda/shared/money"
)

// published is Stripe's schema, and the server of stripe-mock that holds requests against it.
type published struct {
	spec       *spec.Spec
	stub       *server.StubServer
	components *spec.ComponentsForValidation
}

var load = sync.OnceValues(func() (published, error) {
	api, err := server.LoadSpec(embedded.OpenAPISpec, "")
	if err != nil {
		return published{}, err
	}
	fixtures, err := server.LoadFixtures(embedded.OpenAPIFixtures, "")
	if err != nil {
		return published{}, err
	}
	stub, err := server.NewStubServer(fixtures, api, false, false)
	return published{api, stub, spec.GetComponentsForValidation(&api.Components)}, err
})

// request returns what the schema says against the request, and "" for nothing.
func (p published) request(r *http.Request, body []byte) string {
	copied := r.Clone(r.Context())
	copied.Body = io.NopCloser(bytes.NewReader(body))
	answer := httptest.NewRecorder()
	p.stub.HandleRequest(answer, copied)
	if answer.Code < http.StatusBadRequest {
		return ""
	}
	return answer.Body.String()
}

// fits returns what the schema says against the document.
func (p published) fits(schema *spec.Schema, document []byte) error {
	var value any
	if err := json.Unmarshal(document, &value); err != nil {
		return err
	}
	validator, err := spec.GetValidatorForOpenAPI3Schema(schema, p.components)
	if err != nil {
		return err
	}
	if err := validator.Validate(value); err != nil {
		return fmt.Errorf("%w in %s", err, document)
	}
	return nil
}

// template returns the path with the name of its parameter.
func template(path string) string {
	parts := strings.Split(path, "/") // "", v1, the resource, an id, an action
	if len(parts) > 3 {
		parts[3] = "{intent}"
	}
	return strings.Join(parts, "/")
}

// answer returns what the schema of the operation says against an answer.
func (p published) answer(r *http.Request, status int, document []byte) error {
	operation, ok := p.spec.Paths[spec.Path(template(r.URL.Path))][spec.HTTPVerb(strings.ToLower(r.Method))]
	if !ok {
		return fmt.Errorf("the schema has no %s %s", r.Method, r.URL.Path)
	}
	code := spec.StatusCode("200")
	if status >= http.StatusBadRequest {
		code = "default"
	}
	return p.fits(operation.Responses[code].Content["application/json"].Schema, document)
}

// checked is the simulated Stripe, with every request, answer and notification held against the schema.
type checked struct {
	published

	sim *simulator.Simulator
	mu  sync.Mutex
	// seen has every operation with the status of its answer, and every type of a notification.
	seen map[string]bool
}

func (c *checked) saw(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[what] = true
}

func newChecked(t *testing.T) (*checked, *paymentsstripe.Client) {
	t.Helper()
	p, err := load()
	if err != nil {
		t.Fatal(err)
	}
	keys := paymentsstripe.Keys{API: "sk_test_123", Webhooks: []string{"whsec_1"}}
	sim, err := simulator.New(simulator.Config{
		Keys:   func() (string, []string, error) { return keys.API, keys.Webhooks, nil },
		Client: &http.Client{}, Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	c := &checked{published: p, sim: sim, seen: map[string]bool{}}
	stripe := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { c.serve(t, w, r) }))
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { c.notify(t, r) }))
	t.Cleanup(func() { sim.Close(); stripe.Close(); hook.Close() })
	sim.Notify(hook.URL)
	client, err := paymentsstripe.New(paymentsstripe.Config{BaseURL: stripe.URL}, keys)
	if err != nil {
		t.Fatal(err)
	}
	return c, client
}

func (c *checked) serve(t *testing.T, w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	if problem := c.request(r, body); problem != "" {
		t.Errorf("%s %s %s: %s", r.Method, r.URL, body, problem)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := httptest.NewRecorder()
	c.sim.ServeHTTP(answer, r)
	if err := c.answer(r, answer.Code, answer.Body.Bytes()); err != nil {
		t.Errorf("%s %s: %d: %v", r.Method, r.URL, answer.Code, err)
	}
	c.saw(fmt.Sprint(r.Method, " ", template(r.URL.Path), " ", answer.Code))
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

func (c *checked) notify(t *testing.T, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	var in struct {
		Type string
		Data struct{ Object json.RawMessage }
	}
	if err := json.Unmarshal(body, &in); err != nil {
		t.Error(err)
	}
	object, _, _ := strings.Cut(in.Type, ".")
	schemas := c.spec.Components.Schemas
	for schema, document := range map[string][]byte{"event": body, object: in.Data.Object} {
		if err := c.fits(schemas[schema], document); err != nil {
			t.Errorf("%s: %s: %v", in.Type, schema, err)
		}
	}
	c.saw(in.Type)
}

func newPayment(method string, capture payments.Capture) payments.Payment {
	return payments.Payment{
		ID: "PAYMENT", OrderID: "ORDER", Amount: eur(1000), Capture: capture, Method: method,
	}
}

func eur(minor int64) money.Money { return money.Money{AmountMinor: minor, Currency: "EUR"} }

// Every call of the adapter, and every kind of answer and notification of the simulator, fits Stripe's schema.
func TestCallsFitTheSchema(t *testing.T) {
	t.Parallel()
	c, client := newChecked(t)
	ctx := t.Context()
	key := 0
	next := func() string { key++; return fmt.Sprint("key-", key) }
	create := func(method string, capture payments.Capture) payments.Payment {
		p := newPayment(method, capture)
		ref, err := client.Create(ctx, next(), p)
		if err != nil {
			t.Fatal(err)
		}
		p.Ref = ref
		return p
	}
	must := func(what string) func(payments.Report, error) {
		return func(_ payments.Report, err error) {
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
	}

	manual := create(simulator.MethodVisa, payments.Manual)
	must("confirm")(client.Confirm(ctx, next(), manual))
	must("capture a part")(client.Capture(ctx, next(), manual, eur(400), false))
	must("capture the rest")(client.Capture(ctx, next(), manual, eur(600), true))
	refund := payments.Refund{ID: "REFUND", Amount: eur(100)}
	must("refund")(client.Refund(ctx, next(), manual, refund))
	manual.Refunds = []payments.Refund{refund}
	must("look up")(client.Lookup(ctx, manual))
	if _, err := client.Refund(ctx, next(), manual, payments.Refund{ID: "TOO MUCH", Amount: eur(10000)}); err == nil {
		t.Error("too much is refunded")
	}

	automatic := create(simulator.MethodRefundFails, payments.Automatic)
	must("confirm")(client.Confirm(ctx, next(), automatic))
	must("refund")(client.Refund(ctx, next(), automatic, refund))

	canceled := create(simulator.MethodVisa, payments.Manual)
	must("confirm")(client.Confirm(ctx, next(), canceled))
	must("cancel")(client.Cancel(ctx, next(), canceled))
	if _, err := client.Capture(ctx, next(), canceled, eur(1), true); err == nil {
		t.Error("a cancelled payment is captured")
	}

	declined := create(simulator.MethodInsufficientFunds, payments.Automatic)
	must("decline")(client.Confirm(ctx, next(), declined))

	c.sim.Wait()
	want := []string{
		"GET /v1/payment_intents/{intent} 200", "GET /v1/refunds 200", "POST /v1/payment_intents 200",
		"POST /v1/payment_intents/{intent}/cancel 200", "POST /v1/payment_intents/{intent}/capture 200",
		"POST /v1/payment_intents/{intent}/capture 400", "POST /v1/payment_intents/{intent}/confirm 200",
		"POST /v1/payment_intents/{intent}/confirm 402", "POST /v1/refunds 200", "POST /v1/refunds 400",
		"payment_intent.amount_capturable_updated", "payment_intent.canceled", "payment_intent.created",
		"payment_intent.payment_failed", "payment_intent.succeeded", "refund.created", "refund.failed",
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(c.seen))); diff != "" {
		t.Errorf("seen (-want +got):\n%s", diff)
	}
}

// The schema is held: a request and an answer that do not fit it are found.
func TestWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	p, err := load()
	if err != nil {
		t.Fatal(err)
	}
	request := func(form string) string {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/payment_intents", nil)
		r.Header.Set("Authorization", "Bearer sk_test_123")
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return p.request(r, []byte(form))
	}
	if problem := request("amount=1&currency=eur"); problem != "" {
		t.Errorf("a right request: %s", problem)
	}
	for _, form := range []string{"amount=1", "amount=one&currency=eur", "amount=1&currency=eur&colour=red"} {
		if request(form) == "" {
			t.Errorf("%q fits", form)
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/payment_intents/pi_1", nil)
	for _, document := range []string{`{"id": "pi_1", "object": "payment_intent"}`, `{"id": 1}`} {
		if p.answer(r, http.StatusOK, []byte(document)) == nil {
			t.Errorf("%s fits", document)
		}
	}
}
