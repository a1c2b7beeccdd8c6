package outboxtest

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/outbox"
)

// Store is what the suite tests.
type Store interface {
	Append(ctx context.Context, partition string, events ...outbox.Event) error
	Consume(ctx context.Context, consumer string, e outbox.Event, now time.Time) error
	List(ctx context.Context, partition string, limit int, after []byte) ([]outbox.Event, []byte, error)
}

// Time returns a fixed time and so many milliseconds.
func Time(ms int) time.Time {
	return time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(ms) * time.Millisecond)
}

// Event returns an event of subject that happened at Time(ms).
func Event(t testing.TB, ms int, typ, subject string) outbox.Event {
	t.Helper()
	e, err := outbox.New(Time(ms), typ, subject, map[string]any{"order_id": subject, "version": ms})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Run tests a store. newStore returns an empty one.
func Run(t *testing.T, newStore func(t *testing.T) Store) {
	t.Helper()
	t.Run("ListIsInOrderOfTime", func(t *testing.T) {
		t.Parallel()
		testOrder(t, newStore(t))
	})
	t.Run("ListReadsPageByPage", func(t *testing.T) {
		t.Parallel()
		testPages(t, newStore(t))
	})
	t.Run("ListOfNothing", func(t *testing.T) {
		t.Parallel()
		got, next, err := newStore(t).List(t.Context(), "O#none", 10, nil)
		if len(got) != 0 || next != nil || err != nil {
			t.Errorf("got %v, %q, %v", got, next, err)
		}
	})
	t.Run("PartitionsAreSeparate", func(t *testing.T) {
		t.Parallel()
		store := newStore(t)
		mine, foreign := Event(t, 1, "order.created", "a"), Event(t, 2, "order.created", "b")
		mustAppend(t, store, "O#a", mine)
		mustAppend(t, store, "O#b", foreign)
		wantEvents(t, store, "O#a", mine)
	})
	t.Run("AnEventIsConsumedOnceByEachConsumer", func(t *testing.T) {
		t.Parallel()
		testConsume(t, newStore(t))
	})
	t.Run("ManyConsumersAtOnce", func(t *testing.T) {
		t.Parallel()
		testConsumeAtOnce(t, newStore(t))
	})
	t.Run("RefusesWhatCannotBeFoundAgain", func(t *testing.T) {
		t.Parallel()
		testRefusals(t, newStore(t))
	})
}

func testOrder(t *testing.T, store Store) {
	t.Helper()
	first, second, third := Event(t, 1, "order.created", "a"), Event(t, 2, "payment.created", "a"), Event(t, 3, "order.confirmed", "a")
	mustAppend(t, store, "O#a", third)
	mustAppend(t, store, "O#a", second, first)
	wantEvents(t, store, "O#a", first, second, third)
}

func testPages(t *testing.T, store Store) {
	t.Helper()
	var want []outbox.Event
	for i := range 5 {
		want = append(want, Event(t, i, "order.created", "a"))
	}
	mustAppend(t, store, "O#a", want...)
	for limit := 1; limit <= 6; limit++ {
		var got []outbox.Event
		var after []byte
		for pages := 0; ; pages++ {
			part, next, err := store.List(t.Context(), "O#a", limit, after)
			if err != nil {
				t.Fatal(err)
			}
			if len(part) > limit || pages > len(want) {
				t.Fatalf("limit %d: %d events on page %d", limit, len(part), pages+1)
			}
			got = append(got, part...)
			if next == nil {
				break
			}
			after = next
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("limit %d (-want +got):\n%s", limit, diff)
		}
	}
	if _, _, err := store.List(t.Context(), "O#a", 0, nil); err == nil {
		t.Error("limit 0 was accepted")
	}
}

func testConsume(t *testing.T, store Store) {
	t.Helper()
	e, other := Event(t, 1, "order.created", "a"), Event(t, 1, "order.created", "a")
	for i, tt := range []struct {
		consumer string
		event    outbox.Event
		want     error
	}{
		{"settle", e, nil},
		{"settle", e, outbox.ErrConsumed},
		{"advance", e, nil},
		{"settle", other, nil},
		{"advance", e, outbox.ErrConsumed},
	} {
		if err := store.Consume(t.Context(), tt.consumer, tt.event, Time(i)); !errors.Is(err, tt.want) {
			t.Errorf("step %d: error = %v, want %v", i+1, err, tt.want)
		}
	}
}

func testConsumeAtOnce(t *testing.T, store Store) {
	t.Helper()
	e := Event(t, 1, "order.created", "a")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	errs := make([]error, 20)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = store.Consume(ctx, "advance", e, Time(2)) })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, outbox.ErrConsumed):
			t.Errorf("error = %v, want %v", err, outbox.ErrConsumed)
		}
	}
	if won != 1 {
		t.Errorf("%d consumers won, want 1", won)
	}
}

func testRefusals(t *testing.T, store Store) {
	t.Helper()
	e := Event(t, 1, "order.created", "a")
	unnamed := outbox.Event{Source: "/order", Type: "order.created", Subject: "a", Time: Time(1), Data: json.RawMessage(`{}`)}
	for name, err := range map[string]error{
		"NoPartition":        store.Append(t.Context(), "", e),
		"NoEvents":           store.Append(t.Context(), "O#a"),
		"EventWithoutID":     store.Append(t.Context(), "O#a", e, unnamed),
		"NoConsumer":         store.Consume(t.Context(), "", e, Time(1)),
		"ConsumeWithoutAnID": store.Consume(t.Context(), "advance", unnamed, Time(1)),
	} {
		if err == nil || errors.Is(err, outbox.ErrConsumed) {
			t.Errorf("%s: error = %v, want a refusal", name, err)
		}
	}
	wantEvents(t, store, "O#a")
}

func mustAppend(t *testing.T, store Store, partition string, events ...outbox.Event) {
	t.Helper()
	if err := store.Append(t.Context(), partition, events...); err != nil {
		t.Fatal(err)
	}
}

func wantEvents(t *testing.T, store Store, partition string, want ...outbox.Event) {
	t.Helper()
	got, next, err := store.List(t.Context(), partition, 100, nil)
	if err != nil || next != nil {
		t.Fatalf("List: next %q, error %v", next, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events of %s (-want +got):\n%s", partition, diff)
	}
}
