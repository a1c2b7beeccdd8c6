package observe_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/internal/observe"
	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimitmem"
	"github.com/tienda-dev/tienda/tests/metricstest"
)

// outage is a store that answers only while it is up.
type outage struct {
	ratelimit.Limiter

	down bool
}

func (o *outage) Take(ctx context.Context, s ratelimit.Subject, cost int64) (ratelimit.Decision, error) {
	if o.down {
		return ratelimit.Decision{}, errors.New("down")
	}
	return o.Limiter.Take(ctx, s, cost)
}

// policies are two of which the second decides first.
func policies() []ratelimit.Policy {
	return []ratelimit.Policy{
		{Name: "wide", Algorithm: ratelimit.FixedWindow, Limit: 100, Window: 24 * time.Hour},
		{Name: "narrow", Algorithm: ratelimit.FixedWindow, Limit: 2, Window: 24 * time.Hour},
	}
}

func memory(t *testing.T) ratelimit.Limiter {
	t.Helper()
	l, err := ratelimitmem.New(policies(), ratelimitmem.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestDecisionsAreCounted(t *testing.T) {
	t.Parallel()
	ctx, recorded := metricstest.New(t)
	for mode, kind := range map[ratelimit.Mode]string{ratelimit.Open: "ip", ratelimit.Closed: "user"} {
		store := &outage{Limiter: memory(t)}
		guard, err := ratelimit.NewGuard(store, ratelimit.GuardConfig{OnError: mode, Observe: observe.Decisions(policies())})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 { // the third is denied
			if _, err := guard.Take(ctx, ratelimit.NewSubject(kind, "192.0.2.1"), 1); err != nil {
				t.Fatal(err)
			}
		}
		store.down = true
		if _, err := guard.Take(ctx, ratelimit.NewSubject(kind, "192.0.2.2"), 1); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]float64{}
	for kind, outage := range map[string]string{"ip": metrics.RateErrorOpen, "user": metrics.RateErrorClosed} {
		want[metrics.RateLimitDecisions+" narrow "+kind+" allow"] = 2
		want[metrics.RateLimitDecisions+" narrow "+kind+" deny"] = 1
		want[metrics.RateLimitDecisions+" wide "+kind+" "+outage] = 1
		want[metrics.RateLimitCheckDuration+" narrow "+kind] = 3
		want[metrics.RateLimitCheckDuration+" wide "+kind] = 1
	}
	if diff := cmp.Diff(want, recorded.Series(t, metrics.RateLimitDecisions, metrics.RateLimitCheckDuration)); diff != "" {
		t.Errorf("series (-want +got):\n%s", diff)
	}
}

// TestDecisionsWithoutAGuardAreCounted has a limiter in memory, and a Take that is not valid and decides nothing.
func TestDecisionsWithoutAGuardAreCounted(t *testing.T) {
	t.Parallel()
	ctx, recorded := metricstest.New(t)
	l := ratelimit.Observe(memory(t), observe.Decisions(policies()), time.Now)
	subject := ratelimit.NewSubject("ip", "192.0.2.1")
	for range 3 {
		if _, err := l.Take(ctx, subject, 1); err != nil {
			t.Fatal(err)
		}
	}
	if d, err := l.Peek(ctx, subject); err != nil || d.Allowed {
		t.Errorf("got %+v, %v, want a denial", d, err)
	}
	if _, err := l.Take(ctx, subject, 3); err == nil {
		t.Error("a Take of more than the limit succeeded")
	}
	want := map[string]float64{
		metrics.RateLimitDecisions + " narrow ip allow": 2,
		metrics.RateLimitDecisions + " narrow ip deny":  2,
		metrics.RateLimitCheckDuration + " narrow ip":   4,
	}
	if diff := cmp.Diff(want, recorded.Series(t, metrics.RateLimitDecisions, metrics.RateLimitCheckDuration)); diff != "" {
		t.Errorf("series (-want +got):\n%s", diff)
	}
}
