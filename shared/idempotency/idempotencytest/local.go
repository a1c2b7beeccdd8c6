package idempotencytest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/idempotency"
)

func testFind(t *testing.T, s Store) {
	t.Helper()
	key := newKey()
	if _, ok, err := s.Find(t.Context(), key.ID); ok || err != nil {
		t.Errorf("Find of an unused key: %t, %v", ok, err)
	}
	r := done(t, idempotency.WithKey(t.Context(), key), Time(0))
	put(t, s, r, 1)
	wantFound(t, s, r)
	running := begun(t, idempotency.WithKey(t.Context(), newKey()), Time(1500*time.Millisecond), "point")
	put(t, s, running, 0)
	wantFound(t, s, running)
	wantCounter(t, s, 1)
}

func testDuplicate(t *testing.T, s Store) {
	t.Helper()
	ctx := idempotency.WithKey(t.Context(), newKey())
	first := done(t, ctx, Time(0))
	put(t, s, first, 1)
	for range 3 {
		again := done(t, ctx, Time(time.Minute))
		wantRecord(t, first, used(t, s.Put(t.Context(), again, 1)))
	}
	wantFound(t, s, first)
	wantCounter(t, s, 1)
	other := done(t, idempotency.WithKey(t.Context(), newKey()), Time(0)) // another key is another request
	put(t, s, other, 1)
	wantCounter(t, s, 2)

	// A repeated request gets its first answer although the effect would be refused now.
	put(t, s, done(t, idempotency.WithKey(t.Context(), newKey()), Time(0)), 1)
	wantRecord(t, first, used(t, s.Put(t.Context(), done(t, ctx, Time(time.Hour)), 1)))
	wantCounter(t, s, Most)
}

func testRefusedEffect(t *testing.T, s Store) {
	t.Helper()
	key := newKey()
	ctx := idempotency.WithKey(t.Context(), key)
	if err := s.Put(t.Context(), done(t, ctx, Time(0)), Most+1); !errors.Is(err, ErrEffect) {
		t.Fatalf("got %v, want %v", err, ErrEffect)
	}
	if _, ok, err := s.Find(t.Context(), key.ID); ok || err != nil {
		t.Errorf("a refused effect has left a record: %t, %v", ok, err)
	}
	put(t, s, done(t, ctx, Time(1)), Most)
	wantCounter(t, s, Most)
}

func testLostAnswer(t *testing.T, s Store) {
	t.Helper()
	ctx := idempotency.WithKey(t.Context(), newKey())
	first := done(t, ctx, Time(0))
	s.LoseAnswers(1)
	put(t, s, first, 1)
	wantFound(t, s, first)
	wantCounter(t, s, 1)
	put(t, s, first, 1) // the same attempt once more
	wantCounter(t, s, 1)
	wantRecord(t, first, used(t, s.Put(t.Context(), done(t, ctx, Time(1)), 1)))
	wantCounter(t, s, 1)
}

func testParallel(t *testing.T, s Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(idempotency.WithKey(t.Context(), newKey()), patience)
	defer cancel()
	records := make([]idempotency.Record, 50)
	for i := range records {
		records[i] = done(t, ctx, Time(0))
	}
	errs := together(len(records), func(i int) error { return s.Put(ctx, records[i], 1) })
	won := onlyWinner(t, records, errs)
	for i, err := range errs {
		if err != nil && used(t, err).Owner != won.Owner {
			t.Errorf("attempt %d was told of another owner", i)
		}
	}
	wantFound(t, s, won)
	wantCounter(t, s, 1)
}

func testParallelBegin(t *testing.T, s Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(idempotency.WithKey(t.Context(), newKey()), patience)
	defer cancel()
	records := make([]idempotency.Record, 50)
	for i := range records {
		records[i] = begun(t, ctx, Time(0), "point")
	}
	wantFound(t, s, onlyWinner(t, records, together(len(records), func(i int) error { return s.Put(ctx, records[i], 0) })))
}

// onlyWinner returns the record of the one attempt that has no error.
func onlyWinner(t *testing.T, records []idempotency.Record, errs []error) idempotency.Record {
	t.Helper()
	var won []idempotency.Record
	for i, err := range errs {
		if err == nil {
			won = append(won, records[i])
		} else {
			used(t, err)
		}
	}
	if len(won) != 1 {
		t.Fatalf("%d attempts have won, want 1", len(won))
	}
	return won[0]
}

func testExpiry(t *testing.T, s Store) {
	t.Helper()
	ctx := idempotency.WithKey(t.Context(), newKey())
	first := done(t, ctx, Time(0))
	put(t, s, first, 1)
	wantRecord(t, first, used(t, s.Put(t.Context(), done(t, ctx, Time(idempotency.Lifetime-time.Millisecond)), 1)))
	wantFound(t, s, first)
	second := done(t, ctx, Time(idempotency.Lifetime)) // nothing has removed the record
	put(t, s, second, 1)
	wantFound(t, s, second)
	wantCounter(t, s, 2)

	running := begun(t, idempotency.WithKey(t.Context(), newKey()), Time(0), "old")
	put(t, s, running, 0)
	fresh := begun(t, idempotency.WithKey(t.Context(), running.Key), Time(idempotency.Lifetime), "new")
	put(t, s, fresh, 0)
	wantFound(t, s, fresh)
}

func testZero(t *testing.T, s Store) {
	t.Helper()
	none := done(t, t.Context(), Time(0))
	put(t, s, none, 1)
	put(t, s, none, 1)
	wantCounter(t, s, 2)
}

func testContext(t *testing.T, s Store) {
	t.Helper()
	r := done(t, idempotency.WithKey(t.Context(), newKey()), Time(0))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.Find(ended, r.Key.ID); !errors.Is(err, context.Canceled) {
		t.Errorf("Find with an ended context: %v", err)
	}
	if err := s.Put(ended, r, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("Put with an ended context: %v", err)
	}
	wantCounter(t, s, 0)
}
