package orders_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/shared/outbox"
	"github.com/tienda-dev/tienda/shared/outbox/outboxtest"
	"github.com/tienda-dev/tienda/shared/queue"
	"github.com/tienda-dev/tienda/shared/queue/queuetest"
)

var errStore = errors.New("the store is away")

// advances returns the error of its map for an event's subject, and records what it was asked.
type advances struct {
	errs map[string]error
	got  []string
}

func (a *advances) Advance(_ context.Context, e outbox.Event) error {
	a.got = append(a.got, e.Subject+" "+e.Type)
	return a.errs[e.Subject]
}

func TestAdvanceOrdersSortsFailures(t *testing.T) {
	t.Parallel()
	a := &advances{errs: map[string]error{"unknown": orders.ErrNotFound, "busy": errStore, "repeated": outbox.ErrConsumed}}
	dead := &queuetest.Queue{FIFO: true}
	q := &queuetest.Queue{FIFO: true}
	messages := []queue.Message{{Body: "no event", Group: "x", Dedup: "x"}}
	for i, subject := range []string{"unknown", "busy", "repeated", "fine"} {
		e := outboxtest.Event(t, i, "payment.captured", subject)
		body, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, queue.Message{Body: string(body), Group: subject, Dedup: e.ID})
	}
	if err := q.Send(t.Context(), messages); err != nil {
		t.Fatal(err)
	}
	if _, err := q.Deliver(t.Context(), 10, orders.AdvanceOrders(lock(a), dead)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"busy"}, groups(q)); diff != "" {
		t.Errorf("delivered again (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"unknown", "x"}, groups(dead)); diff != "" {
		t.Errorf("dead letters (-want +got):\n%s", diff)
	}
	if len(a.got) != 4 {
		t.Errorf("advanced %v, want the four events", a.got)
	}
}

type expires struct {
	orders int
	err    error
}

func (e expires) Expire(context.Context) (int, error) { return e.orders, e.err }

func TestExpireOrdersReportsWhatItEnded(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]expires{"Fine": {3, nil}, "SomeFailed": {2, errStore}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := orders.ExpireOrders(want)(t.Context(), events.EventBridgeEvent{})
			if got.Orders != want.orders || !errors.Is(err, want.err) {
				t.Errorf("got %+v, %v; want %+v", got, err, want)
			}
		})
	}
}

// locked hands one event at a time on.
type locked struct {
	mu   sync.Mutex
	next *advances
}

func lock(a *advances) *locked { return &locked{next: a} }

func (l *locked) Advance(ctx context.Context, e outbox.Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.next.Advance(ctx, e)
}

// groups returns the groups of the messages that a queue has, sorted.
func groups(q *queuetest.Queue) []string {
	found := []string{}
	for _, m := range q.Messages() {
		found = append(found, m.Group)
	}
	slices.Sort(found)
	return found
}
