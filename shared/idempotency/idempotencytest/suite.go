// Package idempotencytest has a test suite for every store of package idempotency.
package idempotencytest

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tienda-dev/tienda/shared/idempotency"
)

// Store is a store under test. Its effects are one counter, which is in the store of the records.
type Store interface {
	idempotency.Store
	// Put stores the record, and adds effect to the counter in the same transaction. The counter cannot become more
	// than Most: then Put returns ErrEffect and stores nothing.
	Put(ctx context.Context, r idempotency.Record, effect int) error
	// Complete completes the record, and adds effect to the counter in the same transaction, as Put does.
	Complete(ctx context.Context, begun idempotency.Record, answer idempotency.Answer, effect int) error
	// Counter returns the counter, 0 at first.
	Counter(ctx context.Context) (int, error)
	// LoseAnswers makes the next n calls of Put and Complete do their work without their first answer.
	LoseAnswers(n int)
}

// Most is the largest value of the counter.
const Most = 3

// ErrEffect is the refusal of an effect.
var ErrEffect = errors.New("idempotencytest: the counter cannot become more")

// Run runs the suite. newStore returns an empty store that no other test uses.
func Run(t *testing.T, newStore func(t *testing.T) Store) {
	t.Helper()
	for _, part := range []struct {
		name string
		test func(t *testing.T, s Store)
	}{
		{"FindsWhatWasStored", testFind},
		{"AnsweredOnceForAll", testDuplicate},
		{"RefusedEffectLeavesNoRecord", testRefusedEffect},
		{"LostAnswerCountsOnce", testLostAnswer},
		{"FiftyInParallelCountOnce", testParallel},
		{"FiftyBeginInParallelOneOwns", testParallelBegin},
		{"KeyIsFreeAfterADay", testExpiry},
		{"KilledOwnerIsTakenOverAfterItsLease", testTakeOver},
		{"LateTakeOverIsRefused", testLateTakeOver},
		{"LateFirstAttemptIsFenced", testFence},
		{"LostAnswerOfCompleteCountsOnce", testLostComplete},
		{"OneTakesOver", testParallelTakeOver},
		{"ZeroRecordStoresNothing", testZero},
		{"EndedContext", testContext},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			part.test(t, newStore(t))
		})
	}
}

// Time returns a fixed time, d after the first one.
func Time(d time.Duration) time.Time {
	return time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC).Add(d)
}

const lease = 10 * time.Second

// patience is how long concurrent calls of a test may take.
const patience = 2 * time.Minute

func newKey() idempotency.Key {
	return idempotency.Key{ID: rand.Text(), Fingerprint: "fingerprint"}
}

// done returns the record of an attempt with an answer of its own.
func done(t *testing.T, ctx context.Context, at time.Time) idempotency.Record { //nolint:revive // the context carries the key
	t.Helper()
	r, err := idempotency.Done(ctx, at, 201, map[string]string{"Location": "/v1/things/" + rand.Text()}, map[string]string{"id": rand.Text()})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// begun returns the running record of an attempt.
func begun(t *testing.T, ctx context.Context, at time.Time, point string) idempotency.Record { //nolint:revive // the context carries the key
	t.Helper()
	r, err := idempotency.Begin(ctx, at, lease, point)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func answer(t *testing.T, id string) idempotency.Answer {
	t.Helper()
	a, err := idempotency.NewAnswer(201, nil, map[string]string{"id": id})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func put(t *testing.T, s Store, r idempotency.Record, effect int) {
	t.Helper()
	if err := s.Put(t.Context(), r, effect); err != nil {
		t.Fatalf("Put: %v", err)
	}
}

// used returns the record that the error says has used the key.
func used(t *testing.T, err error) idempotency.Record {
	t.Helper()
	e, ok := errors.AsType[*idempotency.UsedError](err)
	if !ok {
		t.Fatalf("got %v, want a *UsedError", err)
	}
	return e.Stored
}

func wantFound(t *testing.T, s Store, want idempotency.Record) {
	t.Helper()
	got, ok, err := s.Find(t.Context(), want.Key.ID)
	if err != nil || !ok {
		t.Fatalf("Find: %t, %v", ok, err)
	}
	wantRecord(t, want, got)
}

func wantRecord(t *testing.T, want, got idempotency.Record) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
}

func wantCounter(t *testing.T, s Store, want int) {
	t.Helper()
	if got, err := s.Counter(t.Context()); err != nil || got != want {
		t.Errorf("the effect happened %d times, want %d; %v", got, want, err)
	}
}

// together runs n calls of f at once and returns what they returned.
func together[T any](n int, f func(i int) T) []T {
	results := make([]T, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			results[i] = f(i)
		})
	}
	close(start)
	wg.Wait()
	return results
}
