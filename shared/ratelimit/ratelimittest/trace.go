package ratelimittest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/ratelimit"
)

// traceSkew is how far the clocks of the trace's instances are ahead or behind.
const traceSkew = 5 * time.Second

// Trace makes the same random calls, one after the other, on two limiters with one clock, and fails the test at the
// first decision that differs in what is allowed, remaining, retry-after or more-after. The clock rests, moves to the
// exact times that decisions name and the microseconds before them, and jumps back and forth as between instances.
// steps is the number of calls for each of several sets of policies.
func Trace(t *testing.T, steps int, newA, newB New) {
	t.Helper()
	shadow := window()
	shadow.Name, shadow.Shadow = "shadow", true
	second := gcra()
	second.Name, second.Limit, second.Window, second.Burst = "second", 3, time.Second, 0
	wide := slidingLog()
	wide.Name, wide.Limit, wide.Window = "wide", ratelimit.MaxLog, 10*time.Second
	for name, policies := range map[string][]ratelimit.Policy{
		"GCRA":        {gcra()},
		"FixedWindow": {window()},
		"SlidingLog":  {slidingLog()},
		"WideLog":     {wide},
		"TwoGCRAs":    {second, gcra()},
		"Three":       {second, window(), slidingLog()},
		"Shadow":      {gcra(), shadow},
		"ShadowGCRA":  {window(), func() ratelimit.Policy { p := second; p.Shadow = true; return p }(), gcra()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seed, run := rand.Uint64(), tag()
			t.Logf("seed %d, tag %s", seed, run)
			tr := trace{random: rand.New(rand.NewPCG(seed, 0)), clock: NewClock()}
			for i := range 3 {
				tr.subjects = append(tr.subjects, ratelimit.NewSubject("trace", run, strconv.Itoa(i)))
			}
			tr.a, tr.b = newA(t, policies, tr.clock.Now), newB(t, policies, tr.clock.Now)
			for step := range steps {
				if diff := tr.step(t.Context()); diff != "" {
					t.Fatalf("step %d: %s", step, diff)
				}
			}
		})
	}
}

type trace struct {
	random   *rand.Rand
	clock    *Clock
	skew     time.Duration
	a, b     ratelimit.Limiter
	subjects []ratelimit.Subject
	last     ratelimit.Decision
	taken    [][2]ratelimit.Decision // not refunded
}

// step makes one call on both limiters and returns how they differ.
func (tr *trace) step(ctx context.Context) string {
	tr.move()
	subject := tr.subjects[tr.random.IntN(len(tr.subjects))]
	var what string
	var a, b ratelimit.Decision
	var errA, errB error
	switch n := tr.random.IntN(100); {
	case n < 70:
		cost := 1 + tr.random.Int64N(tr.smallest()+1) // sometimes more than can be
		if tr.random.IntN(2) == 0 {
			cost = 1
		}
		what = fmt.Sprintf("Take of %d", cost)
		a, errA = tr.a.Take(ctx, subject, cost)
		b, errB = tr.b.Take(ctx, subject, cost)
		tr.taken = append(tr.taken, [2]ratelimit.Decision{a, b})
	case n < 80:
		what = "Peek"
		a, errA = tr.a.Peek(ctx, subject)
		b, errB = tr.b.Peek(ctx, subject)
	case n < 98 && len(tr.taken) > 0:
		what = "Refund"
		i := max(0, len(tr.taken)-1-tr.random.IntN(4))
		errA, errB = tr.a.Refund(ctx, tr.taken[i][0]), tr.b.Refund(ctx, tr.taken[i][1])
		tr.taken = append(tr.taken[:i:i], tr.taken[i+1:]...)
	default:
		what = "Reset"
		errA, errB = tr.a.Reset(ctx, subject), tr.b.Reset(ctx, subject)
	}
	if (errA == nil) != (errB == nil) || errors.Is(errA, ratelimit.ErrNotRefundable) != errors.Is(errB, ratelimit.ErrNotRefundable) {
		return fmt.Sprintf("%s of %s: errors %v and %v", what, subject, errA, errB)
	}
	if diff := cmp.Diff(a, b); diff != "" {
		return fmt.Sprintf("%s of %s at %d (-a +b):\n%s", what, subject, tr.clock.Now().UnixMicro(), diff)
	}
	if len(a.Results) > 0 {
		tr.last = a
	}
	return ""
}

func (tr *trace) smallest() int64 {
	smallest := tr.a.Policies()[0].Capacity()
	for _, p := range tr.a.Policies() {
		smallest = min(smallest, p.Capacity())
	}
	return smallest
}

// move moves the clock: time passes, and the next call comes from an instance with another clock.
func (tr *trace) move() {
	if tr.random.IntN(5) == 0 {
		skew := time.Duration(tr.random.Int64N(2*traceSkew.Microseconds()+1))*time.Microsecond - traceSkew
		if tr.random.IntN(2) == 0 {
			skew = 0
		}
		tr.clock.Move(skew - tr.skew)
		tr.skew = skew
	}
	switch tr.random.IntN(10) {
	case 0, 1, 2, 3:
	case 4:
		tr.clock.Move(time.Duration(1+tr.random.IntN(3)) * time.Microsecond)
	case 5:
		tr.clock.Move(time.Duration(tr.random.Int64N(int64(20 * time.Second))).Truncate(time.Microsecond))
	case 6:
		if tr.random.IntN(10) == 0 {
			tr.clock.Move(3 * time.Minute)
		}
	default: // to what the last decision named, or just before
		if len(tr.last.Results) == 0 {
			return
		}
		r := tr.last.Results[tr.random.IntN(len(tr.last.Results))]
		to := r.RetryAfter
		if to == 0 {
			to = r.MoreAfter
		}
		if to > 0 && to <= time.Minute {
			tr.clock.Move(to - time.Duration(tr.random.IntN(2))*time.Microsecond)
		}
	}
}
