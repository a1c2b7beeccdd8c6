package ratelimit_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tienda-dev/tienda/shared/clock/clocktest"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimitmem"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimittest"
)

func TestDenialIsRememberedAndCountsDown(t *testing.T) {
	t.Parallel()
	now := clocktest.New(t)
	store := &faulty{Limiter: memory(t, now.Now, perMinute)} // one unit each 20 s
	g := guarded(t, store, ratelimit.GuardConfig{OnError: ratelimit.Open, DenyCap: 2 * time.Second, Now: now.Now})
	take(t, g, 2)
	denied := take(t, g, 1)
	now.Move(time.Second)
	again := take(t, g, 1)
	peeked, err := g.Peek(t.Context(), alice)
	if err != nil || store.calls.Load() != 2 {
		t.Fatalf("%d calls, %v", store.calls.Load(), err)
	}
	for _, d := range []ratelimit.Decision{again, peeked} {
		if d.Allowed || d.Source != ratelimit.FromCache || d.Results[0].RetryAfter != denied.Results[0].RetryAfter-time.Second {
			t.Errorf("%+v after %+v", d, denied)
		}
	}
	if d, ok := g.Denied(t.Context(), alice, 1); !ok || d.Allowed {
		t.Errorf("Denied: %+v, %t", d, ok)
	}
	now.Move(time.Second) // the cap of 2 s, on a wall clock whose monotonic part stands still
	if d := take(t, g, 1); d.Source != ratelimit.FromStore {
		t.Errorf("after the cap: %+v", d)
	}
	now.Move(-time.Second)
	if d := take(t, g, 1); d.Source != ratelimit.FromCache {
		t.Errorf("the clock was set back by 1 s: %+v", d)
	}
	now.Move(-time.Second)
	if d := take(t, g, 1); d.Source != ratelimit.FromStore {
		t.Errorf("the clock was set back by 2 s: %+v", d)
	}
}

// What time gives back, a guard notices at once; what another instance gives back, after 30 s at the latest.
func TestDenialIsRememberedForHalfAMinuteOrUntilTheStoreCouldAdmit(t *testing.T) {
	t.Parallel()
	hourly := ratelimit.Policy{Name: "hourly", Algorithm: ratelimit.FixedWindow, Limit: 2, Window: time.Hour}
	for name, c := range map[string]struct {
		policy ratelimit.Policy
		lasts  time.Duration
	}{
		"UntilTheStoreCouldAdmit": {perMinute, 20 * time.Second},
		"HalfAMinute":             {hourly, 30 * time.Second},
	} {
		now := clocktest.New(t)
		store := memory(t, now.Now, c.policy)
		g := guarded(t, store, ratelimit.GuardConfig{OnError: ratelimit.Open, Now: now.Now})
		take(t, g, 2)
		if d := take(t, g, 1); d.Allowed {
			t.Fatalf("%s: not limited", name)
		}
		if err := store.Reset(t.Context(), alice); err != nil { // by another instance
			t.Fatal(err)
		}
		now.Move(c.lasts - time.Second)
		if d := take(t, g, 1); d.Source != ratelimit.FromCache {
			t.Errorf("%s: a second before its end: %+v", name, d)
		}
		now.Move(time.Second)
		if d := take(t, g, 1); !d.Allowed || d.Source != ratelimit.FromStore {
			t.Errorf("%s: at its end: %+v", name, d)
		}
	}
}

func TestDenialOfMoreUnitsDoesNotDenyFewer(t *testing.T) {
	t.Parallel()
	now := clocktest.New(t)
	store := &faulty{Limiter: memory(t, now.Now, perMinute)}
	g := guarded(t, store, ratelimit.GuardConfig{OnError: ratelimit.Open, Now: now.Now})
	take(t, g, 1)
	if d := take(t, g, 2); d.Allowed {
		t.Fatal("3 of 2 units")
	}
	if d := take(t, g, 1); !d.Allowed {
		t.Error("the denial of two units denies one")
	}
	one, two := take(t, g, 1), take(t, g, 2)
	if one.Allowed || two.Source != ratelimit.FromCache || two.Results[0].RetryAfter-one.Results[0].RetryAfter != 20*time.Second {
		t.Errorf("%+v, %+v", one, two)
	}
}

