package queuetest_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/queue"
	"github.com/tienda-dev/tienda/shared/queue/queuetest"
)

var _ queue.Sender = (*queuetest.Queue)(nil)

func bodies(q *queuetest.Queue) []string {
	got := []string{}
	for _, m := range q.Messages() {
		got = append(got, m.Body)
	}
	return got
}

func send(t *testing.T, q *queuetest.Queue, messages ...queue.Message) {
	t.Helper()
	if err := q.Send(t.Context(), messages); err != nil {
		t.Fatal(err)
	}
}

func TestAFIFOQueueDropsRepeatedMessages(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fifo bool
		want []string
	}{"FIFO": {true, []string{"a", "b"}}, "Standard": {false, []string{"a", "a", "b"}}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := &queuetest.Queue{FIFO: tt.fifo}
			a, b := queue.Message{Body: "a", Group: "g", Dedup: "1"}, queue.Message{Body: "b", Group: "g", Dedup: "2"}
			send(t, q, a, a, b)
			if diff := cmp.Diff(tt.want, bodies(q)); diff != "" {
				t.Errorf("messages (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRefusedMessagesFail(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	q := &queuetest.Queue{Refuse: func(m queue.Message) error {
		if m.Body == "bad" {
			return refused
		}
		return nil
	}}
	err := q.Send(t.Context(), []queue.Message{{Body: "good"}, {Body: "bad"}})
	var partial *queue.PartialError
	if !errors.As(err, &partial) || !errors.Is(partial.Failed[1], refused) || len(partial.Failed) != 1 {
		t.Errorf("error = %v, want that of message 1", err)
	}
}

// fails returns a handler that reports the messages of a body.
func fails(body string) queuetest.Handler {
	return func(_ context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
		var out events.SQSEventResponse
		for _, m := range event.Records {
			if m.Body == body {
				out.BatchItemFailures = append(out.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
			}
		}
		return out, nil
	}
}

func TestAFailedMessageIsDeliveredAgainAndThenDead(t *testing.T) {
	t.Parallel()
	dead := &queuetest.Queue{}
	q := &queuetest.Queue{MaxReceives: 2, DeadLetters: dead}
	send(t, q, queue.Message{Body: "good"}, queue.Message{Body: "bad"})

	for step, want := range []struct{ left, dead []string }{
		{[]string{"bad"}, []string{}},
		{[]string{}, []string{"bad"}},
	} {
		if _, err := q.Deliver(t.Context(), 10, fails("bad")); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([][]string{want.left, want.dead}, [][]string{bodies(q), bodies(dead)}); diff != "" {
			t.Errorf("delivery %d: left and dead (-want +got):\n%s", step+1, diff)
		}
	}
	if n, err := q.Deliver(t.Context(), 10, fails("bad")); n != 0 || err != nil {
		t.Errorf("an empty queue delivered %d, %v", n, err)
	}
	dead.Redrive(q)
	if diff := cmp.Diff([][]string{{"bad"}, {}}, [][]string{bodies(q), bodies(dead)}); diff != "" {
		t.Errorf("after the redrive: queue and dead letters (-want +got):\n%s", diff)
	}
}

func TestAnErrorFailsTheWholeBatch(t *testing.T) {
	t.Parallel()
	q := &queuetest.Queue{}
	send(t, q, queue.Message{Body: "a"}, queue.Message{Body: "b"})
	broken := errors.New("broken")
	n, err := q.Deliver(t.Context(), 10, func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) {
		return events.SQSEventResponse{}, broken
	})
	if n != 2 || !errors.Is(err, broken) {
		t.Errorf("delivered %d, %v", n, err)
	}
	if diff := cmp.Diff([]string{"a", "b"}, bodies(q)); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
}
