//go:build integration

package integration_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/local/localddb"
	"github.com/tienda-dev/tienda/local/simulator"
	"github.com/tienda-dev/tienda/local/stack"
	"github.com/tienda-dev/tienda/tests/suite"
)

const (
	// stockOfEach is how many pieces of each of the three products are there.
	stockOfEach = 50
	// stormWorkers is how many of them are at the counter at once.
	stormWorkers = 12
	// clientPatience is how long a buyer repeats a request without an answer that decides.
	clientPatience = 90 * time.Second
)

// stormBuyers returns how many buyers want one to three of the products each: STORM_BUYERS, or enough for all pieces.
func stormBuyers(t *testing.T) int {
	t.Helper()
	text := os.Getenv("STORM_BUYERS")
	if text == "" {
		return 150
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 150 {
		t.Fatalf("STORM_BUYERS is %q, want 150 or more", text)
	}
	return n
}

// buyer is one customer with one order.
type buyer struct {
	token, key string
	skus       []string
	order      string // empty without one
	// method and capture are how it pays; empty if it does not.
	method, capture string
	// cancels is whether it does, after its payment if there is one.
	cancels bool
}

// decided reports whether an answer ends a buyer's repetitions.
func decided(a suite.Answer, err error) bool {
	return err == nil && a.Status < http.StatusInternalServerError && a.Status != http.StatusTooManyRequests && a.Code() != "request_in_progress"
}

// insist repeats a request with its key until an answer decides.
func insist(t *testing.T, c *suite.Caller, r suite.Request) suite.Answer {
	t.Helper()
	for began := time.Now(); ; {
		a, err := c.Send(t, r)
		if decided(a, err) {
			return a
		}
		if time.Since(began) > clientPatience {
			t.Errorf("%s %s: no answer that decides after %v: %d %s (%v)", r.Method, r.Path, clientPatience, a.Status, a.Body, err)
			return a
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Every write may fail, be applied without an answer, or be cut off by the end of its process, and events come twice and
// in any order: stock is neither lost nor sold twice, what is reserved is what orders hold, and the provider has taken and
// given back exactly what we know of, from each order once. Buyers who read, decide and write without a condition get
// more than there is in the same storm.
//
//nolint:paralleltest // it takes all processors, so that other tests would wait too long for their answers
func TestStockIsConservedInAStorm(t *testing.T) {
	engine, err := localddb.Start(t.Context(), localddb.Config{CacheDir: root + "/.cache"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(engine.Stop)
	weather, endpoint := newStorm(t, engine.Endpoint, 20261129)
	var folder string
	s := shopOf(t, start(t, func(o *stack.Options) { o.DynamoDBEndpoint = endpoint }, func(o *stack.Options) { o.NoEvents, folder = false, ownBinaries(t, o) }))
	products, buyers := s.openForTheStorm(t)

	weather.rages.Store(true)
	stopKilling := killFunctions(
		time.Second, folder, "create-order", "cancel-order", "advance-orders", "settle-payments", "create-payment", "dispatch-events", "receive-stripe-webhook",
	)
	naive := make(chan int64, 1)
	go func() { naive <- s.sellNaively(t, stockOfEach, buyers) }()
	var refused atomic.Int64
	each(buyers, func(b *buyer) {
		a := insist(t, s.Caller, ordering(*b))
		switch {
		case a.Status == http.StatusCreated:
			b.order = member(t, a, "id")
		case a.Code() == "out_of_stock":
			refused.Add(1)
		default:
			t.Errorf("an order: got %d %s", a.Status, a.Body)
		}
	})
	oversold := <-naive
	s.Pump().Pause()
	methods := s.decide(t, buyers)
	s.replay(t, rand.New(rand.NewPCG(3, 4)), s.log(t), "storm")
	s.Pump().SetFault(careless())
	s.Pump().Resume()
	s.idle(t)
	s.Pump().SetFault(nil)
	killed := stopKilling()
	weather.rages.Store(false)
	t.Logf("%d refused, %d sold naively, %d faults, %d processes killed, payments: %v", refused.Load(), oversold, weather.faults.Load(), killed, methods)
	if oversold <= stockOfEach {
		t.Errorf("%d of %d pieces were sold naively: the storm would not notice a shop that oversells", oversold, stockOfEach)
	}
	if refused.Load() == 0 || weather.faults.Load() == 0 || killed == 0 || len(methods) != len(badMethods()) {
		t.Error("the storm was too weak to prove anything")
	}

	s.redriven(t)
	s.sweep(t)
	s.sweep(t)
	s.wantLedger(t, s.accounts(t))
	statuses := s.wantConserved(t, buyers, products)
	s.wantMoney(t, statuses)
	s.wantReleased(t, statuses, weather, folder)
	for id, status := range s.wantConserved(t, buyers, products) {
		if status == "pending_payment" {
			t.Errorf("the order %s still holds its stock", id)
		}
	}
	if err := s.Pump().Fire(t.Context(), "check-invariants"); err != nil {
		t.Errorf("check-invariants: %v", err)
	}
}

// openForTheStorm makes three products with their stock, and buyers who want one to three of them.
func (s *shop) openForTheStorm(t *testing.T) (map[string]suite.Product, []buyer) {
	t.Helper()
	products := map[string]suite.Product{}
	var skus []string
	for range 3 {
		p := s.Create(t, suite.NewProduct().With(suite.Document{"status": "active"}))
		s.Move(t, p, stockOfEach)
		products[p.SKU] = p
		skus = append(skus, p.SKU)
	}
	dice := rand.New(rand.NewPCG(1, 2))
	buyers := make([]buyer, stormBuyers(t))
	for i := range buyers {
		token, err := tokens(s.Stack)(time.Now(), fmt.Sprintf("buyer-%d", i), policy.RoleCustomer)
		if err != nil {
			t.Fatal(err)
		}
		buyers[i] = buyer{token: token, key: fmt.Sprintf("order-of-buyer-%d", i)}
		for _, place := range dice.Perm(len(skus))[:1+dice.IntN(len(skus))] {
			buyers[i].skus = append(buyers[i].skus, skus[place])
		}
	}
	return products, buyers
}

// badMethods are the payment methods of the simulated Stripe that behave badly.
func badMethods() []string {
	return slices.DeleteFunc(simulator.Methods(), func(method string) bool { return !strings.HasPrefix(method, "pm_sim_") })
}

// decide lets half of the orders be paid, a quarter be cancelled, and the rest stay open. A third of those that are paid
// is cancelled then, or a part is given back. It returns how many payments each method made.
func (s *shop) decide(t *testing.T, buyers []buyer) map[string]int {
	t.Helper()
	methods, used := badMethods(), map[string]int{}
	ordered := 0
	for i := range buyers {
		b := &buyers[i]
		if b.order == "" {
			continue
		}
		if ordered++; ordered%2 == 1 {
			b.cancels = ordered%4 == 1
			continue
		}
		n := ordered / 2
		b.method, b.capture = methods[n%len(methods)], []string{automatic, manual}[n/len(methods)%2]
		b.cancels = n%3 == 0 && b.method != simulator.MethodRefundFails // whose money goes back after hours
		used[b.method]++
	}
	each(buyers, func(b *buyer) {
		if b.method != "" {
			a := insist(t, s.Caller, paying(*b))
			if !slices.Contains([]int{http.StatusCreated, http.StatusAccepted, http.StatusPaymentRequired}, a.Status) {
				t.Errorf("a payment by %s: got %d %s", b.method, a.Status, a.Body)
			}
			if b.method == simulator.MethodRefundFails && b.capture == automatic && a.Status == http.StatusCreated {
				s.wantAnswer(t, s.refunding(t, member(t, a, "id"), 1), http.StatusCreated, http.StatusAccepted)
			}
		}
		if b.cancels {
			s.wantAnswer(t, cancelling(*b), http.StatusOK, http.StatusAccepted)
		}
	})
	return used
}

// wantAnswer insists on an answer with one of the statuses.
func (s *shop) wantAnswer(t *testing.T, r suite.Request, statuses ...int) {
	t.Helper()
	if a := insist(t, s.Caller, r); !slices.Contains(statuses, a.Status) {
		t.Errorf("%s %s: got %d %s", r.Method, r.Path, a.Status, a.Body)
	}
}

// wantReleased lets the time of the open orders be over, and runs the function that releases their stock while it is
// killed and its writes fail. Its next run has to release what is left.
func (s *shop) wantReleased(t *testing.T, statuses map[string]string, weather *storm, folder string) {
	t.Helper()
	open := 0
	for id, status := range statuses {
		if status == "pending_payment" {
			expire(t, s.table, id)
			open++
		}
	}
	if open == 0 {
		t.Error("no order is left to expire")
	}
	weather.rages.Store(true)
	stopKilling := killFunctions(100*time.Millisecond, folder, "expire-orders")
	for range 3 {
		if err := s.Pump().Fire(t.Context(), "expire-orders"); err != nil {
			t.Logf("expire-orders in the storm: %v", err)
		}
	}
	killed := stopKilling()
	weather.rages.Store(false)
	if err := s.Pump().Fire(t.Context(), "expire-orders"); err != nil || killed == 0 {
		t.Errorf("expire-orders after %d kills: %v", killed, err)
	}
	s.idle(t)
}

// wantConserved waits until every paid order is confirmed, and compares the stock with the orders and with the
// reservations. It returns the status of each order.
func (s *shop) wantConserved(t *testing.T, buyers []buyer, products map[string]suite.Product) map[string]string {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		want, waiting := map[string]suite.Inventory{}, 0
		statuses := map[string]string{}
		for _, b := range buyers {
			if b.order == "" {
				continue
			}
			o := readOrder(t, s.Caller, b)
			statuses[b.order] = o.Status
			if o.Status == "pending_payment" && o.PaymentStatus != "none" && o.PaymentStatus != "declined" {
				waiting++
			}
			for _, sku := range b.skus {
				stock := want[sku]
				switch o.Status {
				case "pending_payment":
					stock.Reserved++
				case "confirmed":
					stock.Sold++
				case "cancelled", "expired":
				default:
					t.Errorf("an order is %s", o.Status)
				}
				want[sku] = stock
			}
		}
		got, held := map[string]suite.Inventory{}, s.held(t)
		reserved := map[string]int64{}
		for sku, p := range products {
			stock := s.Stock(t, p)
			got[sku] = suite.Inventory{Available: stock.Available, Reserved: stock.Reserved, Sold: stock.Sold}
			w := want[sku]
			want[sku] = suite.Inventory{Available: stockOfEach - w.Reserved - w.Sold, Reserved: w.Reserved, Sold: w.Sold}
			if stock.Reserved > 0 {
				reserved[p.ID] = stock.Reserved
			}
		}
		diff := cmp.Diff(want, got) + cmp.Diff(held, reserved)
		if waiting == 0 && diff == "" {
			return statuses
		}
		if time.Now().After(deadline) {
			t.Errorf("%d paid orders are not confirmed; stock (-orders, -reservations +stock):\n%s", waiting, diff)
			return statuses
		}
		time.Sleep(time.Second)
	}
}

// held adds up the pieces of the reservations that hold any, by product.
func (s *shop) held(t *testing.T) map[string]int64 {
	t.Helper()
	sums := map[string]int64{}
	for key, item := range s.items(t) {
		if pieces, ok := item["pieces"].([]any); ok && strings.HasSuffix(key, " RES") && item["state"] == string(orders.Held) {
			for _, p := range pieces {
				reserved := p.(map[string]any)
				sums[reserved["product_id"].(string)] += int64(reserved["quantity"].(float64))
			}
		}
	}
	return sums
}

// order is what the test reads of an order.
type order struct {
	Status        string `json:"status"`
	PaymentStatus string `json:"payment_status"`
}

func readOrder(t *testing.T, c *suite.Caller, b buyer) order {
	t.Helper()
	a := insist(t, c, suite.Request{Method: http.MethodGet, Path: "/v1/orders/" + b.order, Token: b.token})
	var o order
	if err := json.Unmarshal(a.Body, &o); err != nil || a.Status != http.StatusOK {
		t.Errorf("the order of a buyer: got %d %s", a.Status, a.Body)
	}
	return o
}

// each calls f for every buyer, stormWorkers at once.
func each(buyers []buyer, f func(*buyer)) {
	next := make(chan *buyer)
	var group sync.WaitGroup
	for range stormWorkers {
		group.Go(func() {
			for b := range next {
				f(b)
			}
		})
	}
	for i := range buyers {
		next <- &buyers[i]
	}
	close(next)
	group.Wait()
}

func ordering(b buyer) suite.Request {
	lines := make([]string, len(b.skus))
	for i, sku := range b.skus {
		lines[i] = fmt.Sprintf(`{"sku":%q,"quantity":1}`, sku)
	}
	return suite.Request{
		Method: http.MethodPost, Path: "/v1/orders", Token: b.token, Header: map[string]string{"Idempotency-Key": b.key},
		Body: `{"lines":[` + strings.Join(lines, ",") + `],"ship_to":{"name":"Ana","line1":"Calle Mayor 1","city":"Madrid","postal_code":"28013","country":"ES"}}`,
	}
}

func paying(b buyer) suite.Request {
	return suite.Request{
		Method: http.MethodPost, Path: "/v1/orders/" + b.order + "/payments", Token: b.token,
		Header: map[string]string{"Idempotency-Key": "pay-" + b.key}, Body: fmt.Sprintf(`{"payment_method":%q,"capture":%q}`, b.method, b.capture),
	}
}

func cancelling(b buyer) suite.Request {
	return suite.Request{
		Method: http.MethodPost, Path: "/v1/orders/" + b.order + "/cancel", Token: b.token,
		Header: map[string]string{"Idempotency-Key": "cancel-" + b.key}, Body: `{}`,
	}
}

// member returns a text of an answer's document.
func member(t *testing.T, a suite.Answer, name string) string {
	t.Helper()
	document := map[string]any{}
	if err := json.Unmarshal(a.Body, &document); err != nil {
		t.Fatal(err)
	}
	text, _ := document[name].(string)
	return text
}