func TestRefundAndResetForgetTheDenial(t *testing.T) {
	t.Parallel()
	for name, forget := range map[string]func(*ratelimit.Guard, ratelimit.Decision) error{
		"Refund": func(g *ratelimit.Guard, d ratelimit.Decision) error { return g.Refund(context.Background(), d) },
		"Reset":  func(g *ratelimit.Guard, _ ratelimit.Decision) error { return g.Reset(context.Background(), alice) },
	} {
		now := clocktest.New(t)
		g := guarded(t, memory(t, now.Now, perMinute), ratelimit.GuardConfig{OnError: ratelimit.Open, Now: now.Now})
		taken := take(t, g, 2)
		if d := take(t, g, 1); d.Allowed {
			t.Fatal("not limited")
		}
		if err := forget(g, taken); err != nil {
			t.Fatal(err)
		}
		if d := take(t, g, 1); !d.Allowed {
			t.Errorf("%s: still denied: %+v", name, d)
		}
	}
}

// While Reset asks the store, another request of the subject is denied by what the store had before.
func TestResetForgetsADenialThatIsUnderWay(t *testing.T) {
	t.Parallel()
	now := clocktest.New(t)
	store := &resetting{Limiter: memory(t, now.Now, perMinute)}
	g := guarded(t, store, ratelimit.GuardConfig{OnError: ratelimit.Open, Now: now.Now})
	take(t, g, 2)
	store.before = func() {
		if d := take(t, g, 1); d.Allowed {
			t.Error("not limited")
		}
	}
	if err := g.Reset(t.Context(), alice); err != nil {
		t.Fatal(err)
	}
	if d := take(t, g, 1); !d.Allowed {
		t.Errorf("still denied: %+v", d)
	}
}

// resetting is a store with something that happens before it resets.
type resetting struct {
	ratelimit.Limiter

	before func()
}

func (r *resetting) Reset(ctx context.Context, subject ratelimit.Subject) error {
	r.before()
	return r.Limiter.Reset(ctx, subject)
}

func TestDenialsAreBounded(t *testing.T) {
	t.Parallel()
	now := clocktest.New(t)
	store := &faulty{Limiter: memory(t, now.Now, perMinute)}
	g := guarded(t, store, ratelimit.GuardConfig{OnError: ratelimit.Open, Now: now.Now, DenyEntries: 3})
	deny := func(i int) ratelimit.Source {
		subject := ratelimit.NewSubject("user", strconv.Itoa(i))
		if _, err := g.Take(t.Context(), subject, 2); err != nil {
			t.Fatal(err)
		}
		d, err := g.Take(t.Context(), subject, 2)
		if err != nil {
			t.Fatal(err)
		}
		return d.Source
	}
	for i := range 3 {
		deny(i)
	}
	deny(0) // used last
	deny(3) // drops 1
	var remembered []int
	for i := range 4 {
		if _, ok := g.Denied(t.Context(), ratelimit.NewSubject("user", strconv.Itoa(i)), 2); ok {
			remembered = append(remembered, i)
		}
	}
	if diff := cmp.Diff([]int{0, 2, 3}, remembered); diff != "" {
		t.Error(diff)
	}
}

// smallPolicies draws a policy of each algorithm, or several.
func smallPolicies(t *rapid.T) []ratelimit.Policy {
	var drawn []ratelimit.Policy
	for i := range rapid.IntRange(1, 3).Draw(t, "policies") {
		p := ratelimit.Policy{
			Name: fmt.Sprintf("p%d", i), Algorithm: ratelimit.Algorithm(rapid.IntRange(0, 2).Draw(t, "algorithm")),
			Limit: int64(rapid.IntRange(2, 6).Draw(t, "limit")), Window: time.Duration(rapid.IntRange(1, 12).Draw(t, "window")) * time.Second,
			Shadow: rapid.IntRange(0, 4).Draw(t, "shadow") == 0,
		}
		if p.Algorithm == ratelimit.GCRA {
			p.Burst = int64(rapid.IntRange(0, 4).Draw(t, "burst"))
		}
		drawn = append(drawn, p)
	}
	return drawn
}

