package healthcheck_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/tienda-dev/tienda/shared/healthcheck"
	"github.com/tienda-dev/tienda/shared/logging"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type run = func(context.Context) error

func ok(context.Context) error { return nil }

func fails(context.Context) error { return errors.New("canary: table commerce at 10.0.0.7") }

func panics(context.Context) error { panic("canary: table commerce at 10.0.0.7") }

func exits(context.Context) error { runtime.Goexit(); return nil }

func obeys(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

// deaf returns a Run that ignores its context for d.
func deaf(d time.Duration) run {
	return func(context.Context) error { time.Sleep(d); return nil }
}

func newChecker(t testing.TB, cfg healthcheck.Config, checks ...healthcheck.Check) *healthcheck.Checker {
	t.Helper()
	c, err := healthcheck.New(checks, cfg, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func report(t testing.TB, c *healthcheck.Checker) healthcheck.Report {
	t.Helper()
	r, err := c.Report(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func critical(name string, r run) healthcheck.Check {
	return healthcheck.Check{Name: name, Critical: true, Run: r}
}

func minor(name string, r run) healthcheck.Check { return healthcheck.Check{Name: name, Run: r} }

func TestStatus(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		checks []healthcheck.Check
		want   healthcheck.Status
		code   int
	}{
		"NoChecks":         {nil, healthcheck.Up, 200},
		"AllWell":          {[]healthcheck.Check{critical("a", ok), minor("b", ok)}, healthcheck.Up, 200},
		"MinorFails":       {[]healthcheck.Check{critical("a", ok), minor("b", fails)}, healthcheck.Degraded, 200},
		"CriticalFails":    {[]healthcheck.Check{critical("a", fails), minor("b", ok)}, healthcheck.Down, 503},
		"CriticalWins":     {[]healthcheck.Check{minor("b", fails), critical("a", fails), minor("c", fails)}, healthcheck.Down, 503},
		"MinorPanics":      {[]healthcheck.Check{minor("b", panics)}, healthcheck.Degraded, 200},
		"CriticalPanics":   {[]healthcheck.Check{critical("a", panics)}, healthcheck.Down, 503},
		"CriticalHangs":    {[]healthcheck.Check{critical("a", obeys)}, healthcheck.Down, 503},
		"CriticalIsDeaf":   {[]healthcheck.Check{critical("a", deaf(time.Minute))}, healthcheck.Down, 503},
		"CriticalExits":    {[]healthcheck.Check{critical("a", exits)}, healthcheck.Down, 503},
		"SlowButInTime":    {[]healthcheck.Check{critical("a", deaf(999*time.Millisecond))}, healthcheck.Up, 200},
		"OwnTimeoutLonger": {[]healthcheck.Check{{Name: "a", Critical: true, Timeout: 3 * time.Second, Run: deaf(2 * time.Second)}}, healthcheck.Up, 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c := newChecker(t, healthcheck.Config{}, tt.checks...)
				rec := httptest.NewRecorder()
				if err := c.Handler()(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/health", nil)); err != nil {
					t.Fatal(err)
				}
				var got healthcheck.Report
				if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil {
					t.Fatal(err)
				}
				if got.Status != tt.want || rec.Code != tt.code {
					t.Errorf("%s with %d, want %s with %d", got.Status, rec.Code, tt.want, tt.code)
				}
				if len(got.Checks) != len(tt.checks) {
					t.Errorf("%d checks in the report, want %d", len(got.Checks), len(tt.checks))
				}
				if strings.Contains(rec.Body.String(), "canary") {
					t.Errorf("the cause is in the answer: %s", rec.Body)
				}
				time.Sleep(time.Hour) // the bubble may not end with a check that is out
			})
		})
	}
}

func TestAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // midnight UTC 2000-01-01
		c := newChecker(t, healthcheck.Config{},
			critical("tables", deaf(1500*time.Microsecond)), healthcheck.Check{Name: "slow", Timeout: 20 * time.Millisecond, Run: obeys})
		rec := httptest.NewRecorder()
		if err := c.Handler()(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/health", nil)); err != nil {
			t.Fatal(err)
		}

		want := `{"status":"DEGRADED","timestamp":"2000-01-01T00:00:00.000Z","duration_ms":20,` +
			`"checks":{"slow":{"status":"DOWN","duration_ms":20},"tables":{"status":"UP","duration_ms":1.5}}}`
		if diff := cmp.Diff(want, rec.Body.String()); diff != "" {
			t.Error(diff)
		}
		if got := rec.Header().Get("Content-Type"); got != "application/json" {
			t.Errorf("content type %q", got)
		}
		if got := rec.Header().Get("Cache-Control"); got != "no-store" {
			t.Errorf("cache control %q", got)
		}
	})
}

func TestCauseIsLogged(t *testing.T) {
	t.Parallel()

	for name, tc := range map[string]struct {
		run   run
		cause string
	}{
		"Fails":  {fails, "10.0.0.7"},
		"Panics": {panics, "panic with a string"}, // its text may be anything
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			log, err := logging.New(logging.Config{}, &out)
			if err != nil {
				t.Fatal(err)
			}
			c := newChecker(t, healthcheck.Config{}, critical("tables", tc.run))
			for range 3 { // cached: the cause is logged once
				if _, err := c.Report(logging.With(t.Context(), log)); err != nil {
					t.Fatal(err)
				}
			}
			if strings.Count(out.String(), tc.cause) != 1 || !strings.Contains(out.String(), `"check":"tables"`) {
				t.Errorf("logged %s", out.String())
			}
		})
	}
}

