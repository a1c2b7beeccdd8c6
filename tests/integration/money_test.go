//go:build integration

package integration_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/payments/paymentsstripe"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/local/pump"
	"github.com/tienda-dev/tienda/local/simulator"
	"github.com/tienda-dev/tienda/local/stack"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/tests/suite"
)

// When the money of a payment is taken: at once, or by each shipment and by the staff.
const (
	automatic = "automatic"
	manual    = "manual"
)

// account is what the table has of a payment. Amounts are in minor units.
type account struct {
	Order      string         `dynamodbav:"order_id"`
	Status     string         `dynamodbav:"status"`
	Pending    map[string]any `dynamodbav:"pending"`
	Authorized int64          `dynamodbav:"authorized_minor"`
	Captured   int64          `dynamodbav:"captured_minor"`
	Refunded   int64          `dynamodbav:"refunded_minor"`
	Capturable int64          `dynamodbav:"capturable_minor"`
}

// account reads a payment from the table.
func (s *shop) account(t *testing.T, id string) account {
	t.Helper()
	var a account
	if found, err := s.table.Get(t.Context(), ddb.Key{PK: "PAY#" + id, SK: "META"}, &a, true); err != nil || !found {
		t.Fatalf("the payment %s: found %t, %v", id, found, err)
	}
	return a
}

// accounts reads every payment of the table, by id.
func (s *shop) accounts(t *testing.T) map[string]account {
	t.Helper()
	all := map[string]account{}
	for key := range s.items(t) {
		if id, ok := strings.CutPrefix(strings.TrimSuffix(key, " META"), "PAY#"); ok && strings.HasSuffix(key, " META") {
			all[id] = s.account(t, id)
		}
	}
	return all
}

// sweep lets the time of every payment that has one come, and asks the provider about them.
func (s *shop) sweep(t *testing.T) {
	t.Helper()
	for key, item := range s.items(t) {
		if id, ok := strings.CutPrefix(key, "PAY#"); ok && item["next_at"] != nil {
			due(t, s.table, strings.TrimSuffix(id, " META"))
		}
	}
	if err := s.Pump().Fire(t.Context(), "reconcile-payments"); err != nil {
		t.Errorf("reconcile-payments: %v", err)
	}
	s.idle(t)
}

// ledger reads what the simulated Stripe has done with money.
func (s *shop) ledger(t *testing.T) simulator.Ledger {
	t.Helper()
	client := suite.NewClient()
	defer client.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Stripe+"/simulator/ledger", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var l simulator.Ledger
	if err := json.NewDecoder(answer.Body).Decode(&l); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("the ledger: got %d, %v", answer.StatusCode, err)
	}
	return l
}

// wantLedger compares the payments of the table with the provider's ledger: each has an outcome, the same amounts, and
// not more money taken than authorised or given back than taken; and each of their orders was charged once at most.
func (s *shop) wantLedger(t *testing.T, stored map[string]account) {
	t.Helper()
	l := s.ledger(t)
	orders := map[string]bool{}
	for id, ours := range stored {
		orders[ours.Order] = true
		if ours.Pending != nil || ours.Status == "authorizing" || ours.Status == "unknown" {
			t.Errorf("the payment %s is %s, with %v pending", id, ours.Status, ours.Pending)
		}
		sum := func(kind string) int64 { return l.Sum(kind, paymentsstripe.MetadataPayment, id) }
		theirs := account{Order: ours.Order, Status: ours.Status, Pending: ours.Pending}
		theirs.Authorized, theirs.Captured, theirs.Refunded = sum("authorize"), sum("capture"), sum("refund")
		theirs.Capturable = theirs.Authorized - theirs.Captured - sum("release")
		if diff := cmp.Diff(theirs, ours); diff != "" {
			t.Errorf("the payment %s (-ledger +table):\n%s", id, diff)
		}
		if theirs.Captured > theirs.Authorized || theirs.Refunded > theirs.Captured {
			t.Errorf("the payment %s: %+v", id, theirs)
		}
	}
	for id := range orders {
		if n := l.Count("authorize", paymentsstripe.MetadataOrder, id); n > 1 {
			t.Errorf("the order %s was charged %d times", id, n)
		}
	}
	for _, e := range l.Entries {
		if _, ok := stored[e.Metadata[paymentsstripe.MetadataPayment]]; !ok && orders[e.Metadata[paymentsstripe.MetadataOrder]] {
			t.Errorf("the table does not have the payment of %+v", e)
		}
	}
}

