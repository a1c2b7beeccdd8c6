package outboxqueue_test

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/batch"
	"github.com/tienda-dev/tienda/shared/outbox"
	"github.com/tienda-dev/tienda/shared/outbox/outboxqueue"
	"github.com/tienda-dev/tienda/shared/outbox/outboxtest"
	"github.com/tienda-dev/tienda/shared/queue"
	"github.com/tienda-dev/tienda/shared/queue/queuetest"
)

func message(t *testing.T, e outbox.Event) queue.Message {
	t.Helper()
	body, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return queue.Message{Body: string(body), Group: e.Subject, Dedup: e.ID}
}

func send(t *testing.T, q *queuetest.Queue, messages ...queue.Message) {
	t.Helper()
	if err := q.Send(t.Context(), messages); err != nil {
		t.Fatal(err)
	}
}

// drain delivers until the queue is empty, at most so many times.
func drain(t *testing.T, q *queuetest.Queue, f outboxqueue.Function, most int) {
	t.Helper()
	for range most {
		n, err := q.Deliver(t.Context(), 10, f)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
	if left := len(q.Messages()); left > 0 {
		t.Fatalf("%d messages are left after %d deliveries", left, most)
	}
}

// An effect that is committed together with its record of consumption happens once, although the whole log
// comes twice and in any order.
func TestEveryEventHasItsEffectOnce(t *testing.T) {
	t.Parallel()
	var log []outbox.Event
	for i := range 60 {
		log = append(log, outboxtest.Event(t, i, "order.created", string(rune('a'+i%7))))
	}
	for seed := range uint64(3) {
		inbox, effects := &outboxtest.Memory{}, map[string]int{}
		f := outboxqueue.Consume(func(ctx context.Context, e outbox.Event) error {
			if err := inbox.Consume(ctx, "counter", e, e.Time); err != nil {
				return err
			}
			effects[e.ID]++
			return nil
		}, batch.Config{})

		twice := append(append([]outbox.Event(nil), log...), log...)
		random := rand.New(rand.NewPCG(seed, seed))
		random.Shuffle(len(twice), func(i, j int) { twice[i], twice[j] = twice[j], twice[i] })
		q := &queuetest.Queue{}
		for _, e := range twice {
			send(t, q, message(t, e))
		}
		drain(t, q, f, len(twice))

		want := map[string]int{}
		for _, e := range log {
			want[e.ID] = 1
		}
		if diff := cmp.Diff(want, effects); diff != "" {
			t.Errorf("seed %d: effects (-want +got):\n%s", seed, diff)
		}
	}
}

// Poison is out of the way at once. A message that keeps failing holds its own group only, and for as many
// deliveries as the queue allows.
func TestPoisonHoldsNobodyElse(t *testing.T) {
	t.Parallel()
	dead := &queuetest.Queue{FIFO: true}
	q := &queuetest.Queue{FIFO: true, MaxReceives: 3, DeadLetters: dead}
	failing, behind := outboxtest.Event(t, 1, "order.created", "a"), outboxtest.Event(t, 2, "order.confirmed", "a")
	other := outboxtest.Event(t, 3, "order.created", "b")
	var handled []string
	healed := false
	f := outboxqueue.Consume(func(_ context.Context, e outbox.Event) error {
		if e.ID == failing.ID && !healed {
			return errors.New("fails")
		}
		handled = append(handled, e.ID)
		return nil
	}, batch.Config{DeadLetters: dead})
	send(t, q, queue.Message{Body: "poison", Group: "b", Dedup: "p"}, message(t, failing), message(t, behind), message(t, other))

	deliver := func() {
		t.Helper()
		if _, err := q.Deliver(t.Context(), 10, f); err != nil {
			t.Fatal(err)
		}
	}
	deliver()
	if diff := cmp.Diff([]string{other.ID}, handled); diff != "" {
		t.Fatalf("handled at once (-want +got):\n%s", diff)
	}
	if got := dead.Messages(); len(got) != 1 || got[0].Body != "poison" || got[0].Group != "b" {
		t.Fatalf("dead letters: %+v", got)
	}
	deliver()
	deliver()
	healed = true
	dead.Redrive(q)
	drain(t, q, f, 10)
	// The message behind it was delivered as often and failed with it, so that both are redriven, in order.
	if diff := cmp.Diff([]string{other.ID, failing.ID, behind.ID}, handled); diff != "" {
		t.Errorf("handled after the redrive (-want +got):\n%s", diff)
	}
}

func TestConsumeNeedsAHandler(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("nil was accepted")
		}
	}()
	outboxqueue.Consume(nil, batch.Config{})
}
