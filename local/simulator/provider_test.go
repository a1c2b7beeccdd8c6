package simulator_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/functions/payments/paymentsstripe"
	"github.com/tienda-dev/tienda/functions/payments/paymentstest"
	"github.com/tienda-dev/tienda/local/simulator"
)

// The ledger lasts: a simulator that starts again knows payments, refunds and keys.
func TestLedgerLasts(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "data", "stripe.json")
	open := func() (*simulator.Simulator, *paymentsstripe.Client) {
		sim, err := simulator.New(simulator.Config{File: file, Keys: func() (string, []string, error) { return apiKey, []string{hookKey}, nil }})
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(sim)
		t.Cleanup(server.Close)
		client, err := paymentsstripe.New(paymentsstripe.Config{BaseURL: server.URL}, paymentsstripe.Keys{API: apiKey, Webhooks: []string{hookKey}})
		if err != nil {
			t.Fatal(err)
		}
		return sim, client
	}
	p := paymentstest.NewPayment(paymentstest.NewOrder())
	p.Capture = payments.Automatic
	sim, client := open()
	ref, err := client.Create(t.Context(), "create", p)
	if err != nil {
		t.Fatal(err)
	}
	p.Ref = ref
	confirmed, err := client.Confirm(t.Context(), "confirm", p)
	if err != nil || confirmed.State != payments.ReportClosed {
		t.Fatalf("got %+v, %v", confirmed, err)
	}
	want := sim.Ledger()

	sim, client = open()
	if again, err := client.Create(t.Context(), "create", p); err != nil || again != ref {
		t.Errorf("the key again: %s, %v; want %s", again, err, ref)
	}
	if found, err := client.Lookup(t.Context(), p); err != nil || !cmp.Equal(found, confirmed) {
		t.Errorf("got %+v, %v; want %+v", found, err, confirmed)
	}
	if diff := cmp.Diff(want.Entries, sim.Ledger().Entries); diff != "" {
		t.Errorf("ledger (-before +after):\n%s", diff)
	}
}

// The adapter sorts the provider's errors as payments.Provider asks, and quotes nothing of them.
func TestErrorsOfTheProvider(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		status   int
		body     string
		answered bool
		refused  string
	}{
		"ServerError":  {http.StatusInternalServerError, `{"error":{"type":"api_error","message":"secret"}}`, true, ""},
		"NotJSON":      {http.StatusBadGateway, `<html>secret</html>`, false, ""},
		"Conflict":     {http.StatusConflict, `{"error":{"type":"idempotency_error","message":"secret"}}`, false, ""},
		"TooMany":      {http.StatusTooManyRequests, `{"error":{"type":"api_error","message":"secret"}}`, false, ""},
		"OurKey":       {http.StatusUnauthorized, `{"error":{"type":"invalid_request_error","message":"secret"}}`, true, ""},
		"Refused":      {http.StatusBadRequest, `{"error":{"type":"invalid_request_error","code":"amount_too_large","message":"secret"}}`, false, "amount_too_large"},
		"StrangeCode":  {http.StatusBadRequest, `{"error":{"type":"invalid_request_error","code":"se cret","message":"secret"}}`, false, "invalid_request_error"},
		"NotFound":     {http.StatusNotFound, `{"error":{"type":"invalid_request_error","code":"resource_missing","message":"secret"}}`, false, "resource_missing"},
		"AnswerBroken": {http.StatusOK, `{"id":`, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(tc.status)
				_, _ = w.Write([]byte(tc.body))
			}))
			t.Cleanup(server.Close)
			client, err := paymentsstripe.New(paymentsstripe.Config{BaseURL: server.URL}, paymentsstripe.Keys{API: apiKey, Webhooks: []string{hookKey}})
			if err != nil {
				t.Fatal(err)
			}
			p := paymentstest.NewPayment(paymentstest.NewOrder())
			p.Ref = "pi_1"
			_, err = client.Capture(t.Context(), "key", p, euros(1), true)
			if err == nil {
				t.Fatal("no error")
			}
			if got := errors.Is(err, payments.ErrAnswered); got != tc.answered {
				t.Errorf("%v is answered: %t, want %t", err, got, tc.answered)
			}
			code := ""
			if refused, ok := errors.AsType[*payments.RefusedError](err); ok {
				code = refused.Code
			}
			if code != tc.refused || strings.Contains(err.Error(), "secret") {
				t.Errorf("got %v, want the code %q", err, tc.refused)
			}
		})
	}
}
