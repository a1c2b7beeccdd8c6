package ratelimit_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tienda-dev/tienda/shared/clock/clocktest"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimitmem"
)

var perMinute = ratelimit.Policy{Name: "per-minute", Limit: 3, Window: time.Minute, Burst: 2}

const alice = ratelimit.Subject("4:user5:alice")

var errDown = errors.New("store down")

// faulty is a store that fails on demand, and counts its calls.
type faulty struct {
	ratelimit.Limiter

	calls atomic.Int64
	fail  atomic.Pointer[error]
	ask   func(ctx context.Context) // called by each Take and Peek
}

func (f *faulty) set(err error) { f.fail.Store(&err) }

func (f *faulty) fault(ctx context.Context) error {
	f.calls.Add(1)
	if f.ask != nil {
		f.ask(ctx)
	}
	if err := f.fail.Load(); err != nil && *err != nil {
		return *err
	}
	return ctx.Err()
}

func (f *faulty) Take(ctx context.Context, s ratelimit.Subject, cost int64) (ratelimit.Decision, error) {
	if err := f.fault(ctx); err != nil {
		return ratelimit.Decision{}, err
	}
	return f.Limiter.Take(ctx, s, cost)
}

func (f *faulty) Peek(ctx context.Context, s ratelimit.Subject) (ratelimit.Decision, error) {
	if err := f.fault(ctx); err != nil {
		return ratelimit.Decision{}, err
	}
	return f.Limiter.Peek(ctx, s)
}