// A remembered denial is what the store would have said, to the microsecond, and it never admits. What other instances
// give back is seen when the entry has ended, within its cap.
func TestDenyCacheAgreesWithTheStore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		clock := ratelimittest.NewClock()
		store, err := ratelimitmem.New(smallPolicies(t), ratelimitmem.Config{Now: clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		denyCap := time.Duration(rapid.IntRange(1, 15).Draw(t, "cap")) * time.Second
		g, err := ratelimit.NewGuard(store, ratelimit.GuardConfig{OnError: ratelimit.Closed, DenyCap: denyCap, DenyEntries: 2, Now: clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		capacity := int64(6)
		for _, p := range store.Policies() {
			capacity = min(capacity, p.Capacity())
		}
		ctx := context.Background()
		foreign := map[ratelimit.Subject]time.Time{} // when another instance changed the subject last
		costs := map[ratelimit.Subject]int64{}       // the cost of the store's last denial
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			clock.Move(time.Duration(rapid.IntRange(0, 900_000).Draw(t, "us")) * time.Microsecond)
			subject := ratelimit.Subject(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "subject"))
			cost := int64(rapid.IntRange(1, int(capacity)).Draw(t, "cost"))
			if rapid.IntRange(0, 9).Draw(t, "foreign") == 0 {
				_ = store.Reset(ctx, subject)
				foreign[subject] = clock.Now()
				continue
			}
			got, err := g.Take(ctx, subject, cost)
			if err != nil {
				t.Fatal(err)
			}
			if got.Source != ratelimit.FromCache {
				costs[subject] = cost
				continue
			}
			if got.Allowed {
				t.Fatal("a cache has admitted")
			}
			want, err := store.Take(ctx, subject, cost)
			if err != nil {
				t.Fatal(err)
			}
			if changed, ok := foreign[subject]; ok && clock.Now().Sub(changed) < denyCap {
				continue // the store may have admitted
			}
			if want.Allowed {
				t.Fatalf("denied %v after %v of nothing that could explain it", got, want)
			}
			if costs[subject] != cost {
				continue
			}
			if diff := cmp.Diff(want.Results, got.Results, cmp.Comparer(func(a, b *ratelimit.Policy) bool { return a.Name == b.Name })); diff != "" {
				t.Fatalf("store and cache differ:\n%s", diff)
			}
		}
	})
}

// A remembered denial ends when the policies that deny could admit: one in shadow mode does not prolong it, and neither does
// a sliding log that gets a unit back before the whole cost.
func TestDenialEndsWhenTheStoreCouldAdmit(t *testing.T) {
	t.Parallel()
	for name, policies := range map[string][]ratelimit.Policy{
		"Shadow": {
			{Name: "enforced", Limit: 2, Window: 10 * time.Second},
			{Name: "shadow", Limit: 2, Window: time.Minute, Shadow: true},
		},
		"SlidingLog": {{Name: "log", Algorithm: ratelimit.SlidingLog, Limit: 2, Window: 10 * time.Second}},
	} {
		now := clocktest.New(t)
		g := guarded(t, memory(t, now.Now, policies...), ratelimit.GuardConfig{OnError: ratelimit.Open, Now: now.Now})
		take(t, g, 1)
		now.Move(5 * time.Second)
		take(t, g, 1)
		if d := take(t, g, 2); d.Allowed {
			t.Fatalf("%s: not limited", name)
		}
		now.Move(5 * time.Second)
		if d := take(t, g, 2); d.Source != ratelimit.FromStore {
			t.Errorf("%s: the denial is remembered for too long: %+v", name, d)
		}
	}
}
