// Package ratelimittest has what every implementation of ratelimit.Limiter must pass: Run, the suite, and Trace, which
// compares two implementations decision by decision.
package ratelimittest

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/ratelimit"
)

// New returns a limiter with the policies, on a store that other limiters of the test may share. All its times are
// those of now, which is in the year 2100, so that a store does not expire what the test counts.
type New func(t testing.TB, policies []ratelimit.Policy, now func() time.Time) ratelimit.Limiter

// Clock is a clock that only moves when it is told to. It is safe for concurrent use.
type Clock struct{ micros atomic.Int64 }

// NewClock returns a clock in the year 2100, at an odd microsecond.
func NewClock() *Clock {
	c := &Clock{}
	c.micros.Store(time.Date(2100, 1, 1, 12, 34, 56, 789_123_000, time.UTC).UnixMicro())
	return c
}

// Now returns the time.
func (c *Clock) Now() time.Time { return time.UnixMicro(c.micros.Load()) }

// Move moves the clock, backwards too, by whole microseconds.
func (c *Clock) Move(d time.Duration) { c.micros.Add(d.Microseconds()) }

// Set sets the clock, to the microsecond.
func (c *Clock) Set(now time.Time) { c.micros.Store(now.UnixMicro()) }
