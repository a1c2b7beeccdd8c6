package demo_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/local/demo"
)

// shop answers as the API does, and keeps what it was asked. Its orders move by reads, as if by the queues.
type shop struct {
	mu     chan struct{} // one request at a time
	calls  []string
	scans  []string
	status string
	paid   string
	reads  int
	// refuses is a request that is answered 409.
	refuses string
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu <- struct{}{}
	defer func() { <-s.mu }()
	call := r.Method + " " + r.URL.Path
	if len(s.calls) == 0 || s.calls[len(s.calls)-1] != call {
		s.calls = append(s.calls, call)
	}
	if call == s.refuses {
		w.WriteHeader(http.StatusConflict)
		_, _ = io.WriteString(w, `{"code":"refused_by_test"}`)
		return
	}
	eur := func(minor int) string { return fmt.Sprintf(`{"amount_minor":%d,"currency":"EUR"}`, minor) }
	status, body := http.StatusOK, "{}"
	switch call {
	case "POST /v1/auth/register", "POST /v1/discounts":
		status = http.StatusCreated
	case "POST /v1/auth/login":
		body = `{"access_token":"customer"}`
	case "GET /v1/pricing/rules":
		body = `{"version":0}`
	case "POST /v1/quotes":
		status, body = http.StatusCreated, `{"id":"Q","subtotal":`+eur(4030)+`,"discount":`+eur(403)+`,"shipping":`+eur(490)+`,"tax":`+eur(762)+`,"total":`+eur(4879)+`}`
	case "POST /v1/orders":
		s.status, s.paid = "pending_payment", "none"
		status, body = http.StatusCreated, `{"id":"O","status":"pending_payment","expires_at":"2026-03-01T12:15:00.000Z"}`
	case "POST /v1/orders/O/payments":
		s.status, s.paid = "confirmed", "authorized"
		status, body = http.StatusCreated, `{"id":"P","status":"authorized","authorized":`+eur(4879)+`}`
	case "GET /v1/orders/O":
		s.reads++
		body = fmt.Sprintf(`{"id":"O","status":%q,"payment_status":%q,"fulfilment_status":"delivered"}`, s.status, s.paid)
	case "POST /v1/orders/O/shipments":
		status, body = http.StatusCreated, `{"id":"S","status":"created","tracking_token":"TOKEN"}`
	case "GET /v1/payments/P":
		body = `{"id":"P","status":"captured","captured":` + eur(4879) + `}`
	case "POST /v1/webhooks/carrier":
		var scan struct{ Type string }
		raw, err := io.ReadAll(r.Body)
		if err != nil || json.Unmarshal(raw, &scan) != nil || r.Header.Get("Carrier-Signature") != fmt.Sprintf("signed %d bytes", len(raw)) {
			status = http.StatusUnauthorized
			break
		}
		s.scans = append(s.scans, scan.Type)
		if scan.Type == "delivered" {
			s.status = "delivered"
		}
		status, body = http.StatusAccepted, fmt.Sprintf(`{"status":%q,"moved":true}`, scan.Type)
	case "GET /v1/track/TOKEN":
		body = `{"status":"delivered","milestones":[{"type":"delivered","at":"2026-03-01T12:00:00.000Z"}]}`
	case "POST /v1/payments/P/refunds":
		s.paid = "refunded"
		status = http.StatusCreated
	case "GET /v1/orders/O/events":
		body = `{"data":[{"type":"order.created","time":"2026-03-01T12:00:00.000Z"}],"has_more":false}`
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func run(t *testing.T, s *shop) (string, error) {
	t.Helper()
	s.mu = make(chan struct{}, 1)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return runAt(t, server.URL)
}

func runAt(t *testing.T, url string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := demo.Run(t.Context(), demo.Config{
		URL:   url,
		Token: func(role string) (string, error) { return role, nil },
		Sign:  func(_ time.Time, body []byte) string { return fmt.Sprintf("signed %d bytes", len(body)) },
		Now:   func() time.Time { return time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC) },
		Out:   &out,
	})
	return out.String(), err
}

func TestRunWalksTheWholeWay(t *testing.T) {
	t.Parallel()
	s := &shop{}
	out, err := run(t, s)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"POST /v1/auth/register", "POST /v1/auth/login", "GET /v1/pricing/rules", "PUT /v1/pricing/rules", "POST /v1/discounts",
		"POST /v1/quotes", "POST /v1/orders", "POST /v1/orders/O/payments", "GET /v1/orders/O", "POST /v1/orders/O/shipments",
		"GET /v1/payments/P", "POST /v1/webhooks/carrier", "GET /v1/orders/O", "GET /v1/track/TOKEN", "POST /v1/payments/P/refunds",
		"GET /v1/orders/O", "GET /v1/orders/O/events",
	}
	if diff := cmp.Diff(want, s.calls); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"picked_up", "out_for_delivery", "in_transit", "delivered", "delivered"}, s.scans); diff != "" {
		t.Errorf("reports (-want +got):\n%s", diff)
	}
	for _, line := range []string{"subtotal 40.30 EUR - discount 4.03 EUR + shipping 4.90 EUR", "total    48.79 EUR", "  2026-03-01T12:00:00.000Z  order.created\n", "payment refunded, parcels delivered"} {
		if !strings.Contains(out, line) {
			t.Errorf("it does not print %q:\n%s", line, out)
		}
	}
}

func TestRunStopsAtARefusal(t *testing.T) {
	t.Parallel()
	s := &shop{refuses: "POST /v1/orders"}
	_, err := run(t, s)
	if err == nil || !strings.Contains(err.Error(), "POST /v1/orders answered 409") || !strings.Contains(err.Error(), "refused_by_test") {
		t.Errorf("got %v", err)
	}
	if last := s.calls[len(s.calls)-1]; last != s.refuses {
		t.Errorf("it went on to %s", last)
	}
}

func TestRunWithoutAnAPI(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	if _, err := runAt(t, server.URL); err == nil || !strings.Contains(err.Error(), "make run") {
		t.Errorf("got %v", err)
	}
	if err := demo.Run(t.Context(), demo.Config{}); err == nil {
		t.Error("it runs without a configuration")
	}
}