// wantMoney wants no money of cancelled orders, and all that was not given back of the confirmed ones.
func (s *shop) wantMoney(t *testing.T, statuses map[string]string) {
	t.Helper()
	moved := map[string]int{}
	for id, a := range s.accounts(t) {
		kept := a.Captured + a.Capturable - a.Refunded
		switch status := statuses[a.Order]; {
		case status == "cancelled" && kept != 0, status == "confirmed" && (a.Authorized == 0 || kept != a.Authorized-a.Refunded):
			t.Errorf("the payment %s of an order that is %s: %+v", id, status, a)
		default:
			moved[status+" "+a.Status]++
		}
	}
	t.Logf("payments by their orders: %v", moved)
}

// eventually ends the test if done does not become true. what is the state that is waited for.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for until := time.Now().Add(time.Minute); !done(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// staff is a request of the staff with the role, with a new idempotency key.
func (s *shop) staff(t *testing.T, role, path, body string) suite.Request {
	t.Helper()
	return suite.Request{
		Method: http.MethodPost, Path: path, Token: s.As(t, role), Body: body,
		Header: map[string]string{"Idempotency-Key": fmt.Sprint(suite.NewProduct()["sku"])},
	}
}

// shipping is the request that ships the whole order.
func (s *shop) shipping(t *testing.T, o sale) suite.Request {
	t.Helper()
	return s.staff(t, policy.RoleFulfilment, "/v1/orders/"+o.id+"/shipments", `{"carrier":"Correos"}`)
}

// deliver ships the whole order, and its parcel arrives.
func (s *shop) deliver(t *testing.T, o sale) {
	t.Helper()
	shipped := s.Do(t, s.shipping(t, o))
	if shipped.Status != http.StatusCreated {
		t.Fatalf("a shipment: got %d %s", shipped.Status, shipped.Body)
	}
	path := "/v1/shipments/" + member(t, shipped, "id") + "/events"
	for _, scan := range []string{"picked_up", "delivered"} {
		body := fmt.Sprintf(`{"event_id":%q,"type":%q,"at":%q}`, scan, scan, time.Now().UTC().Format(time.RFC3339Nano))
		if a := s.Do(t, s.staff(t, policy.RoleFulfilment, path, body)); a.Status != http.StatusAccepted {
			t.Fatalf("a report: got %d %s", a.Status, a.Body)
		}
	}
}

// refunding is the request that gives a part of a payment back.
func (s *shop) refunding(t *testing.T, payment string, minor int64) suite.Request {
	t.Helper()
	body := fmt.Sprintf(`{"amount":{"amount_minor":%d,"currency":"EUR"},"reason":"the cup was broken"}`, minor)
	return s.staff(t, policy.RoleSupport, "/v1/payments/"+payment+"/refunds", body)
}

func (s *shop) refund(t *testing.T, o sale, minor int64) {
	t.Helper()
	if a := s.Do(t, s.refunding(t, o.payment, minor)); a.Status != http.StatusCreated {
		t.Fatalf("a refund: got %d %s", a.Status, a.Body)
	}
}

// timeline returns the types of an order's events.
func (s *shop) timeline(t *testing.T, o sale) []string {
	t.Helper()
	a := s.Do(t, suite.Request{Method: http.MethodGet, Path: "/v1/orders/" + o.id + "/events?limit=100", Token: o.token})
	var page struct {
		Data []struct {
			Type string `json:"type"`
		} `json:"data"`
	}
	if err := json.Unmarshal(a.Body, &page); err != nil || a.Status != http.StatusOK {
		t.Fatalf("a timeline: got %d %s", a.Status, a.Body)
	}
	var types []string
	for _, e := range page.Data {
		types = append(types, e.Type)
	}
	return types
}

