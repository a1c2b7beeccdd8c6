//go:build integration

package integration_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/local/pump"
	"github.com/tienda-dev/tienda/local/simulator"
	"github.com/tienda-dev/tienda/local/stack"
	"github.com/tienda-dev/tienda/shared/awsclient"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/outbox"
	"github.com/tienda-dev/tienda/shared/queue"
	"github.com/tienda-dev/tienda/shared/queue/queueaws"
	"github.com/tienda-dev/tienda/tests/suite"
)

// shop is a stack with its own database, whose events nobody else reads.
type shop struct {
	*stack.Stack
	*suite.Caller

	caller awsclient.Config
	table  *ddb.Table
}

func openShop(t *testing.T, changes ...func(*stack.Options)) *shop {
	t.Helper()
	own := func(o *stack.Options) { o.DynamoDBEndpoint, o.NoEvents, o.RetryDelay = "", false, 20*time.Millisecond }
	return shopOf(t, start(t, append(changes, own)...))
}

// shopOf is the shop of a stack that runs.
func shopOf(t *testing.T, s *stack.Stack) *shop {
	t.Helper()
	caller := awsclient.Config{Region: "eu-central-1", AccessKeyID: "local", SecretAccessKey: "local"}
	client, err := ddb.Open(ddb.Config{Config: caller, Endpoint: s.Endpoint})
	if err != nil {
		t.Fatal(err)
	}
	return &shop{Stack: s, Caller: suite.New(target(t, s)), caller: caller, table: ddb.NewTable(client, s.Tables["CommerceTable"])}
}