func TestChecksRunInParallel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newChecker(t, healthcheck.Config{},
			minor("a", deaf(100*time.Millisecond)), minor("b", deaf(100*time.Millisecond)), minor("c", deaf(100*time.Millisecond)))
		if got := report(t, c).DurationMS; got != 100 {
			t.Errorf("took %v ms, want 100", got)
		}
	})
}

func TestReportIsCached(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		cacheFor, wait time.Duration
		want           int32
	}{
		"Default":          {0, 5*time.Second - 1, 1},
		"DefaultRunsOut":   {0, 5 * time.Second, 2},
		"Configured":       {time.Minute, time.Minute - 1, 1},
		"ConfiguredIsOver": {time.Minute, time.Minute, 2},
		"Off":              {-1, 0, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var runs atomic.Int32
				c := newChecker(t, healthcheck.Config{CacheFor: tt.cacheFor}, minor("a", func(context.Context) error { runs.Add(1); return nil }))
				first := report(t, c)
				first.Checks["a"] = healthcheck.Result{} // the caller's own copy
				time.Sleep(tt.wait)
				second := report(t, c)
				if runs.Load() != tt.want {
					t.Errorf("%d runs, want %d", runs.Load(), tt.want)
				}
				status := second.Checks["a"].Status
				second.Checks["a"] = healthcheck.Result{}
				if status != healthcheck.Up || report(t, c).Checks["a"].Status != healthcheck.Up {
					t.Error("one caller changed the report of another")
				}
			})
		})
	}
}

func TestCallersShareOneRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var runs atomic.Int32
		c := newChecker(t, healthcheck.Config{CacheFor: -1}, critical("a", func(context.Context) error {
			runs.Add(1)
			time.Sleep(100 * time.Millisecond)
			return nil
		}))
		var group sync.WaitGroup
		for range 50 {
			group.Go(func() {
				if got := report(t, c).Status; got != healthcheck.Up {
					t.Errorf("status %s", got)
				}
			})
		}
		group.Wait()
		if runs.Load() != 1 {
			t.Errorf("%d runs, want 1", runs.Load())
		}
	})
}

// When one caller gives up, the others must not see the service as DOWN.
func TestRunSurvivesItsCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newChecker(t, healthcheck.Config{}, critical("a", func(ctx context.Context) error {
			select {
			case <-time.After(100 * time.Millisecond):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if got, err := c.Report(ctx); err != nil || got.Status != healthcheck.Up {
			t.Errorf("%s, %v; want UP", got.Status, err)
		}
	})
}

func TestWaitingCallerGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newChecker(t, healthcheck.Config{}, critical("a", deaf(500*time.Millisecond)))
		var group sync.WaitGroup
		group.Go(func() { report(t, c) })
		synctest.Wait()

		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		rec := httptest.NewRecorder()
		err := c.Handler()(rec, httptest.NewRequestWithContext(ctx, http.MethodGet, "/health", nil))
		if !errors.Is(err, context.DeadlineExceeded) || rec.Body.Len() > 0 {
			t.Errorf("error %v, body %q", err, rec.Body)
		}
		group.Wait()
	})
}

// A check that ignores its timeout runs once at a time, however often a report is requested.
func TestDeafCheckIsNotStartedTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out, most atomic.Int32
		c := newChecker(t, healthcheck.Config{CacheFor: -1}, critical("a", func(context.Context) error {
			most.Store(max(most.Load(), out.Add(1)))
			defer out.Add(-1)
			time.Sleep(10 * time.Second)
			return nil
		}))
		for range 5 {
			if got := report(t, c).Status; got != healthcheck.Down {
				t.Errorf("status %s, want DOWN", got)
			}
		}
		if most.Load() != 1 {
			t.Errorf("%d at the same time, want 1", most.Load())
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if out.Load() != 0 {
			t.Error("the check is still running")
		}
		report(t, c)
		if most.Load() != 1 || out.Load() != 1 {
			t.Errorf("after it returned it did not run again: %d, %d", most.Load(), out.Load())
		}
		time.Sleep(time.Hour) // the bubble may not end with a check that is out
	})
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()

	for name, checks := range map[string][]healthcheck.Check{
		"NoName":          {minor("", ok)},
		"NameWithSpace":   {minor("a b", ok)},
		"NameTwice":       {minor("a", ok), critical("a", ok)},
		"NoRun":           {minor("a", nil)},
		"NegativeTimeout": {{Name: "a", Timeout: -1, Run: ok}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := healthcheck.New(checks, healthcheck.Config{}, time.Now); err == nil {
				t.Error("accepted")
			}
		})
	}
	if _, err := healthcheck.New(nil, healthcheck.Config{}, nil); err == nil {
		t.Error("a nil clock was accepted")
	}
}

func TestTempSpace(t *testing.T) {
	t.Parallel()

	if err := healthcheck.TempSpace(1)(t.Context()); err != nil {
		t.Errorf("one byte: %v", err)
	}
	if err := healthcheck.TempSpace(math.MaxUint64)(t.Context()); err == nil {
		t.Error("an impossible amount of space is free")
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()

	c := newChecker(t, healthcheck.Config{CacheFor: time.Nanosecond}, critical("a", ok), minor("b", fails))
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 100 {
				if got := report(t, c); got.Status != healthcheck.Degraded || len(got.Checks) != 2 {
					t.Errorf("got %+v", got)
				}
			}
		})
	}
	group.Wait()
}

func BenchmarkCached(b *testing.B) {
	c := newChecker(b, healthcheck.Config{CacheFor: time.Hour}, critical("a", ok), minor("b", ok))
	b.ReportAllocs()
	for b.Loop() {
		report(b, c)
	}
}
