package ratelimit_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/tests/metricstest"
)

// TestRememberedDenialsAreMeasured blocks more subjects than a Guard remembers.
func TestRememberedDenialsAreMeasured(t *testing.T) {
	t.Parallel()
	ctx, recorded := metricstest.New(t)
	now := time.Unix(1_800_000_000, 0)
	clock := func() time.Time { return now }
	policy := ratelimit.Policy{Name: "once", Algorithm: ratelimit.FixedWindow, Limit: 1, Window: 24 * time.Hour}
	store := &faulty{Limiter: memory(t, clock, policy)}
	guard := guarded(t, store, ratelimit.GuardConfig{OnError: ratelimit.Open, DenyEntries: 2, Now: clock})
	blocked := func(i int) ratelimit.Subject { return ratelimit.NewSubject("user", strconv.Itoa(i)) }
	const subjects = 3
	for i := range subjects {
		for range 2 { // an admission and a denial
			if _, err := guard.Take(ctx, blocked(i), 1); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, ok := guard.Denied(ctx, blocked(subjects-1), 1); !ok {
		t.Error("the last denial is not remembered")
	}
	store.set(errDown)
	if _, err := guard.Take(ctx, blocked(subjects), 1); err != nil {
		t.Fatal(err)
	}
	store.set(ratelimit.ErrSubjectThrottled) // an answer of the store
	if _, err := guard.Take(ctx, blocked(subjects+1), 1); err != nil {
		t.Fatal(err)
	}

	const cache = " " + ratelimit.CachePrefix + "once"
	want := map[string]float64{
		metrics.CacheRequests + cache + " hit":      1,
		metrics.CacheRequests + cache + " miss":     2*subjects + 1,
		metrics.CacheRequests + cache + " error":    1,
		metrics.CacheLoadDuration + cache:           2*subjects + 1,
		metrics.CacheLoadDuration + cache + " load": 1,
		metrics.CacheEntries + cache:                2,
		metrics.CacheEvictions + cache:              2,
	}
	got := recorded.Series(t, metrics.CacheRequests, metrics.CacheLoadDuration, metrics.CacheEntries, metrics.CacheEvictions)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("series (-want +got):\n%s", diff)
	}
}
