package ratelimit_test

import (
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tienda-dev/tienda/shared/ratelimit"
)

const subject = ratelimit.Subject("4:user1:7")

// epoch is the real time at which the schedules begin, in microseconds since 1970.
const epoch = int64(1_800_000_000_000_003)

func policies() *rapid.Generator[ratelimit.Policy] {
	return rapid.Custom(func(t *rapid.T) ratelimit.Policy {
		p := ratelimit.Policy{
			Name:      "p",
			Algorithm: rapid.SampledFrom([]ratelimit.Algorithm{ratelimit.GCRA, ratelimit.FixedWindow, ratelimit.SlidingLog}).Draw(t, "algorithm"),
			Limit:     rapid.Int64Range(1, 12).Draw(t, "limit"),
			Window:    time.Duration(rapid.IntRange(1, 20).Draw(t, "window")) * time.Second,
		}
		if p.Algorithm == ratelimit.GCRA {
			p.Burst = rapid.Int64Range(0, 8).Draw(t, "burst")
		}
		if err := p.Validate(); err != nil {
			t.Fatal(err)
		}
		return p
	})
}

// event is a call: real time passes, and an instance whose clock is ahead by skew takes or refunds.
type event struct {
	after, skew, cost int64
	refund            bool
}

// schedules draws calls that come slowly, at once, and a microsecond around the times that matter.
func schedules(p ratelimit.Policy, skew int64) *rapid.Generator[[]event] {
	window := p.Window.Microseconds()
	after := rapid.OneOf(
		rapid.SampledFrom([]int64{0, 0, 1, p.Interval() - 1, p.Interval(), window - 1, window, window + 1, window - skew}),
		rapid.Int64Range(0, window/4), rapid.Int64Range(0, 2*window),
	)
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) event {
		return event{
			after:  max(0, after.Draw(t, "after")),
			skew:   rapid.OneOf(rapid.SampledFrom([]int64{0, skew}), rapid.Int64Range(0, skew)).Draw(t, "skew"),
			cost:   rapid.OneOf(rapid.Just(int64(1)), rapid.Int64Range(1, p.Capacity())).Draw(t, "cost"),
			refund: rapid.IntRange(0, 5).Draw(t, "refund") == 0,
		}
	}), 1, 60)
}

// taken is what an event did: units at a real time, negative for a refund.
type taken struct {
	at, units int64
	result    ratelimit.Result // not for a refund
}

// run applies the events to a policy, and calls before with the state and the time that each of them sees.
func run(p ratelimit.Policy, events []event, before func(s ratelimit.State, now int64, e event)) []taken {
	var s ratelimit.State
	var done, open []taken // at in open is a reading of the instance's clock
	at := epoch
	for _, e := range events {
		at += e.after
		now := at + e.skew
		before(s, now, e)
		if e.refund && len(open) > 0 {
			last := open[len(open)-1]
			open = open[:len(open)-1]
			after := p.Refund(subject, s, last.result, last.at, now, last.units)
			if !cmp.Equal(after, s) {
				done = append(done, taken{at: at, units: -last.units})
			}
			s = after
			continue
		}
		r, next := p.Take(subject, s, now, e.cost)
		if r.Allowed {
			done = append(done, taken{at: at, units: e.cost})
			open = append(open, taken{now, e.cost, r})
		}
		s = next
	}
	return done
}

// The bounds of the package's documentation hold in every interval, whatever the schedule, the clocks and the
// refunds are.
func TestBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := policies().Draw(t, "policy")
		window := p.Window.Microseconds()
		skew := min(rapid.SampledFrom([]int64{0, 1, 50_000, window / 3, window}).Draw(t, "skew"), ratelimit.MaxSkew.Microseconds())
		done := run(p, schedules(p, skew).Draw(t, "events"), func(ratelimit.State, int64, event) {})
		for i := range done {
			var units int64
			for _, last := range done[i:] {
				units += last.units
				length := last.at - done[i].at
				var ok bool
				switch p.Algorithm {
				case ratelimit.FixedWindow:
					ok = units <= p.Limit*((length+skew+window-1)/window+1)
				case ratelimit.SlidingLog:
					ok = units <= p.Limit || length >= window-skew
				default:
					ok = units*p.Interval() <= p.Tolerance()+length+skew
				}
				if !ok {
					t.Fatalf("%d units in %d µs, with a skew of %d µs", units, length, skew)
				}
			}
		}
	})
}

