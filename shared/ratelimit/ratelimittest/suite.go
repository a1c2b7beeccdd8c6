package ratelimittest

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/ratelimit"
)

// Run runs the suite. A store that needs it to be slow may take a few hundred calls.
func Run(t *testing.T, newLimiter New) {
	t.Helper()
	for name, policy := range map[string]ratelimit.Policy{"GCRA": gcra(), "FixedWindow": window(), "SlidingLog": slidingLog()} {
		for test, run := range map[string]func(*fixture){
			"AdmitsItsCapacityAtOnce": admitsItsCapacity,
			"RetryAfterIsExact":       retryAfterIsExact,
			"MoreAfterIsExact":        moreAfterIsExact,
			"ADenialTakesNothing":     denialTakesNothing,
			"RefusesAnImpossibleCost": refusesAnImpossibleCost,
			"PeekTakesNothing":        peekTakesNothing,
			"ResetForgets":            resetForgets,
			"SubjectsAreApart":        subjectsAreApart,
			"RefundsOrRefuses":        refundsOrRefuses,
			"ALateRefund":             lateRefund,
			"ABackwardClock":          backwardClock,
			"ALongPause":              longPause,
			"Concurrent":              concurrent,
			"ConcurrentRefunds":       concurrentRefunds,
		} {
			t.Run(name+"/"+test, func(t *testing.T) {
				t.Parallel()
				run(start(t, newLimiter, policy))
			})
		}
	}
	runSeveral(t, newLimiter)
}

func admitsItsCapacity(f *fixture) {
	f.remaining(0, capacity)
	for left := int64(capacity - 1); left >= 0; left-- {
		if d := f.admitted(1); d.Results[0].Remaining != left {
			f.t.Fatalf("%d units left, want %d", d.Results[0].Remaining, left)
		}
	}
	f.denied(1)
	f.remaining(0, 0)
}

// retryAfterIsExact holds that a denied cost is denied one microsecond before its RetryAfter, and admitted at it.
func retryAfterIsExact(f *fixture) {
	for _, cost := range []int64{1, 2, capacity} {
		f.admitted(1)
		f.clock.Move(1234567 * time.Microsecond)
		for left := f.peek().Results[0].Remaining; left > 0; left-- {
			f.admitted(1)
		}
		after := f.denied(cost)
		f.clock.Move(after - time.Microsecond)
		if after = f.denied(cost); after != time.Microsecond {
			f.t.Fatalf("cost %d: retry after %v, one microsecond before the end", cost, after)
		}
		f.clock.Move(after)
		f.admitted(cost)
		f.clock.Move(2 * time.Minute)
	}
}

// moreAfterIsExact follows MoreAfter from an empty policy to a full one.
func moreAfterIsExact(f *fixture) {
	f.admitted(1)
	f.clock.Move(1234567 * time.Microsecond)
	f.admitted(capacity - 1)
	for range capacity {
		before := f.peek().Results[0]
		if before.MoreAfter == 0 {
			break
		}
		f.clock.Move(before.MoreAfter - time.Microsecond)
		f.remaining(0, before.Remaining)
		f.clock.Move(time.Microsecond)
		if after := f.peek().Results[0]; after.Remaining <= before.Remaining {
			f.t.Fatalf("%d units are left, %d before", after.Remaining, before.Remaining)
		}
	}
	f.remaining(0, capacity)
}

func denialTakesNothing(f *fixture) {
	f.admitted(3)
	f.denied(2)
	f.remaining(0, 1)
	f.admitted(1)
	first := f.denied(1)
	for range 10 {
		f.clock.Move(time.Microsecond)
		f.denied(1)
	}
	f.clock.Move(first - 10*time.Microsecond)
	f.admitted(1)
}

func refusesAnImpossibleCost(f *fixture) {
	for _, cost := range []int64{-1, 0, capacity + 1} {
		_, err := f.limiter.Take(f.t.Context(), f.subject, cost)
		if err == nil || (cost > 0 && !strings.Contains(err.Error(), f.limiter.Policies()[0].Name)) {
			f.t.Errorf("cost %d: error %v", cost, err)
		}
	}
	f.admitted(capacity)
}

