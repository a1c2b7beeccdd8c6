package outboxstream_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/batch"
	"github.com/tienda-dev/tienda/shared/outbox"
	"github.com/tienda-dev/tienda/shared/outbox/outboxddb"
	"github.com/tienda-dev/tienda/shared/outbox/outboxstream"
	"github.com/tienda-dev/tienda/shared/outbox/outboxtest"
	"github.com/tienda-dev/tienda/shared/queue"
	"github.com/tienda-dev/tienda/shared/queue/queueaws"
	"github.com/tienda-dev/tienda/shared/queue/queuetest"
)

// record is the stream's record of a new item with an event.
func record(t *testing.T, sequence string, e outbox.Event) events.DynamoDBEventRecord {
	t.Helper()
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return raw(sequence, "INSERT", outboxddb.SortKeyPrefix+e.ID, map[string]events.DynamoDBAttributeValue{
		outboxddb.AttrEvent: events.NewStringAttribute(string(text)),
	})
}

func raw(sequence, name, sortKey string, image map[string]events.DynamoDBAttributeValue) events.DynamoDBEventRecord {
	return events.DynamoDBEventRecord{EventName: name, Change: events.DynamoDBStreamRecord{
		SequenceNumber: sequence, NewImage: image,
		Keys: map[string]events.DynamoDBAttributeValue{"PK": events.NewStringAttribute("O#a"), "SK": events.NewStringAttribute(sortKey)},
	}}
}

// fixture is a dispatcher with two queues: payments has the events of payments, all has every event except
// those of type test.unwanted.
type fixture struct{ all, payments, dead queuetest.Queue }

func (f *fixture) config() outboxstream.Config {
	f.all.FIFO, f.payments.FIFO = true, true
	return outboxstream.Config{
		Subscribers: func(e outbox.Event) []string {
			switch {
			case e.Type == "test.unwanted":
				return nil
			case strings.HasPrefix(e.Type, "payment."):
				return []string{"all", "payments"}
			case e.Type == "test.misrouted":
				return []string{"nowhere"}
			}
			return []string{"all"}
		},
		Queues:      map[string]queue.Sender{"all": &f.all, "payments": &f.payments},
		DeadLetters: &f.dead,
	}
}

// dispatch returns the sequence numbers of the records that failed.
func (f *fixture) dispatch(t *testing.T, records ...events.DynamoDBEventRecord) []string {
	t.Helper()
	out, err := outboxstream.Dispatch(f.config())(t.Context(), events.DynamoDBEvent{Records: records})
	if err != nil || out.BatchItemFailures == nil {
		t.Fatalf("answer %+v, %v", out, err)
	}
	failed := []string{}
	for _, item := range out.BatchItemFailures {
		failed = append(failed, item.ItemIdentifier)
	}
	return failed
}

func dedups(q *queuetest.Queue) []string {
	ids := []string{}
	for _, m := range q.Messages() {
		ids = append(ids, m.Dedup)
	}
	return ids
}

func wantIDs(t *testing.T, name string, got []string, want ...outbox.Event) {
	t.Helper()
	ids := []string{}
	for _, e := range want {
		ids = append(ids, e.ID)
	}
	if diff := cmp.Diff(ids, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestEventsGoToTheirSubscribers(t *testing.T) {
	t.Parallel()
	f := &fixture{}
	created := outboxtest.Event(t, 1, "order.created", "a")
	paid := outboxtest.Event(t, 2, "payment.captured", "a")
	unwanted := outboxtest.Event(t, 3, "test.unwanted", "a")
	failed := f.dispatch(
		t, record(t, "1", created), record(t, "2", paid), record(t, "3", unwanted),
		raw("4", "INSERT", "META", nil), raw("5", "REMOVE", "EV#"+created.ID, nil), raw("6", "MODIFY", "EV#"+created.ID, nil),
		events.DynamoDBEventRecord{EventName: "INSERT"},
	)
	if len(failed) != 0 {
		t.Errorf("failed: %v", failed)
	}
	wantIDs(t, "all", dedups(&f.all), created, paid)
	wantIDs(t, "payments", dedups(&f.payments), paid)
	wantIDs(t, "dead letters", dedups(&f.dead))

	m := f.payments.Messages()[0]
	var back outbox.Event
	if err := json.Unmarshal([]byte(m.Body), &back); err != nil || m.Group != "a" {
		t.Fatalf("message %+v: %v", m, err)
	}
	if diff := cmp.Diff(paid, back); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
}

// A queue that refuses one message fails its record and the later ones of its subject, and no other.
func TestARefusedMessageFailsItsRecord(t *testing.T) {
	t.Parallel()
	f := &fixture{}
	a1, b1 := outboxtest.Event(t, 1, "order.created", "a"), outboxtest.Event(t, 2, "order.created", "b")
	a2 := outboxtest.Event(t, 3, "payment.captured", "a")
	busy := true
	f.all.Refuse = func(m queue.Message) error {
		if busy && m.Dedup == a1.ID {
			return &queueaws.EntryError{Code: "InternalError"}
		}
		return nil
	}
	records := []events.DynamoDBEventRecord{record(t, "1", a1), record(t, "2", b1), record(t, "3", a2)}
	if diff := cmp.Diff([]string{"1", "3"}, f.dispatch(t, records...)); diff != "" {
		t.Errorf("failed (-want +got):\n%s", diff)
	}
	wantIDs(t, "all", dedups(&f.all), b1)
	wantIDs(t, "payments", dedups(&f.payments), a2)

	busy = false
	if failed := f.dispatch(t, records...); len(failed) != 0 {
		t.Errorf("failed again: %v", failed)
	}
	wantIDs(t, "all after the repetition", dedups(&f.all), b1, a1, a2)
	wantIDs(t, "payments after the repetition", dedups(&f.payments), a2)
}

func TestPoisonGoesToTheDeadLettersAndHoldsNobody(t *testing.T) {
	t.Parallel()
	good := outboxtest.Event(t, 1, "order.created", "a")
	refused := outboxtest.Event(t, 2, "order.created", "b")
	large := refused
	large.Data = json.RawMessage(`{"canary":"` + strings.Repeat("x", queue.MaxBytes) + `"}`)
	for name, poison := range map[string]events.DynamoDBEventRecord{
		"NoEvent":      raw("1", "INSERT", "EV#x", map[string]events.DynamoDBAttributeValue{}),
		"EventNoText":  raw("1", "INSERT", "EV#x", map[string]events.DynamoDBAttributeValue{"event": events.NewNumberAttribute("1")}),
		"NoCloudEvent": raw("1", "INSERT", "EV#x", map[string]events.DynamoDBAttributeValue{"event": events.NewStringAttribute(`{"canary":1}`)}),
		"SenderFault":  record(t, "1", refused),
		"TooLarge":     record(t, "1", large),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fixture{}
			f.all.Refuse = func(m queue.Message) error {
				if m.Dedup == refused.ID {
					return &queueaws.EntryError{Code: "InvalidMessageContents", SenderFault: true}
				}
				return nil
			}
			if failed := f.dispatch(t, poison, record(t, "2", good)); len(failed) != 0 {
				t.Errorf("failed: %v", failed)
			}
			wantIDs(t, "all", dedups(&f.all), good)
			letters := f.dead.Messages()
			if len(letters) != 1 || letters[0].Attributes[batch.AttrRecord] != "1" {
				t.Fatalf("dead letters: %+v", letters)
			}
			var back events.DynamoDBEventRecord
			if err := json.Unmarshal([]byte(letters[0].Body), &back); err != nil || back.Change.SequenceNumber != "1" {
				t.Errorf("the letter is not the record: %v", err)
			}
		})
	}
}