// always checks a property of a policy in every state that a schedule reaches, also with clocks that go back.
func always(t *testing.T, check func(t *rapid.T, p ratelimit.Policy, s ratelimit.State, now, cost int64)) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		p := policies().Draw(t, "policy")
		skew := rapid.SampledFrom([]int64{0, 50_000, p.Window.Microseconds() / 3, p.Window.Microseconds()}).Draw(t, "skew")
		run(p, schedules(p, skew).Draw(t, "events"), func(s ratelimit.State, now int64, e event) {
			check(t, p, s, now, e.cost)
		})
	})
}

func TestTATIsMonotone(t *testing.T) {
	t.Parallel()
	always(t, func(t *rapid.T, p ratelimit.Policy, s ratelimit.State, now, cost int64) {
		r, next := p.Take(subject, s, now, cost)
		if p.Algorithm == ratelimit.GCRA && r.Allowed && next.TAT < s.TAT+cost*p.Interval() {
			t.Fatalf("the theoretical arrival time goes from %d to %d", s.TAT, next.TAT)
		}
		if !r.Allowed && !cmp.Equal(next, s) {
			t.Fatalf("a denial changes %v to %v", s, next)
		}
	})
}

func TestRetryAfterIsExact(t *testing.T) {
	t.Parallel()
	always(t, func(t *rapid.T, p ratelimit.Policy, s ratelimit.State, now, cost int64) {
		r, _ := p.Take(subject, s, now, cost)
		if r.Allowed {
			return
		}
		wait := r.RetryAfter.Microseconds()
		if early, _ := p.Take(subject, s, now+wait-1, cost); early.Allowed || early.RetryAfter != time.Microsecond {
			t.Fatalf("one microsecond before %v: %+v", r.RetryAfter, early)
		}
		if late, _ := p.Take(subject, s, now+wait, cost); !late.Allowed {
			t.Fatalf("after %v: %+v", r.RetryAfter, late)
		}
	})
}

func TestRemainingCanBeTaken(t *testing.T) {
	t.Parallel()
	always(t, func(t *rapid.T, p ratelimit.Policy, s ratelimit.State, now, cost int64) {
		remaining := func(at int64) int64 { return p.Peek(subject, s, at).Remaining }
		taken, next := p.Take(subject, s, now, cost)
		for _, c := range []struct {
			result ratelimit.Result
			state  ratelimit.State
		}{{p.Peek(subject, s, now), s}, {taken, next}} {
			n := c.result.Remaining
			if n < 0 || n > p.Capacity() {
				t.Fatalf("%d units are left of %d", n, p.Capacity())
			}
			for take := int64(1); take <= p.Capacity(); take++ {
				if r, _ := p.Take(subject, c.state, now, take); r.Allowed != (take <= n) {
					t.Fatalf("%d units are left, and a take of %d is allowed: %t", n, take, r.Allowed)
				}
			}
		}
		if before := p.Peek(subject, s, now); before.MoreAfter > 0 {
			if early, late := remaining(now+before.MoreAfter.Microseconds()-1), remaining(now+before.MoreAfter.Microseconds()); early > before.Remaining || late <= before.Remaining {
				t.Fatalf("%d units are left, %d before and %d at %v", before.Remaining, early, late, before.MoreAfter)
			}
		} else if before.Remaining != p.Capacity() {
			t.Fatalf("%d units are left, and there are never more", before.Remaining)
		}
	})
}