// 50 payments of one order at once, each with a key of its own, charge once. So do 5 for each of 40 orders: these meet more
// often, because nobody is done before the others have read.
func TestParallelPaymentsChargeOnce(t *testing.T) {
	t.Parallel()
	s := shopOf(t, shared)
	p := s.Create(t, suite.NewProduct())
	var sales []sale
	for name, tc := range map[string]struct{ orders, each int }{"OneOrder": {1, 50}, "ManyOrders": {40, 5}} {
		s.Move(t, p, int64(tc.orders))
		made := make([]sale, tc.orders)
		for i := range made {
			made[i] = s.order(t, p, "")
		}
		sales = append(sales, made...)
		payments := make([]string, tc.orders*tc.each)
		outcomes := together(len(payments), func(i int) string {
			o := made[i%tc.orders]
			a := insist(t, s.Caller, suite.Paying(o.token, o.id, simulator.MethodVisa, automatic))
			payments[i] = member(t, a, "id")
			return outcome(a, nil)
		})
		counts := count(outcomes)
		if refused := counts["409 payment_in_progress"] + counts["409 already_paid"]; counts["201"] != tc.orders || refused != len(payments)-tc.orders {
			t.Errorf("%s: answers: %v", name, counts)
		}
		stored := map[string]account{}
		for _, id := range slices.DeleteFunc(payments, func(id string) bool { return id == "" }) {
			stored[id] = s.account(t, id)
		}
		s.wantLedger(t, stored)
	}
	l := s.ledger(t)
	for _, o := range sales {
		if got := l.Sum("capture", paymentsstripe.MetadataOrder, o.id); got != o.total.AmountMinor {
			t.Errorf("captured %d of %+v", got, o.total)
		}
		eventually(t, "the confirmed order", func() bool { return s.status(t, o) == "confirmed captured" })
	}
	if stock := s.Stock(t, p); stock.Available != 0 || stock.Reserved != 0 || int(stock.Sold) != len(sales) {
		t.Errorf("stock %+v, want %d sold", stock, len(sales))
	}
}

// Cancel, ship and capture at once: either the cancellation or the shipment wins, and stock and money follow the winner.
func TestCancelShipAndCaptureRace(t *testing.T) {
	t.Parallel()
	const races = 8
	s := shopOf(t, shared)
	p := s.Create(t, suite.NewProduct())
	s.Move(t, p, races)
	var sales []sale
	for range races {
		sales = append(sales, s.order(t, p, manual))
	}
	stored, ends := map[string]account{}, map[string]int64{}
	for i, o := range sales {
		eventually(t, "the confirmed order", func() bool { return s.status(t, o) == "confirmed authorized" })
		calls := []suite.Request{
			suite.Cancelling(o.token, o.id, `{}`), s.shipping(t, o),
			s.staff(t, policy.RoleSupport, "/v1/payments/"+o.payment+"/capture", `{}`),
		}
		got := together(len(calls), func(call int) string {
			if call == i%2 { // so that both may win
				time.Sleep(time.Duration(i) * 3 * time.Millisecond)
			}
			return outcome(insist(t, s.Caller, calls[call]), nil)
		})
		want := [][]string{{"202", "409 invalid_transition"}, {"409 invalid_transition", "201"}}
		if !slices.ContainsFunc(want, func(w []string) bool { return slices.Equal(w, got[:2]) }) {
			t.Errorf("cancel, ship and capture: got %v", got)
		}
		end := map[bool]string{true: "shipped", false: "cancelled"}[got[1] == "201"]
		ends[end]++
		eventually(t, "the end of the money of an order that is "+end, func() bool {
			if a := s.account(t, o.payment); a.Pending != nil || a.Captured+a.Capturable > 0 {
				due(t, s.table, o.payment)
				if err := s.Pump().Fire(t.Context(), "reconcile-payments"); err != nil {
					t.Log(err) // of another test's payment
				}
			}
			a := s.account(t, o.payment)
			stored[o.payment] = a
			kept := map[string]int64{"shipped": o.total.AmountMinor}[end]
			return a.Pending == nil && a.Capturable == 0 && a.Captured-a.Refunded == kept && strings.HasPrefix(s.status(t, o), end+" ")
		})
	}
	t.Logf("the winners: %v", ends)
	s.wantLedger(t, stored)
	if stock := s.Stock(t, p); stock.Available != ends["cancelled"] || stock.Reserved != 0 || stock.Sold != ends["shipped"] {
		t.Errorf("stock %+v of %v", stock, ends)
	}
}

