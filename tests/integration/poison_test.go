//go:build integration

package integration_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/oklog/ulid/v2"

	"github.com/tienda-dev/tienda/local/redrive"
	"github.com/tienda-dev/tienda/shared/batch"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/outbox/outboxddb"
	"github.com/tienda-dev/tienda/tests/suite"
)

// put writes an item into the commerce table, which no function would write.
func (s *shop) put(t *testing.T, values map[string]string) {
	t.Helper()
	item := ddb.Item{}
	for name, value := range values {
		item[name] = &types.AttributeValueMemberS{Value: value}
	}
	if err := ddb.Commit(t.Context(), s.table.Client(), s.table.Put(item)); err != nil {
		t.Fatal(err)
	}
}

// failures returns the messages of the FailuresQueue, and leaves them in it.
func (s *shop) failures(t *testing.T) []string {
	t.Helper()
	received, err := s.Queues.Receive("FailuresQueue", 10, 0)
	if err != nil {
		t.Fatal(err)
	}
	var bodies []string
	for _, m := range received {
		bodies = append(bodies, m.Attributes[batch.AttrRecord].StringValue+" "+m.Body)
	}
	return bodies
}

// A broken event goes from the table over the stream and the dispatcher to the failures, and holds neither its own order nor
// the ones behind it; a redrive leaves it there. A check of the invariants that finds a violation is one more message there,
// which raises an alarm.
func TestPoisonInTheStreamGoesToTheFailures(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	p := s.Create(t, suite.NewProduct())
	s.Move(t, p, 5)
	own := s.order(t, p, "")
	poison := map[string]string{
		ddb.AttrPK: "O#" + own.id, ddb.AttrSK: outboxddb.SortKeyPrefix + ulid.Make().String(), outboxddb.AttrEvent: `{"broken":`,
	}
	s.put(t, poison)
	if a := s.Do(t, paying(buyer{token: own.token, key: own.id, order: own.id, method: "pm_card_visa", capture: "automatic"})); a.Status != http.StatusCreated {
		t.Fatalf("a payment: got %d %s", a.Status, a.Body)
	}
	later := s.order(t, p, "automatic")
	s.idle(t)
	for name, o := range map[string]sale{"its own": own, "a later": later} {
		if got := s.status(t, o); got != "confirmed captured" {
			t.Errorf("%s order is %q", name, got)
		}
	}
	letters := s.failures(t)
	if len(letters) != 1 || !strings.Contains(letters[0], poison[ddb.AttrSK]) || strings.HasPrefix(letters[0], " ") {
		t.Fatalf("the failures are %q, want the record of the broken event", letters)
	}
	if n := s.deadLetters(t, "OrderEventsDeadLetters") + s.deadLetters(t, "PaymentEventsDeadLetters"); n != 0 {
		t.Errorf("%d dead letters of the queues, want none", n)
	}

	moved, err := redrive.Redrive(t.Context(), redrive.Config{Config: s.caller, Endpoint: s.SQS}, "FailuresQueue")
	if err != nil || moved.Messages != 1 || moved.Left != 1 || !strings.Contains(moved.Kept[0], poison[ddb.AttrSK]) {
		t.Errorf("the redrive: %+v, %v; want the message to stay", moved, err)
	}

	s.spoil(t, p)
	if err := s.Pump().Fire(t.Context(), "check-invariants"); err == nil || !strings.Contains(err.Error(), "1 are broken") {
		t.Errorf("check-invariants: %v, want one broken rule", err)
	}
	s.idle(t)
	if n := s.deadLetters(t, "FailuresQueue"); n != 2 {
		t.Errorf("%d failures, want the poison and the violation", n)
	}
}

// spoil takes a piece out of the stock that no order has.
func (s *shop) spoil(t *testing.T, p suite.Product) {
	t.Helper()
	change := expression.Add(expression.Name("available"), expression.Value(-1))
	if _, done, err := s.table.UpdateIf(t.Context(), ddb.Key{PK: "STK#" + p.ID, SK: "S"}, change, ddb.Present()); err != nil || !done {
		t.Fatalf("the stock was not changed: %v", err)
	}
}
