// Package healthcheck runs a service's health checks in parallel, each under its own
// timeout, and returns one report: UP, DEGRADED when a check fails that is not critical, DOWN
// when a critical one does. A report is kept for a few seconds, so that a probe costs the
// dependencies little. Causes go to the log, never into the report.
package healthcheck

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/clock"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/metrics"
)

// Status is the state of a service or of one check.
type Status string

// The statuses. A single check is Up or Down.
const (
	// Up: everything works.
	Up Status = "UP"
	// Degraded: a check that is not critical failed.
	Degraded Status = "DEGRADED"
	// Down: a critical check failed.
	Down Status = "DOWN"
)

const (
	// DefaultTimeout bounds a check without a timeout.
	DefaultTimeout = time.Second
	// DefaultCacheFor is how long a report is kept.
	DefaultCacheFor = 5 * time.Second
)

// cacheName is the name of the kept report in metrics.
const cacheName = "health_report"

// Check is one question about the service's health.
type Check struct {
	// Name appears in the report: letters, digits, "_", "-" and ".". It must be unique.
	Name string
	// Critical means that the service cannot do its work when the check fails.
	Critical bool
	// Timeout bounds Run. 0 is DefaultTimeout.
	Timeout time.Duration
	// Run returns nil if the check passes. It should return when its context is done. A Run that
	// does not counts as failed, and is not started again before it has returned. A panic is a
	// failure.
	Run func(ctx context.Context) error
}

// Config tunes a Checker. Its zero value works.
type Config struct {
	// CacheFor is how long a report is kept. 0 is DefaultCacheFor; negative is not at all.
	CacheFor time.Duration
}

// Report is the state of the service and of each check.
type Report struct {
	Status Status `json:"status"`
	// Timestamp is when the checks ran.
	Timestamp api.Time `json:"timestamp"`
	// DurationMS is how long all the checks took, in milliseconds.
	DurationMS float64           `json:"duration_ms"`
	Checks     map[string]Result `json:"checks"`
}

// Result is the state of one check: UP or DOWN.
type Result struct {
	Status     Status  `json:"status"`
	DurationMS float64 `json:"duration_ms"`
}

// Checker runs checks. It is safe for concurrent use.
type Checker struct {
	checks   []*runner
	cacheFor time.Duration
	clock    func() time.Time

	mu     sync.Mutex
	last   Report
	made   time.Time // when the last report was made
	flight *flight   // the current run, or nil
}

// flight is one run of the checks that several callers wait for.
type flight struct {
	done   chan struct{} // closed at the end
	report Report        // read it after done; zero if the run was cut short
}

// New returns a Checker. It refuses a check without a name, with a repeated or ill-formed one or
// without Run, a negative timeout, and a nil clock. Without checks the service is UP: that is a
// liveness probe.
func New(checks []Check, cfg Config, now func() time.Time) (*Checker, error) {
	if now == nil {
		return nil, errors.New("healthcheck: no clock")
	}
	if cfg.CacheFor == 0 {
		cfg.CacheFor = DefaultCacheFor
	}
	c := &Checker{cacheFor: cfg.CacheFor, clock: clock.Wall(now)}
	seen := make(map[string]bool, len(checks))
	for _, check := range checks {
		switch {
		case !validName(check.Name):
			return nil, fmt.Errorf("healthcheck: invalid check name %q", check.Name)
		case seen[check.Name]:
			return nil, fmt.Errorf("healthcheck: two checks have the name %q", check.Name)
		case check.Run == nil:
			return nil, fmt.Errorf("healthcheck: %q has no Run", check.Name)
		case check.Timeout < 0:
			return nil, fmt.Errorf("healthcheck: %q has a timeout of %v", check.Name, check.Timeout)
		case check.Timeout == 0:
			check.Timeout = DefaultTimeout
		}
		seen[check.Name] = true
		c.checks = append(c.checks, &runner{Check: check})
	}
	return c, nil
}

