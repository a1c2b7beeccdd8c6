package events_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/events"
	"github.com/tienda-dev/tienda/shared/outbox/outboxtest"
	"github.com/tienda-dev/tienda/shared/queue"
	"github.com/tienda-dev/tienda/shared/queue/queuetest"
)

func config() events.Config {
	return events.Config{OrderEvents: "orders", PaymentEvents: "payments", Failures: "failures"}
}

// opener returns the queues by their URLs, and what opens them.
func opener() (map[string]*queuetest.Queue, func(string) (queue.Sender, error)) {
	queues := map[string]*queuetest.Queue{"orders": {FIFO: true}, "payments": {FIFO: true}, "failures": {}}
	return queues, func(url string) (queue.Sender, error) {
		q, ok := queues[url]
		if !ok {
			return nil, fmt.Errorf("no queue %q", url)
		}
		return q, nil
	}
}

func TestEventsReachTheWorkersThatWaitForThem(t *testing.T) {
	t.Parallel()
	for typ, want := range map[string][]string{
		"order.created":         {"orders"},
		"order.confirmed":       {"orders"},
		"order.cancelled":       {"orders", "payments"},
		"order.expired":         {"orders", "payments"},
		"order.payment_refused": {"orders", "payments"},
		"payment.captured":      {"orders"},
		"payment.unknown":       {"orders"},
		"shipment.created":      {"orders", "payments"},
		"shipment.delivered":    {"orders"},
		"product.created":       nil,
	} {
		t.Run(typ, func(t *testing.T) {
			t.Parallel()
			queues, open := opener()
			dispatch, err := events.DispatchEvents(config(), open)
			if err != nil {
				t.Fatal(err)
			}
			e := outboxtest.Event(t, 1, typ, "order")
			out, err := dispatch(t.Context(), outboxtest.Stream(t, "O#order", e))
			if err != nil || len(out.BatchItemFailures) != 0 {
				t.Fatalf("answer %+v, %v", out, err)
			}
			var got []string
			for _, name := range []string{"failures", "orders", "payments"} {
				if len(queues[name].Messages()) > 0 {
					got = append(got, name)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("queues (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEveryQueueMustOpen(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*events.Config){
		"OrderEvents":   func(c *events.Config) { c.OrderEvents = "wrong" },
		"PaymentEvents": func(c *events.Config) { c.PaymentEvents = "wrong" },
		"Failures":      func(c *events.Config) { c.Failures = "wrong" },
	} {
		cfg := config()
		change(&cfg)
		_, open := opener()
		if _, err := events.DispatchEvents(cfg, open); err == nil || errors.Unwrap(err) != nil {
			t.Errorf("%s: error = %v", name, err)
		}
	}
}