func peekTakesNothing(f *fixture) {
	for range 2 * capacity {
		if !f.peek().Allowed {
			f.t.Fatal("a subject that took nothing is denied")
		}
	}
	f.admitted(3)
	f.remaining(0, 1)
	f.admitted(1)
	d, denied := f.peek(), f.denied(1)
	if d.Allowed || d.Results[0].RetryAfter != denied {
		f.t.Fatalf("Peek has retry after %v, Take %v", d.Results[0].RetryAfter, denied)
	}
}

func resetForgets(f *fixture) {
	f.admitted(capacity)
	for range 2 { // also a subject that is not known
		if err := f.limiter.Reset(f.t.Context(), f.subject); err != nil {
			f.t.Fatal(err)
		}
	}
	f.remaining(0, capacity)
	f.admitted(capacity)
	f.denied(1)
}

func subjectsAreApart(f *fixture) {
	f.admitted(capacity)
	mine := f.subject
	for _, other := range []ratelimit.Subject{mine + "x", mine[1:], ""} {
		f.subject = other
		if other == "" {
			f.subject = ratelimit.NewSubject("", string(mine))
		}
		f.admitted(capacity)
	}
	f.subject = mine
	f.denied(1)
}

func refundsOrRefuses(f *fixture) {
	d := f.admitted(3)
	if !f.limiter.Policies()[0].Refundable() {
		if err := f.limiter.Refund(f.t.Context(), d); !errors.Is(err, ratelimit.ErrNotRefundable) {
			f.t.Fatalf("Refund: %v, want ErrNotRefundable", err)
		}
		f.remaining(0, 1)
		return
	}
	f.clock.Move(time.Microsecond) // a part of a GCRA's units is paid for
	f.refund(d)
	f.remaining(0, capacity)

	f.admitted(1)
	d = f.admitted(2)
	f.denied(2)
	f.refund(f.take(2)) // denied
	f.refund(f.peek())
	f.remaining(0, 1)
	f.refund(d)
	f.remaining(0, 3)

	f.clock.Move(2 * time.Minute) // time has given all of it back
	d = f.admitted(2)
	f.clock.Move(2 * time.Minute)
	f.admitted(3)
	f.refund(d)
	f.remaining(0, 1)
}

// lateRefund holds that a refund gives nothing back that time has given back, although the subject is busy again.
func lateRefund(f *fixture) {
	if !f.limiter.Policies()[0].Refundable() {
		return
	}
	d := f.admitted(1)
	f.clock.Move(d.Results[0].MoreAfter)
	f.admitted(capacity)
	f.refund(d)
	f.denied(1)
	f.remaining(0, 0)
}

// backwardClock is an instance whose clock is behind that of the one which took the units.
func backwardClock(f *fixture) {
	// A subject's fixed windows begin at a time of its own; 3 s before the clock must be the same window.
	f.clock.Move(f.admitted(1).Results[0].MoreAfter + 5*time.Second)
	f.admitted(2)
	f.clock.Move(-3 * time.Second)
	f.take(1)
	f.take(1)
	f.take(1)
	f.take(2)
	f.take(4)
	f.clock.Move(3 * time.Second)
	after := f.denied(2)
	f.clock.Move(after - time.Microsecond)
	f.denied(2)
	f.clock.Move(time.Microsecond)
	f.admitted(2)
}

func longPause(f *fixture) {
	for _, pause := range []time.Duration{time.Minute, time.Hour, 400 * 24 * time.Hour} {
		f.admitted(capacity)
		f.denied(1)
		f.clock.Move(pause)
	}
	f.admitted(capacity)
	if got := slices.Collect(f.allowed(3)); slices.Contains(got, true) {
		f.t.Fatalf("after the burst: %v", got)
	}
}

// allowed yields what becomes of n units, one after the other.
func (f *fixture) allowed(n int) func(yield func(bool) bool) {
	return func(yield func(bool) bool) {
		for range n {
			if !yield(f.take(1).Allowed) {
				return
			}
		}
	}
}