// silent is a simulated Stripe of the stack's own that sends no notifications.
func silent(t *testing.T) func(*stack.Options) {
	t.Helper()
	sim, err := simulator.New(simulator.Config{Keys: stack.StripeKeys(filepath.Join(root, ".cache"))})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sim)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		sim.Close()
	})
	return func(o *stack.Options) { o.Env = map[string]string{stack.EnvStripe: server.URL} }
}

// A payment succeeds, its answer and its notification are lost, and its order expires before the success is known: the money goes back and the
// timeline says so. The order's refusal of the payment is enough: its expiry need not have reached the payments.
func TestSuccessAfterTheOrderExpired(t *testing.T) {
	t.Parallel()
	s := openShop(t, silent(t))
	p := s.Create(t, suite.NewProduct())
	s.Move(t, p, 2)
	sales := []sale{s.order(t, p, ""), s.order(t, p, "")}
	told, untold := &sales[0], &sales[1]
	together(len(sales), func(i int) bool { // each waits for the provider
		a := s.Do(t, suite.Paying(sales[i].token, sales[i].id, simulator.MethodTimeoutThenSuccess, []string{manual, automatic}[i]))
		if a.Status != http.StatusAccepted {
			t.Errorf("a payment without an answer: got %d %s", a.Status, a.Body)
		}
		sales[i].payment = member(t, a, "id")
		return true
	})
	end := func(o *sale) {
		t.Helper()
		expire(t, s.table, o.id)
		if err := s.Pump().Fire(t.Context(), "expire-orders"); err != nil {
			t.Errorf("expire-orders: %v", err)
		}
		s.idle(t)
	}
	end(told)
	s.Pump().SetFault(func(d pump.Delivery) pump.Fault {
		if d.Function == "settle-payments" && bytes.Contains(d.Payload, []byte("order.expired")) {
			return pump.Lost
		}
		return pump.NoFault
	})
	end(untold)
	s.Pump().SetFault(nil)
	for _, o := range sales {
		if got := s.status(t, o); got != "expired unknown" {
			t.Errorf("before the sweeps an order is %s", got)
		}
	}
	s.sweep(t)
	s.sweep(t)
	got := map[string]string{"told": s.status(t, *told), "untold": s.status(t, *untold)}
	if diff := cmp.Diff(map[string]string{"told": "expired voided", "untold": "expired refunded"}, got); diff != "" {
		t.Errorf("orders (-want +got):\n%s", diff)
	}
	for o, want := range map[*sale][]string{
		told:   {"payment.unknown", "order.expired", "payment.authorized", "payment.voided"},
		untold: {"payment.unknown", "order.expired", "payment.captured", "order.payment_refused", "payment.refunded"},
	} {
		want = append([]string{"order.created", "payment.created"}, want...)
		got := s.timeline(t, *o)
		if o == told { // the order may see the money before it is given back, and refuses it then
			got = slices.DeleteFunc(got, func(e string) bool { return e == "order.payment_refused" })
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("a timeline (-want +got):\n%s", diff)
		}
	}
	s.wantLedger(t, s.accounts(t))
	if stock := s.Stock(t, p); stock.Available != 2 || stock.Reserved != 0 || stock.Sold != 0 {
		t.Errorf("stock %+v, want 2, 0 and 0", stock)
	}
}
