package redrive_test

import (
	"encoding/json"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/local/queues"
	"github.com/tienda-dev/tienda/local/redrive"
	"github.com/tienda-dev/tienda/shared/awsclient"
	"github.com/tienda-dev/tienda/shared/outbox"
	"github.com/tienda-dev/tienda/shared/outbox/outboxtest"
)

// letter is a stream record as dispatch-events buries it.
func letter(t *testing.T, e outbox.Event) string {
	t.Helper()
	text, err := json.Marshal(outboxtest.Stream(t, "O#a", e).Records[0])
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The events in the FailuresQueue go to the queues of their subscribers, here and in a stack on AWS, whose names have a
// prefix. What has no event stays, and the result says why.
func TestFailuresAreSentAgain(t *testing.T) {
	t.Parallel()
	cancelled, captured := outboxtest.Event(t, 1, "order.cancelled", "a"), outboxtest.Event(t, 2, "payment.captured", "b")
	const broken = `{"eventName":"INSERT","dynamodb":{"SequenceNumber":"7","Keys":{"PK":{"S":"O#c"},"SK":{"S":"EV#c"}}}}`
	for name, names := range map[string][3]string{
		"Here":  {"FailuresQueue", "OrderEventsQueue.fifo", "PaymentEventsQueue.fifo"},
		"OnAWS": {"shop-FailuresQueue-1A", "shop-OrderEventsQueue-2B.fifo", "shop-PaymentEventsQueue-3C.fifo"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := queues.New(queues.Config{Queues: []queues.Queue{
				{Name: names[0]}, {Name: names[1], FIFO: true}, {Name: names[2], FIFO: true}, {Name: "other-OrderEventsQueue-9.fifo", FIFO: true},
			}})
			if err != nil {
				t.Fatal(err)
			}
			for _, body := range []string{
				letter(t, cancelled), letter(t, captured), broken, "text",
				`{"requestContext":{"functionArn":"a"},"DDBStreamBatchInfo":{"shardId":"s","startSequenceNumber":"1","endSequenceNumber":"2"}}`,
				`{"requestContext":{"functionArn":"a"},"requestPayload":{}}`,
			} {
				if _, _, err := s.Send(names[0], queues.Message{Body: body}); err != nil {
					t.Fatal(err)
				}
			}
			server := httptest.NewServer(s)
			t.Cleanup(server.Close)
			cfg := redrive.Config{
				Config:   awsclient.Config{Region: "us-east-1", AccessKeyID: "local", SecretAccessKey: "local", HTTP: server.Client()},
				Endpoint: server.URL,
			}
			got, err := redrive.Redrive(t.Context(), cfg, names[0])
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(got.Kept)
			want := redrive.Result{Queue: names[0], Messages: 6, Left: 4, Kept: []string{
				"a message: it is neither a record nor an invocation",
				"an invocation of a schedule: the next one does its work: delete it",
				"records 1 to 2 of s: the message has only their place in the stream",
				"the item O#c EV#c: read stream record: the item has no event",
			}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
			wantIDs(t, s, names[1], cancelled.ID, captured.ID)
			wantIDs(t, s, names[2], cancelled.ID)
			if depth, err := s.Depth(names[0]); err != nil || depth.All() != 4 {
				t.Errorf("%d messages are left (%v), want 4", depth.All(), err)
			}
		})
	}
}

// wantIDs compares the messages of a queue, which are events in the group of their subject.
func wantIDs(t *testing.T, s *queues.Server, queue string, want ...string) {
	t.Helper()
	received, err := s.Receive(queue, 10, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range received {
		if !strings.Contains(m.Body, `"subject":"`+m.Group+`"`) {
			t.Errorf("the group %s has %s", m.Group, m.Body)
		}
		got = append(got, m.Deduplication)
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", queue, diff)
	}
}

// An event that a subscriber's queue does not take stays.
func TestFailureThatFailsAgainStays(t *testing.T) {
	t.Parallel()
	s, err := queues.New(queues.Config{Queues: []queues.Queue{{Name: "FailuresQueue"}, {Name: "OrderEventsQueue.fifo", FIFO: true}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Send("FailuresQueue", queues.Message{Body: letter(t, outboxtest.Event(t, 1, "order.cancelled", "a"))}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	got, err := redrive.Redrive(t.Context(), redrive.Config{
		Config:   awsclient.Config{Region: "us-east-1", AccessKeyID: "local", SecretAccessKey: "local", HTTP: server.Client()},
		Endpoint: server.URL,
	}, "FailuresQueue")
	if err != nil || got.Left != 1 || len(got.Kept) != 1 || !strings.Contains(got.Kept[0], "no queue is named PaymentEventsQueue") {
		t.Errorf("got %+v, %v", got, err)
	}
}