func memory(t testing.TB, now func() time.Time, policies ...ratelimit.Policy) ratelimit.Limiter {
	t.Helper()
	l, err := ratelimitmem.New(policies, ratelimitmem.Config{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func guarded(t testing.TB, store ratelimit.Limiter, cfg ratelimit.GuardConfig) *ratelimit.Guard {
	t.Helper()
	g, err := ratelimit.NewGuard(store, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func take(t testing.TB, l ratelimit.Limiter, cost int64) ratelimit.Decision {
	t.Helper()
	d, err := l.Take(t.Context(), alice, cost)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestNewGuardRefuses(t *testing.T) {
	t.Parallel()
	shadow := perMinute
	shadow.Shadow = true
	store := memory(t, time.Now, perMinute)
	for want, cfg := range map[string]ratelimit.GuardConfig{
		"OnError must be":                          {},
		"a Local limiter belongs":                  {OnError: ratelimit.Local},
		"belongs to mode Local":                    {OnError: ratelimit.Open, Local: store},
		"must have the store's policies":           {OnError: ratelimit.Local, Local: memory(t, time.Now, shadow)},
		"DenyCap must be":                          {OnError: ratelimit.Open, DenyCap: time.Millisecond},
		"from 1s to 1m0s":                          {OnError: ratelimit.Open, DenyCap: 61 * time.Second},
		"DenyEntries must be":                      {OnError: ratelimit.Open, DenyEntries: -1},
		"the Budget and the ConnectBudget must be": {OnError: ratelimit.Open, Budget: -1},
	} {
		if _, err := ratelimit.NewGuard(store, cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if _, err := ratelimit.NewGuard(nil, ratelimit.GuardConfig{OnError: ratelimit.Open}); err == nil {
		t.Error("a guard of nothing")
	}
}

func TestGuardWhenTheStoreFails(t *testing.T) {
	t.Parallel()
	shadow := perMinute
	shadow.Shadow = true
	type want struct {
		allowed bool
		source  ratelimit.Source
	}
	for name, c := range map[string]struct {
		policy ratelimit.Policy
		mode   ratelimit.Mode
		err    error
		want   want
	}{
		"Open":              {perMinute, ratelimit.Open, errDown, want{true, ratelimit.FailedOpen}},
		"Closed":            {perMinute, ratelimit.Closed, errDown, want{false, ratelimit.FailedClosed}},
		"Local":             {perMinute, ratelimit.Local, errDown, want{true, ratelimit.FromLocal}},
		"ShadowClosed":      {shadow, ratelimit.Closed, errDown, want{true, ratelimit.FailedOpen}},
		"Throttled":         {perMinute, ratelimit.Open, ratelimit.ErrSubjectThrottled, want{false, ratelimit.FromStore}},
		"ThrottledInShadow": {shadow, ratelimit.Closed, ratelimit.ErrSubjectThrottled, want{true, ratelimit.FailedOpen}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := clocktest.New(t)
			store := &faulty{Limiter: memory(t, now.Now, c.policy)}
			store.set(c.err)
			cfg := ratelimit.GuardConfig{OnError: c.mode, Now: now.Now}
			if c.mode == ratelimit.Local {
				cfg.Local = memory(t, now.Now, c.policy)
			}
			g := guarded(t, store, cfg)
			if got := take(t, g, 1); (want{got.Allowed, got.Source}) != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
			peeked, err := g.Peek(t.Context(), alice)
			if err != nil || peeked.Allowed != c.want.allowed {
				t.Errorf("Peek: %+v, %v", peeked, err)
			}
		})
	}
}

func TestLocalModeKeepsItsLimit(t *testing.T) {
	t.Parallel()
	now := clocktest.New(t)
	half := perMinute
	half.Burst = 1
	store := &faulty{Limiter: memory(t, now.Now, perMinute)}
	store.set(errDown)
	g := guarded(t, store, ratelimit.GuardConfig{OnError: ratelimit.Local, Local: memory(t, now.Now, half), Now: now.Now})
	first := take(t, g, 1)
	if second := take(t, g, 1); !first.Allowed || second.Allowed {
		t.Errorf("%t, %t: want one unit of the local limit", first.Allowed, second.Allowed)
	}
	if err := g.Refund(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if third := take(t, g, 1); !third.Allowed {
		t.Error("the refund did not reach the local limiter")
	}
}

func TestThrottledSubjectIsBlockedForASecond(t *testing.T) {
	t.Parallel()
	now := clocktest.New(t)
	store := &faulty{Limiter: memory(t, now.Now, perMinute)}
	store.set(ratelimit.ErrSubjectThrottled)
	g := guarded(t, store, ratelimit.GuardConfig{OnError: ratelimit.Open, Now: now.Now})
	for range 20 {
		if d := take(t, g, 1); d.Allowed || d.Results[0].RetryAfter > time.Second || d.Results[0].RetryAfter <= 0 {
			t.Fatalf("%+v", d)
		}
	}
	if n := store.calls.Load(); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
	store.set(nil)
	now.Move(time.Second)
	if d := take(t, g, 1); !d.Allowed || d.Source != ratelimit.FromStore {
		t.Errorf("after a second: %+v", d)
	}
}

func TestGuardRefusesCostsThatAreNotValid(t *testing.T) {
	t.Parallel()
	store := &faulty{Limiter: memory(t, time.Now, perMinute)}
	g := guarded(t, store, ratelimit.GuardConfig{OnError: ratelimit.Open})
	for _, cost := range []int64{-1, 0, 3} {
		if _, err := g.Take(t.Context(), alice, cost); err == nil || store.calls.Load() != 0 {
			t.Errorf("cost %d: %v after %d calls", cost, err, store.calls.Load())
		}
	}
}

func TestBudget(t *testing.T) {
	t.Parallel()
	now := clocktest.New(t)
	var budget time.Duration
	store := &faulty{Limiter: memory(t, now.Now, ratelimit.Policy{Name: "wide", Limit: 1000, Window: time.Minute})}
	store.ask = func(ctx context.Context) {
		end, _ := ctx.Deadline()
		budget = time.Until(end)
	}
	g := guarded(t, store, ratelimit.GuardConfig{OnError: ratelimit.Open, Now: now.Now})
	is := func(what string, want time.Duration) {
		t.Helper()
		take(t, g, 1)
		if budget > want || budget < want-90*time.Millisecond {
			t.Errorf("%s: %v, want %v", what, budget, want)
		}
	}
	is("the first call", 300*time.Millisecond)
	is("a connection", 100*time.Millisecond)
	now.Move(21 * time.Second)
	is("the connection was idle, with a monotonic clock that stands still", 300*time.Millisecond)
	now.Move(-10 * time.Second)
	is("the clock was set back", 300*time.Millisecond)
	is("and again a connection", 100*time.Millisecond)

	store.set(errDown)
	for range 5 {
		take(t, g, 1)
	}
	now.Move(time.Second)
	is("a probe", 300*time.Millisecond)
	store.set(nil)
	now.Move(2 * time.Second)
	take(t, g, 1)

	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Millisecond)
	defer cancel()
	if _, err := g.Take(ctx, alice, 1); err != nil || budget > 40*time.Millisecond {
		t.Errorf("the request's own deadline: %v, %v", budget, err)
	}
}

func TestClientThatHangsUpIsCounted(t *testing.T) {
	t.Parallel()
	g := guarded(t, &faulty{Limiter: memory(t, time.Now, perMinute)}, ratelimit.GuardConfig{OnError: ratelimit.Closed})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if d, err := g.Take(ctx, alice, 1); err != nil || d.Source != ratelimit.FromStore {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestEndOfTheRequestsTimeIsNotTheStoresFault(t *testing.T) {
	t.Parallel()
	store := &faulty{Limiter: memory(t, time.Now, perMinute), ask: func(ctx context.Context) { <-ctx.Done() }}
	g := guarded(t, store, ratelimit.GuardConfig{OnError: ratelimit.Open})
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	for range 10 {
		if _, err := g.Take(ctx, alice, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("error %v", err)
		}
	}
	store.ask = nil
	if d := take(t, g, 1); d.Source != ratelimit.FromStore {
		t.Errorf("the breaker counted the requests' own deadlines: %+v", d)
	}
}

func TestStoreThatHangsCostsTheBudgetOnly(t *testing.T) {
	t.Parallel()
	store := &faulty{Limiter: memory(t, time.Now, perMinute), ask: func(ctx context.Context) { <-ctx.Done() }}
	g := guarded(t, store, ratelimit.GuardConfig{OnError: ratelimit.Open, Budget: 5 * time.Millisecond, ConnectBudget: 5 * time.Millisecond})
	start := time.Now()
	for range 100 {
		if d := take(t, g, 1); d.Source != ratelimit.FailedOpen {
			t.Fatalf("%+v", d)
		}
	}
	if n, took := store.calls.Load(), time.Since(start); n > 7 || took > 2*time.Second {
		t.Errorf("%d calls in %v, want about 5", n, took)
	}
}

// Peek is for who shows limits. Its answers are not decisions about requests, neither of the store, nor remembered,
// nor of a store that fails.
func TestOnlyDecisionsAreObserved(t *testing.T) {
	t.Parallel()
	now := clocktest.New(t)
	store := &faulty{Limiter: memory(t, now.Now, perMinute)}
	observed := 0
	g := guarded(t, store, ratelimit.GuardConfig{
		OnError: ratelimit.Closed, Now: now.Now,
		Observe: func(context.Context, ratelimit.Decision, time.Duration) { observed++ },
	})
	peek := func() {
		t.Helper()
		if _, err := g.Peek(t.Context(), alice); err != nil {
			t.Fatal(err)
		}
	}
	peek()
	for take(t, g, 1).Allowed {
	}
	want := observed
	peek() // remembered
	now.Move(time.Hour)
	store.set(errDown)
	peek()
	if observed != want || want < 2 {
		t.Errorf("%d decisions were observed, want %d", observed, want)
	}
}

func TestBreakerIsLoggedOncePerChange(t *testing.T) {
	t.Parallel()
	now := clocktest.New(t)
	core, logs := observer.New(zapcore.DebugLevel)
	entry := &logging.Entry{}
	ctx := logging.WithEntry(logging.With(t.Context(), zap.New(core)), entry)
	store := &faulty{Limiter: memory(t, now.Now, perMinute)}
	store.set(errDown)
	observed := 0
	g := guarded(t, store, ratelimit.GuardConfig{
		OnError: ratelimit.Closed, Now: now.Now,
		Observe: func(context.Context, ratelimit.Decision, time.Duration) { observed++ },
	})
	asked := func(want int64) {
		t.Helper()
		before := store.calls.Load()
		if _, err := g.Take(ctx, alice, 1); err != nil {
			t.Fatal(err)
		}
		if got := store.calls.Load() - before; got != want {
			t.Fatalf("%d calls, want %d", got, want)
		}
	}
	for range 5 {
		asked(1)
	}
	asked(0) // open
	now.Move(time.Second)
	asked(1) // the probe fails
	asked(0)
	now.Move(time.Second)
	asked(0) // twice as long
	now.Move(time.Second)
	store.set(nil)
	asked(1)
	asked(1) // closed
	var lines []string
	for _, line := range logs.All() {
		lines = append(lines, line.Level.String()+" "+line.Message)
		for key, value := range line.ContextMap() {
			if text, ok := value.(string); ok && strings.Contains(text, "alice") {
				t.Errorf("%s has the subject: %s", key, text)
			}
		}
	}
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "warn rate limit store fails") || lines[1] != "warn rate limit store answers again" {
		t.Errorf("lines %q", lines)
	}
	if _, err := entry.Snapshot(); err == nil || !strings.Contains(err.Error(), "failed too often") {
		t.Errorf("the cause of the 503 in the access line: %v", err)
	}
	if observed != 11 {
		t.Errorf("%d decisions observed, want 11", observed)
	}
}

func TestResetAsksAStoreThatHasFailed(t *testing.T) {
	t.Parallel()
	now := clocktest.New(t)
	store := &faulty{Limiter: memory(t, now.Now, perMinute)}
	g := guarded(t, store, ratelimit.GuardConfig{OnError: ratelimit.Open, Now: now.Now})
	take(t, g, 2)
	if d := take(t, g, 1); d.Allowed {
		t.Fatal("not limited")
	}
	store.set(errDown)
	for range 5 {
		_, _ = g.Take(t.Context(), "other", 1)
	}
	if err := g.Reset(t.Context(), alice); err != nil {
		t.Fatal(err)
	}
	store.set(nil)
	now.Move(time.Second)
	if d := take(t, g, 1); !d.Allowed || d.Source != ratelimit.FromStore {
		t.Errorf("after a reset: %+v", d)
	}
}
