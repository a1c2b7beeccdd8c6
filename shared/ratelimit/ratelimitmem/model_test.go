package ratelimitmem_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimittest"
)

func TestTraceAgainstAModel(t *testing.T) {
	t.Parallel()
	ratelimittest.Trace(t, 2000, newLimiter, func(_ testing.TB, policies []ratelimit.Policy, now func() time.Time) ratelimit.Limiter {
		return &model{policies: policies, now: func() int64 { return now().UnixMicro() }, counts: map[ratelimit.Subject][]counter{}}
	})
}

// model is a limiter that shares no code with the package: its counters only know whether they would admit, and it
// searches for the numbers of a result.
type model struct {
	policies []ratelimit.Policy
	now      func() int64
	counts   map[ratelimit.Subject][]counter
}

type counter interface {
	admits(now, cost int64) bool
	take(now, cost int64)
	refund(r ratelimit.Result, taken, now, cost int64)
	// later are the times, in order, at which admits may change.
	later(now int64) []int64
}

func (m *model) counters(s ratelimit.Subject) []counter {
	if m.counts[s] == nil {
		for i := range m.policies {
			p := &m.policies[i]
			window := p.Window.Microseconds()
			switch p.Algorithm {
			case ratelimit.FixedWindow:
				m.counts[s] = append(m.counts[s], &windows{limit: p.Limit, length: window, id: func(at int64) int64 { return p.WindowOf(s, at) }, units: map[int64]int64{}})
			case ratelimit.SlidingLog:
				m.counts[s] = append(m.counts[s], &history{limit: int(p.Limit), length: window})
			default:
				unit := -(-window / p.Limit)
				if window%p.Limit != 0 {
					unit++
				}
				m.counts[s] = append(m.counts[s], &bucket{unit: unit, size: unit * p.Capacity()})
			}
		}
	}
	return m.counts[s]
}

func (m *model) Take(_ context.Context, s ratelimit.Subject, cost int64) (ratelimit.Decision, error) {
	for _, p := range m.policies {
		if cost < 1 || cost > p.Capacity() {
			return ratelimit.Decision{}, fmt.Errorf("cost %d", cost)
		}
	}
	now := m.now()
	d := ratelimit.Decision{Allowed: true, Subject: s, Cost: cost, At: now}
	for i, c := range m.counters(s) {
		r := ratelimit.Result{Policy: &m.policies[i], Allowed: c.admits(now, cost)}
		if !r.Allowed {
			r.RetryAfter = first(c, now, cost)
		}
		d.Results = append(d.Results, r)
		d.Allowed = d.Allowed && (r.Allowed || m.policies[i].Shadow)
	}
	for i, c := range m.counters(s) {
		if d.Allowed && d.Results[i].Allowed {
			c.take(now, cost)
		}
		m.left(&d.Results[i], c, now)
	}
	return d, nil
}

func (m *model) Peek(_ context.Context, s ratelimit.Subject) (ratelimit.Decision, error) {
	now := m.now()
	d := ratelimit.Decision{Allowed: true, Subject: s, At: now}
	for i, c := range m.counters(s) {
		r := ratelimit.Result{Policy: &m.policies[i], Allowed: c.admits(now, 1)}
		if !r.Allowed {
			r.RetryAfter = first(c, now, 1)
		}
		m.left(&r, c, now)
		d.Results = append(d.Results, r)
		d.Allowed = d.Allowed && (r.Allowed || m.policies[i].Shadow)
	}
	return d, nil
}

func (m *model) Refund(_ context.Context, d ratelimit.Decision) error {
	for _, p := range m.policies {
		if p.Algorithm == ratelimit.SlidingLog {
			return ratelimit.ErrNotRefundable
		}
	}
	for i, r := range d.Results {
		if d.Allowed && r.Allowed && d.Cost > 0 {
			m.counters(d.Subject)[i].refund(r, d.At, m.now(), d.Cost)
		}
	}
	return nil
}

func (m *model) Reset(_ context.Context, s ratelimit.Subject) error {
	delete(m.counts, s)
	return nil
}

func (m *model) Policies() []ratelimit.Policy { return m.policies }

func (m *model) left(r *ratelimit.Result, c counter, now int64) {
	for r.Remaining < r.Policy.Capacity() && c.admits(now, r.Remaining+1) {
		r.Remaining++
	}
	if r.Remaining < r.Policy.Capacity() {
		r.MoreAfter = first(c, now, r.Remaining+1)
	}
}

// first returns how long it takes until the counter admits.
func first(c counter, now, cost int64) time.Duration {
	for _, at := range c.later(now) {
		if at > now && c.admits(at, cost) {
			return time.Duration(at-now) * time.Microsecond
		}
	}
	return -1
}

// bucket is a token bucket: level is what was in it at the time at, in microseconds. A clock that goes back finds it
// emptier, as a line that goes through the same point.
type bucket struct{ unit, size, level, at int64 }

func (b *bucket) now(now int64) int64 {
	if b.at == 0 {
		return b.size
	}
	return min(b.size, b.level+now-b.at)
}
func (b *bucket) admits(now, cost int64) bool { return b.now(now) >= cost*b.unit }
func (b *bucket) take(now, cost int64)        { b.level, b.at = b.now(now)-cost*b.unit, now }

// refund does nothing when the bucket would be full again without it.
func (b *bucket) refund(r ratelimit.Result, taken, now, cost int64) {
	after := (r.Remaining+1)*b.unit - r.MoreAfter.Microseconds()
	if b.now(now) < b.size && after+now-taken < b.size {
		b.level += cost * b.unit
	}
}

func (b *bucket) later(now int64) []int64 {
	var at []int64
	for level := b.unit; level <= b.size; level += b.unit {
		at = append(at, now+level-b.now(now))
	}
	return at
}

// windows counts by the number of the window.
type windows struct {
	limit, length int64
	id            func(at int64) int64
	units         map[int64]int64
}

func (w *windows) admits(now, cost int64) bool { return w.units[w.id(now)]+cost <= w.limit }
func (w *windows) take(now, cost int64)        { w.units[w.id(now)] += cost }
func (w *windows) refund(_ ratelimit.Result, taken, now, cost int64) {
	if w.id(now) <= w.id(taken) && w.units[w.id(taken)] >= cost {
		w.units[w.id(taken)] -= cost
	}
}

func (w *windows) later(now int64) []int64 {
	end := now // the first microsecond of the next window, by bisection
	for step := w.length; step > 0; step /= 2 {
		for w.id(end+step) == w.id(now) {
			end += step
		}
	}
	var at []int64
	for n := range int64(10) {
		at = append(at, end+1+n*w.length)
	}
	return at
}

// history has the time of every unit that was ever admitted.
type history struct {
	limit  int
	length int64
	times  []int64
}

// A unit is admitted if the one that is limit units before it is a window ago.
func (h *history) admits(now, cost int64) bool {
	for n := range int(cost) {
		if i := len(h.times) + n - h.limit; i >= 0 && i < len(h.times) && now-h.times[i] < h.length {
			return false
		}
	}
	return true
}

func (h *history) take(now, cost int64) {
	h.times = append(h.times, slices.Repeat([]int64{now}, int(cost))...)
}
func (h *history) refund(ratelimit.Result, int64, int64, int64) {}

func (h *history) later(int64) []int64 {
	var at []int64
	for _, t := range h.times[max(0, len(h.times)-h.limit):] {
		at = append(at, t+h.length)
	}
	slices.Sort(at)
	return at
}