// The records behind the first failed one come again, and poison gets one dead letter.
func TestPoisonBehindAFailureIsBuriedOnce(t *testing.T) {
	t.Parallel()
	f, busy := &fixture{}, true
	f.all.Refuse = func(queue.Message) error {
		if busy {
			return &queueaws.EntryError{Code: "InternalError"}
		}
		return nil
	}
	records := []events.DynamoDBEventRecord{
		raw("1", "INSERT", "EV#x", nil), record(t, "2", outboxtest.Event(t, 2, "order.created", "a")), raw("3", "INSERT", "EV#y", nil),
	}
	if diff := cmp.Diff([]string{"2", "3"}, f.dispatch(t, records...)); diff != "" {
		t.Errorf("failed (-want +got):\n%s", diff)
	}
	busy = false
	if failed := f.dispatch(t, records[1:]...); len(failed) != 0 {
		t.Errorf("failed again: %v", failed)
	}
	buried := []string{}
	for _, letter := range f.dead.Messages() {
		buried = append(buried, letter.Attributes[batch.AttrRecord])
	}
	if diff := cmp.Diff([]string{"1", "3"}, buried); diff != "" {
		t.Errorf("dead letters (-want +got):\n%s", diff)
	}
}

// slow is a queue that does not answer.
type slow struct{}

func (slow) Send(ctx context.Context, _ []queue.Message) error {
	<-ctx.Done()
	return ctx.Err()
}

// The function answers, and buries, before Lambda stops it.
func TestASlowQueueLeavesTimeForTheAnswer(t *testing.T) {
	t.Parallel()
	f := &fixture{}
	cfg := f.config()
	cfg.Queues["all"] = slow{}
	ctx, cancel := context.WithTimeout(t.Context(), batch.DefaultMargin+50*time.Millisecond)
	defer cancel()
	out, err := outboxstream.Dispatch(cfg)(ctx, events.DynamoDBEvent{Records: []events.DynamoDBEventRecord{
		raw("1", "INSERT", "EV#x", nil), record(t, "2", outboxtest.Event(t, 1, "order.created", "a")),
	}})
	if err != nil || ctx.Err() != nil || len(out.BatchItemFailures) != 1 || out.BatchItemFailures[0].ItemIdentifier != "2" {
		t.Errorf("answer %+v, %v; the context: %v", out, err, ctx.Err())
	}
}

// Nothing is lost when the dead-letter queue refuses, or when the table of subscriptions is wrong.
func TestWhatCannotBeBuriedComesAgain(t *testing.T) {
	t.Parallel()
	f := &fixture{}
	f.dead.Refuse = func(queue.Message) error { return errors.New("down") }
	misrouted := outboxtest.Event(t, 1, "test.misrouted", "a")
	failed := f.dispatch(t, raw("1", "INSERT", "EV#x", nil), record(t, "2", misrouted))
	if diff := cmp.Diff([]string{"1", "2"}, failed); diff != "" {
		t.Errorf("failed (-want +got):\n%s", diff)
	}
}

func TestDispatchNeedsItsConfig(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*outboxstream.Config){
		"Subscribers": func(c *outboxstream.Config) { c.Subscribers = nil },
		"Queues":      func(c *outboxstream.Config) { c.Queues = nil },
		"DeadLetters": func(c *outboxstream.Config) { c.DeadLetters = nil },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: accepted", name)
				}
			}()
			cfg := (&fixture{}).config()
			change(&cfg)
			outboxstream.Dispatch(cfg)
		}()
	}
}
