package idempotencytest

import (
	"context"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/idempotency"
)

func testTakeOver(t *testing.T, s Store) {
	t.Helper()
	ctx := idempotency.WithKey(t.Context(), newKey())
	killed := begun(t, ctx, Time(0), "payment-1")
	put(t, s, killed, 0)

	resumed := idempotency.WithPoint(ctx, killed)
	early := begun(t, resumed, Time(lease-time.Millisecond), "payment-2")
	wantRecord(t, killed, used(t, s.Put(t.Context(), early, 0)))

	stranger := begun(t, ctx, Time(lease), "payment-3") // has not seen the record, so it does not know the point
	wantRecord(t, killed, used(t, s.Put(t.Context(), stranger, 0)))

	second := begun(t, resumed, Time(lease), "payment-4")
	if second.Point != "payment-1" {
		t.Errorf("resumes at %q, want the point of the first attempt", second.Point)
	}
	s.LoseAnswers(1)
	put(t, s, second, 0)
	wantFound(t, s, second)
	final := answer(t, "payment-1")
	if err := s.Complete(t.Context(), second, final, 1); err != nil {
		t.Fatalf("Complete: %v", err)
	}
	second.Running, second.Answer = false, final
	wantFound(t, s, second)
	wantCounter(t, s, 1)
	wantRecord(t, second, used(t, s.Put(t.Context(), begun(t, ctx, Time(time.Hour), "payment-5"), 0)))
}

// An attempt that has found an abandoned record comes too late: the record was completed, or taken over, since.
func testLateTakeOver(t *testing.T, s Store) {
	t.Helper()
	ctx := idempotency.WithKey(t.Context(), newKey())
	slow := begun(t, ctx, Time(0), "payment-1")
	put(t, s, slow, 0)
	final := answer(t, "payment-1")
	if err := s.Complete(t.Context(), slow, final, 1); err != nil {
		t.Fatalf("Complete: %v", err)
	}
	late := begun(t, idempotency.WithPoint(ctx, slow), Time(lease), "")
	slow.Running, slow.Answer = false, final
	wantRecord(t, slow, used(t, s.Put(t.Context(), late, 1)))

	ctx = idempotency.WithKey(t.Context(), newKey())
	killed := begun(t, ctx, Time(0), "payment-2")
	put(t, s, killed, 0)
	second := begun(t, idempotency.WithPoint(ctx, killed), Time(lease), "")
	put(t, s, second, 0)
	late = begun(t, idempotency.WithPoint(ctx, killed), Time(3*lease), "") // the second lease is over too
	wantRecord(t, second, used(t, s.Put(t.Context(), late, 1)))
	wantFound(t, s, second)
	wantCounter(t, s, 1)
}

func testFence(t *testing.T, s Store) {
	t.Helper()
	ctx := idempotency.WithKey(t.Context(), newKey())
	first := begun(t, ctx, Time(0), "payment-1")
	put(t, s, first, 0)
	second := begun(t, idempotency.WithPoint(ctx, first), Time(lease), "")
	put(t, s, second, 0)

	// The first attempt was only slow. It comes back while the second one runs, and after it has ended.
	late := answer(t, "late")
	wantRecord(t, second, used(t, s.Complete(t.Context(), first, late, 1)))
	wantCounter(t, s, 0)
	final := answer(t, "payment-1")
	if err := s.Complete(t.Context(), second, final, 1); err != nil {
		t.Fatalf("Complete: %v", err)
	}
	second.Running, second.Answer = false, final
	wantRecord(t, second, used(t, s.Complete(t.Context(), first, late, 1)))
	wantFound(t, s, second)
	wantCounter(t, s, 1)
}

func testLostComplete(t *testing.T, s Store) {
	t.Helper()
	r := begun(t, idempotency.WithKey(t.Context(), newKey()), Time(0), "payment-1")
	put(t, s, r, 0)
	final := answer(t, "payment-1")
	s.LoseAnswers(1)
	for range 2 {
		if err := s.Complete(t.Context(), r, final, 1); err != nil {
			t.Fatalf("Complete: %v", err)
		}
	}
	wantCounter(t, s, 1)
	r.Running, r.Answer = false, final
	wantFound(t, s, r)
}

func testParallelTakeOver(t *testing.T, s Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(idempotency.WithKey(t.Context(), newKey()), patience)
	defer cancel()
	killed := begun(t, ctx, Time(0), "payment-1")
	put(t, s, killed, 0)
	records := make([]idempotency.Record, 20)
	for i := range records {
		records[i] = begun(t, idempotency.WithPoint(ctx, killed), Time(lease), "")
	}
	won := onlyWinner(t, records, together(len(records), func(i int) error { return s.Put(ctx, records[i], 0) }))
	wantFound(t, s, won)
	final := answer(t, "payment-1")
	errs := together(len(records), func(i int) error { return s.Complete(ctx, records[i], final, 1) })
	if completed := onlyWinner(t, records, errs); completed.Owner != won.Owner {
		t.Error("an attempt that does not own the record has completed it")
	}
	wantCounter(t, s, 1)
}