// A refund of the last take makes every later decision the same as without the take.
func TestRefundRestores(t *testing.T) {
	t.Parallel()
	always(t, func(t *rapid.T, p ratelimit.Policy, s ratelimit.State, now, cost int64) {
		later := now + rapid.OneOf(rapid.SampledFrom([]int64{0, 1}), rapid.Int64Range(0, 2*p.Window.Microseconds())).Draw(t, "later")
		r, next := p.Take(subject, s, now, cost)
		if !r.Allowed || !p.Refundable() {
			return
		}
		back := p.Refund(subject, next, r, now, later, cost)
		if diff := cmp.Diff(p.Peek(subject, s, later), p.Peek(subject, back, later)); diff != "" {
			t.Fatalf("%d µs later (-never taken +refunded):\n%s", later-now, diff)
		}
	})
}

// A refund gives nothing back that time has given back already, even if the subject is busy again with other units.
func TestLateRefundIsNotASecondUnit(t *testing.T) {
	t.Parallel()
	p := ratelimit.Policy{Name: "x", Limit: 10, Window: 10 * time.Second} // one a second, bursts of 10
	const second = int64(1e6)
	first, state := p.Take(subject, ratelimit.State{}, epoch, 1)
	at := epoch + 5*second // first is paid for since 4 s
	burst, state := p.Take(subject, state, at, 10)
	state = p.Refund(subject, state, first, epoch, at, 1)
	eleventh, _ := p.Take(subject, state, at, 1)
	if !first.Allowed || !burst.Allowed || eleventh.Allowed {
		t.Errorf("%t, %t, %t: 11 units at once, of which none was refunded, with a burst of 10", first.Allowed, burst.Allowed, eleventh.Allowed)
	}
}

func TestFreshStatesAreAsNeverSeen(t *testing.T) {
	t.Parallel()
	always(t, func(t *rapid.T, p ratelimit.Policy, s ratelimit.State, now, _ int64) {
		at := p.FreshAt(subject, s)
		if got := p.Peek(subject, s, max(at, epoch)); got.Remaining != p.Capacity() {
			t.Fatalf("a fresh subject has %d units", got.Remaining)
		}
		if got := p.Peek(subject, s, at-1); at > now && got.Remaining == p.Capacity() {
			t.Fatal("the subject was fresh before")
		}
	})
}

// All policies take, or none does, and what is given to Decide does not change.
func TestDecideIsAllOrNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ps := rapid.SliceOfN(policies(), 1, 4).Draw(t, "policies")
		cost := int64(1)
		for i := range ps {
			ps[i].Shadow = rapid.Bool().Draw(t, "shadow")
		}
		states, now := make([]ratelimit.State, len(ps)), epoch
		for range rapid.IntRange(1, 40).Draw(t, "calls") {
			now += rapid.Int64Range(0, 2_000_000).Draw(t, "after")
			before := clone(states)
			d, next := ratelimit.Decide(ps, subject, states, now, cost)
			if !cmp.Equal(before, states) {
				t.Fatal("Decide changes the states that it is given")
			}
			for i, p := range ps {
				alone, after := p.Take(subject, before[i], now, cost)
				if alone.Allowed != d.Results[i].Allowed || alone.RetryAfter != d.Results[i].RetryAfter || d.Allowed && d.Results[i] != (ratelimit.Result{Policy: &ps[i], Allowed: alone.Allowed, Remaining: alone.Remaining, RetryAfter: alone.RetryAfter, MoreAfter: alone.MoreAfter}) {
					t.Fatalf("policy %d says %+v, alone %+v", i, d.Results[i], alone)
				}
				if !d.Allowed {
					after = before[i]
				}
				if !cmp.Equal(after, next[i]) || d.Results[i].Remaining != p.Peek(subject, next[i], now).Remaining {
					t.Fatalf("policy %d is in state %v, want %v", i, next[i], after)
				}
				if !alone.Allowed && !p.Shadow && d.Allowed {
					t.Fatalf("policy %d denies, and the decision admits", i)
				}
			}
			states = next
		}
	})
}

func clone(states []ratelimit.State) []ratelimit.State {
	all := make([]ratelimit.State, len(states))
	for i, s := range states {
		all[i] = ratelimit.State{TAT: s.TAT, Log: append([]int64(nil), s.Log...)}
		if s.Windows != nil {
			all[i].Windows = map[int64]int64{}
			maps.Copy(all[i].Windows, s.Windows)
		}
	}
	return all
}