// idle waits until every event is worked off.
func (s *shop) idle(t *testing.T) {
	t.Helper()
	if err := s.Idle(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// sale is an order with all that events may change of it.
type sale struct {
	token, id string
	payment   string // its id; empty without one
	total     suite.Price
}

// order makes an order of one piece and pays it, with an automatic or a manual capture; empty leaves it unpaid.
func (s *shop) order(t *testing.T, p suite.Product, capture string) sale {
	t.Helper()
	token := s.Buyer(t)
	o := s.Order(t, token, suite.Wanting(1, p))
	made := sale{token: token, id: o.ID, total: o.Total}
	if capture != "" {
		made.payment = s.Pay(t, token, o, simulator.MethodVisa, capture).ID
	}
	return made
}

func (s *shop) cancel(t *testing.T, o sale) {
	t.Helper()
	if a := s.Do(t, suite.Cancelling(o.token, o.id, `{}`)); a.Status != http.StatusOK && a.Status != http.StatusAccepted {
		t.Fatalf("a cancellation: got %d %s", a.Status, a.Body)
	}
}

// status returns an order's status and that of its payment.
func (s *shop) status(t *testing.T, o sale) string {
	t.Helper()
	read := s.ReadOrder(t, o.token, o.id)
	return read.Status + " " + read.PaymentStatus
}

// items returns every item of the commerce table by its key, without the records of consumed events, of
// idempotency keys and of the provider's notifications, which arrive when they like.
func (s *shop) items(t *testing.T) map[string]map[string]any {
	t.Helper()
	found := map[string]map[string]any{}
	name := s.table.Name()
	pages := dynamodb.NewScanPaginator(s.table.Client().SDK(), &dynamodb.ScanInput{TableName: &name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			key, _ := ddb.KeyOf(item)
			kind, _, _ := strings.Cut(key.PK, "#")
			if slices.Contains([]string{"IN", "ID", "WH"}, kind) {
				continue
			}
			values := map[string]any{}
			if err := ddb.Decode(item, &values); err != nil {
				t.Fatal(err)
			}
			found[key.PK+" "+key.SK] = values
		}
	}
	return found
}

// log returns every event of the table, oldest first.
func (s *shop) log(t *testing.T) []outbox.Event {
	t.Helper()
	var events []outbox.Event
	for key, item := range s.items(t) {
		text, ok := item["event"].(string)
		if !ok {
			continue
		}
		var e outbox.Event
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			t.Fatalf("%s: %v", key, err)
		}
		events = append(events, e)
	}
	slices.SortFunc(events, func(a, b outbox.Event) int { return strings.Compare(a.ID, b.ID) })
	return events
}

// send sends messages to a queue of the stack.
func (s *shop) send(t *testing.T, logicalID string, messages ...queue.Message) {
	t.Helper()
	client, err := queueaws.New(queueaws.Config{Config: s.caller, Endpoint: s.SQS})
	if err != nil {
		t.Fatal(err)
	}
	to, err := client.Queue("http://sqs.localhost/123456789012/" + logicalID + ".fifo")
	if err != nil {
		t.Fatal(err)
	}
	if err := to.Send(t.Context(), messages); err != nil {
		t.Fatal(err)
	}
}

// deadLetters counts the messages of a dead-letter queue.
func (s *shop) deadLetters(t *testing.T, logicalID string) int {
	t.Helper()
	depth, err := s.Depth(logicalID)
	if err != nil {
		t.Fatal(err)
	}
	return depth.All()
}

// One event goes from the transaction over the stream, the dispatcher and the queue to the worker.
func TestEventsReachTheirWorkers(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	p := s.Create(t, suite.NewProduct())
	s.Move(t, p, 5)

	paid, cancelled := s.order(t, p, automatic), s.order(t, p, automatic)
	s.idle(t)
	s.cancel(t, cancelled)
	s.idle(t)
	got := map[string]string{"paid": s.status(t, paid), "cancelled": s.status(t, cancelled)}
	if diff := cmp.Diff(map[string]string{"paid": "confirmed captured", "cancelled": "cancelled refunded"}, got); diff != "" {
		t.Errorf("orders (-want +got):\n%s", diff)
	}
	if stock := s.Stock(t, p); stock.Available != 4 || stock.Reserved != 0 || stock.Sold != 1 {
		t.Errorf("stock %+v, want 4, 0 and 1", stock)
	}
	for _, id := range []string{"OrderEventsDeadLetters", "PaymentEventsDeadLetters", "FailuresQueue"} {
		if n := s.deadLetters(t, id); n != 0 {
			t.Errorf("%s has %d messages", id, n)
		}
	}
	if err := s.Pump().Fire(t.Context(), "check-invariants"); err != nil {
		t.Errorf("check-invariants: %v", err)
	}
}

// The whole log twice, in any order, changes nothing that happened, whether its effects exist already or not.
func TestReplayedEventsChangeNothing(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	p := s.Create(t, suite.NewProduct())
	s.Move(t, p, 100)
	for seed := range uint64(3) {
		random := rand.New(rand.NewPCG(seed, 7))
		var sales []sale
		s.shuffled(t, random, fmt.Sprintf("ordered-%d", seed), func() {
			for _, capture := range []string{"", automatic, automatic, manual, "", automatic, automatic} {
				sales = append(sales, s.order(t, p, capture))
			}
			s.cancel(t, sales[2])
			s.cancel(t, sales[6])
		})
		s.shuffled(t, random, fmt.Sprintf("delivered-%d", seed), func() {
			s.deliver(t, sales[3])
			s.refund(t, sales[5], 1)
		})
		var got []string
		for _, o := range sales {
			got = append(got, s.status(t, o))
		}
		want := []string{
			"pending_payment none", "confirmed captured", "cancelled refunded", "delivered captured",
			"pending_payment none", "confirmed partially_refunded", "cancelled refunded",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("seed %d: orders (-want +got):\n%s", seed, diff)
		}

		before, counts := s.items(t), s.counts(t)
		s.replay(t, random, s.log(t), fmt.Sprintf("again-%d", seed))
		s.idle(t)
		if diff := cmp.Diff(before, s.items(t)); diff != "" {
			t.Errorf("seed %d: items after the replay (-before +after):\n%s", seed, diff)
		}
		if diff := cmp.Diff(counts, s.counts(t)); diff != "" {
			t.Errorf("seed %d: counts after the replay (-before +after):\n%s", seed, diff)
		}
	}
	// Per seed: two orders hold a piece, three have sold one, two have given theirs back.
	if stock := s.Stock(t, p); stock.Available != 85 || stock.Reserved != 6 || stock.Sold != 9 {
		t.Errorf("stock %+v, want 85, 6 and 9", stock)
	}
	if n := s.deadLetters(t, "OrderEventsDeadLetters") + s.deadLetters(t, "PaymentEventsDeadLetters"); n != 0 {
		t.Errorf("%d dead letters", n)
	}
	s.wantLedger(t, s.accounts(t))
}

// shuffled does what makes events while none is delivered. They then come shuffled, twice, each in a group of its own;
// the stream brings them a third time, and every second delivery is made twice.
func (s *shop) shuffled(t *testing.T, random *rand.Rand, run string, do func()) {
	t.Helper()
	first := len(s.log(t))
	s.Pump().Pause()
	do()
	s.replay(t, random, s.log(t)[first:], run)
	var deliveries atomic.Int64
	s.Pump().SetFault(func(pump.Delivery) pump.Fault {
		if deliveries.Add(1)%2 == 0 {
			return pump.Twice
		}
		return pump.NoFault
	})
	s.Pump().Resume()
	s.idle(t)
	s.Pump().SetFault(nil)
}

// replay sends the events to both queues, each twice, shuffled, in groups of their own.
func (s *shop) replay(t *testing.T, random *rand.Rand, events []outbox.Event, run string) {
	t.Helper()
	var messages []queue.Message
	for i, e := range append(slices.Clone(events), events...) {
		body, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		id := run + "-" + strconv.Itoa(i)
		messages = append(messages, queue.Message{Body: string(body), Group: id, Dedup: id})
	}
	for _, to := range []string{"OrderEventsQueue", "PaymentEventsQueue"} {
		random.Shuffle(len(messages), func(i, j int) { messages[i], messages[j] = messages[j], messages[i] })
		s.send(t, to, messages...)
	}
}

// counts returns the business metrics, once they no longer change: functions send them a moment after their answer.
func (s *shop) counts(t *testing.T) []string {
	t.Helper()
	var before []string
	for {
		now := s.metrics(t)
		if slices.ContainsFunc(now, func(line string) bool { return strings.HasPrefix(line, "shop_order_placed") }) && slices.Equal(before, now) {
			return now
		}
		before = now
		select {
		case <-t.Context().Done():
			t.Fatal("the metrics have no orders, or do not settle")
		case <-time.After(time.Second):
		}
	}
}

func (s *shop) metrics(t *testing.T) []string {
	t.Helper()
	client := suite.NewClient()
	defer client.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("metrics: got %d (%v)", answer.StatusCode, err)
	}
	var lines []string
	for line := range bytes.Lines(text) {
		if line := string(line); strings.HasPrefix(line, "shop_") {
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return lines
}

// Poison and failing events hold no other order. What failed goes on after a redrive.
func TestDeadLettersHoldNobodyAndAreRedriven(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	p := s.Create(t, suite.NewProduct())
	s.Move(t, p, 5)
	s.Pump().Pause()
	failing := s.order(t, p, automatic)
	s.Pump().SetFault(func(d pump.Delivery) pump.Fault {
		if d.Function == "advance-orders" && bytes.Contains(d.Payload, []byte(failing.id)) {
			return pump.Lost
		}
		return pump.NoFault
	})
	s.Pump().Resume()
	s.idle(t)
	failed := s.deadLetters(t, "OrderEventsDeadLetters")
	if got := s.status(t, failing); got != "pending_payment captured" || failed == 0 {
		t.Fatalf("%d dead letters, and the order is %q", failed, got)
	}

	other := s.order(t, p, "")
	s.send(t, "OrderEventsQueue", queue.Message{Body: "poison", Group: other.id, Dedup: "poison"})
	if a := s.Do(t, suite.Paying(other.token, other.id, simulator.MethodVisa, automatic)); a.Status != http.StatusCreated {
		t.Fatalf("a payment: got %d %s", a.Status, a.Body)
	}
	s.idle(t)
	if got := s.status(t, other); got != "confirmed captured" {
		t.Errorf("the other order is %q", got)
	}
	if n := s.deadLetters(t, "OrderEventsDeadLetters"); n != failed+1 {
		t.Errorf("%d dead letters, want %d and the poison", n, failed)
	}

	s.Pump().SetFault(nil)
	moved, err := s.Redrive("OrderEventsDeadLetters")
	if err != nil {
		t.Fatal(err)
	}
	s.idle(t)
	if moved < failed {
		t.Errorf("%d dead letters were moved, want %d", moved, failed)
	}
	if got := s.status(t, failing); got != "confirmed captured" {
		t.Errorf("after the redrive the order is %q", got)
	}
	if n := s.deadLetters(t, "OrderEventsDeadLetters"); n != 1 {
		t.Errorf("%d dead letters after the redrive, want the poison", n)
	}
}