func validName(name string) bool {
	for i := range len(name) {
		c := name[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (c < '0' || c > '9') && c != '_' && c != '-' && c != '.' {
			return false
		}
	}
	return name != ""
}

// Report returns the last report while it is fresh, and runs the checks otherwise. Callers at the
// same time share one run. The run itself does not end with ctx, which is one caller's: its
// timeouts bound it. When ctx ends before there is a report, the error is ctx's.
func (c *Checker) Report(ctx context.Context) (Report, error) {
	for {
		c.mu.Lock()
		if clock.Fresh(c.made, c.clock(), c.cacheFor) {
			metrics.From(ctx).Cache(ctx, cacheName, metrics.CacheHit)
			report := c.last.clone()
			c.mu.Unlock()
			return report, nil
		}
		current := c.flight
		if current == nil {
			current = &flight{done: make(chan struct{})}
			c.flight = current
			c.mu.Unlock()
			return c.lead(ctx, current), nil
		}
		c.mu.Unlock()

		select {
		case <-current.done:
			if current.report.Status != "" {
				metrics.From(ctx).Cache(ctx, cacheName, metrics.CacheMiss)
				return current.report.clone(), nil
			}
		case <-ctx.Done():
			metrics.From(ctx).Cache(ctx, cacheName, metrics.CacheError)
			return Report{}, ctx.Err()
		}
	}
}

// lead runs the checks for every caller that waits for f.
func (c *Checker) lead(ctx context.Context, f *flight) Report {
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		m, result := metrics.From(ctx), metrics.CacheError
		if f.report.Status != "" {
			c.last, c.made = f.report, c.clock()
			result = metrics.CacheMiss
			m.CacheSize(ctx, cacheName, 1, 0)
		}
		m.Cache(ctx, cacheName, result)
		c.flight = nil
		close(f.done)
	}()
	f.report = c.run(context.WithoutCancel(ctx))
	return f.report.clone()
}

// clone returns a copy that its caller may change.
func (r Report) clone() Report {
	r.Checks = maps.Clone(r.Checks)
	return r
}

func (c *Checker) run(ctx context.Context) Report {
	start := c.clock()
	report := Report{
		Status:    Up,
		Timestamp: api.NewTime(start),
		Checks:    make(map[string]Result, len(c.checks)),
	}

	results := make([]Result, len(c.checks))
	var group sync.WaitGroup
	for i, check := range c.checks {
		group.Go(func() { results[i] = check.result(ctx, c.clock) })
	}
	group.Wait()

	for i, check := range c.checks {
		report.Checks[check.Name] = results[i]
		switch {
		case results[i].Status == Up:
		case check.Critical:
			report.Status = Down
		case report.Status == Up:
			report.Status = Degraded
		}
	}
	took := max(0, c.clock().Sub(start))
	metrics.From(ctx).CacheLoaded(ctx, cacheName, took, nil)
	report.DurationMS = milliseconds(took)
	return report
}

// runner is a check and whether its Run is still running.
type runner struct {
	Check

	out atomic.Bool
}

var errStillRunning = errors.New("the check before has not returned yet")

// result runs the check and logs why it failed.
func (r *runner) result(ctx context.Context, wall func() time.Time) Result {
	start := wall()
	err := r.do(ctx)
	took := max(0, wall().Sub(start))
	result := Result{Status: Up, DurationMS: milliseconds(took)}
	metrics.From(ctx).Health(ctx, r.Name, err == nil, took)
	if err != nil {
		result.Status = Down
		logging.From(ctx).Warn("health check failed",
			zap.String("check", r.Name), zap.Bool("critical", r.Critical), zap.Error(err))
	}
	return result
}

// do waits for Run, at most for the timeout. A Run that ignores its context continues until
// it returns; its result is then dropped.
func (r *runner) do(ctx context.Context) error {
	if !r.out.CompareAndSwap(false, true) {
		return errStillRunning
	}
	ctx, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()

	done := make(chan error, 1)
	go func() {
		err := errors.New("the check ended its goroutine")
		defer func() {
			r.out.Store(false) // before the next run can start
			done <- err
		}()
		err = protected(ctx, r.Run)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func protected(ctx context.Context, run func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = logging.Panicked(p)
		}
	}()
	return run(ctx)
}

// milliseconds returns d, or 0 when the clock was set back meanwhile.
func milliseconds(d time.Duration) float64 { return float64(max(0, d).Microseconds()) / 1000 }
