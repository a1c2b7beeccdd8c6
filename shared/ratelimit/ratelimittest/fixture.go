package ratelimittest

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/ratelimit"
)

// The policies of the suite. Their capacity is 4, so that a test is a few calls.
func gcra() ratelimit.Policy {
	return ratelimit.Policy{Name: "gcra", Limit: 7, Window: time.Minute, Burst: 4} // an interval that is rounded
}

func window() ratelimit.Policy {
	return ratelimit.Policy{Name: "window", Algorithm: ratelimit.FixedWindow, Limit: 4, Window: time.Minute}
}

func slidingLog() ratelimit.Policy {
	return ratelimit.Policy{Name: "log", Algorithm: ratelimit.SlidingLog, Limit: 4, Window: time.Minute}
}

const capacity = 4

// fixture is a limiter, its clock and one subject that nobody else uses.
type fixture struct {
	t       *testing.T
	clock   *Clock
	limiter ratelimit.Limiter
	subject ratelimit.Subject
}

func start(t *testing.T, newLimiter New, policies ...ratelimit.Policy) *fixture {
	t.Helper()
	clock := NewClock()
	return &fixture{
		t: t, clock: clock, limiter: newLimiter(t, policies, clock.Now),
		subject: ratelimit.NewSubject("test", t.Name(), tag()),
	}
}

// tag is different in each call, so that tests may share a store.
func tag() string { return rand.Text() }

// take takes units and fails the test if the decision's own fields are wrong.
func (f *fixture) take(cost int64) ratelimit.Decision {
	f.t.Helper()
	d, err := f.limiter.Take(f.t.Context(), f.subject, cost)
	if err != nil {
		f.t.Fatalf("Take of %d: %v", cost, err)
	}
	f.check(d)
	if d.Cost != cost {
		f.t.Fatalf("Cost is %d, want %d", d.Cost, cost)
	}
	return d
}

func (f *fixture) peek() ratelimit.Decision {
	f.t.Helper()
	d, err := f.limiter.Peek(f.t.Context(), f.subject)
	if err != nil {
		f.t.Fatalf("Peek: %v", err)
	}
	f.check(d)
	if d.Cost != 0 || d.Took() {
		f.t.Fatalf("a decision of Peek took %d units", d.Cost)
	}
	return d
}

// check fails the test if a decision contradicts itself.
func (f *fixture) check(d ratelimit.Decision) {
	f.t.Helper()
	policies := f.limiter.Policies()
	if d.Source != ratelimit.FromStore || d.Subject != f.subject || d.At != f.clock.Now().UnixMicro() || len(d.Results) != len(policies) {
		f.t.Fatalf("Source %d, Subject %q, At %d, %d results", d.Source, d.Subject, d.At, len(d.Results))
	}
	allowed := true
	for i, r := range d.Results {
		p := policies[i]
		if r.Policy == nil || *r.Policy != p {
			f.t.Fatalf("result %d has policy %v, want %v", i, r.Policy, p)
		}
		if r.Allowed != (r.RetryAfter == 0) || r.RetryAfter < 0 {
			f.t.Fatalf("%s: allowed %t, retry after %v", p.Name, r.Allowed, r.RetryAfter)
		}
		if r.Remaining < 0 || r.Remaining > p.Capacity() || (r.MoreAfter == 0) != (r.Remaining == p.Capacity()) || r.MoreAfter < 0 {
			f.t.Fatalf("%s: remaining %d, more after %v", p.Name, r.Remaining, r.MoreAfter)
		}
		allowed = allowed && (r.Allowed || p.Shadow)
	}
	if d.Allowed != allowed {
		f.t.Fatalf("Allowed is %t, want %t: %v", d.Allowed, allowed, d.Results)
	}
}

// admitted takes units and fails the test if they are denied.
func (f *fixture) admitted(cost int64) ratelimit.Decision {
	f.t.Helper()
	d := f.take(cost)
	if !d.Allowed {
		f.t.Fatalf("%d units are denied: %+v", cost, d.Results)
	}
	return d
}

// denied takes units and fails the test if they are admitted. It returns when they would be.
func (f *fixture) denied(cost int64) time.Duration {
	f.t.Helper()
	d := f.take(cost)
	if d.Allowed {
		f.t.Fatalf("%d units are admitted: %+v", cost, d.Results)
	}
	var after time.Duration
	for _, r := range d.Results {
		if !r.Policy.Shadow {
			after = max(after, r.RetryAfter)
		}
	}
	return after
}

// remaining fails the test if another number of units could be taken of the i-th policy.
func (f *fixture) remaining(i int, want int64) {
	f.t.Helper()
	if got := f.peek().Results[i].Remaining; got != want {
		f.t.Fatalf("policy %d has %d units left, want %d", i, got, want)
	}
}

func (f *fixture) refund(d ratelimit.Decision) {
	f.t.Helper()
	if err := f.limiter.Refund(f.t.Context(), d); err != nil {
		f.t.Fatalf("Refund: %v", err)
	}
}
