package payments_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/shared/outbox"
	"github.com/tienda-dev/tienda/shared/outbox/outboxtest"
	"github.com/tienda-dev/tienda/shared/queue"
	"github.com/tienda-dev/tienda/shared/queue/queuetest"
)

var errProvider = errors.New("the provider is away")

// settles returns the error of its map for an event's subject.
type settles map[string]error

func (s settles) Settle(_ context.Context, e outbox.Event) error { return s[e.Subject] }

func TestSettlePaymentsSortsFailures(t *testing.T) {
	t.Parallel()
	worker := settles{"uncharged": fmt.Errorf("settle: %w", payments.ErrUncharged), "unreturned": payments.ErrUnreturned, "unknown": fmt.Errorf("settle: %w", payments.ErrOrderNotFound), "busy": errProvider, "repeated": outbox.ErrConsumed}
	dead, q := &queuetest.Queue{FIFO: true}, &queuetest.Queue{FIFO: true}
	messages := []queue.Message{{Body: "no event", Group: "x", Dedup: "x"}}
	for i, subject := range []string{"uncharged", "unreturned", "unknown", "busy", "repeated", "fine"} {
		e := outboxtest.Event(t, i, "order.cancelled", subject)
		body, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, queue.Message{Body: string(body), Group: subject, Dedup: e.ID})
	}
	if err := q.Send(t.Context(), messages); err != nil {
		t.Fatal(err)
	}
	if _, err := q.Deliver(t.Context(), 10, payments.SettlePayments(worker, dead)); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		queue *queuetest.Queue
		want  []string
	}{"DeliveredAgain": {q, []string{"busy"}}, "DeadLetters": {dead, []string{"uncharged", "unknown", "unreturned", "x"}}} {
		var got []string
		for _, m := range tt.queue.Messages() {
			got = append(got, m.Group)
		}
		slices.Sort(got)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

type reconciles struct{ err error }

func (r reconciles) Reconcile(context.Context) error { return r.err }

func TestReconcilePaymentsReportsFailures(t *testing.T) {
	t.Parallel()
	for _, want := range []error{nil, errProvider} {
		if _, err := payments.ReconcilePayments(reconciles{want})(t.Context(), events.EventBridgeEvent{}); !errors.Is(err, want) {
			t.Errorf("error = %v, want %v", err, want)
		}
	}
}
