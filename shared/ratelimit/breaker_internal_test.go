package ratelimit

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tienda-dev/tienda/shared/clock"
	"github.com/tienda-dev/tienda/shared/clock/clocktest"
)

// call makes a call with the outcome, and reports whether the breaker let it through.
func (b *Breaker) call(now time.Time, o outcome) bool {
	probe, ok := b.allow(now)
	if ok {
		b.done(now, probe, o)
	}
	return ok
}

func TestBreakerOpens(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	for name, c := range map[string]struct {
		outcomes string
		open     bool
	}{
		"FourInARow":              {"ffff", false},
		"FiveInARow":              {"fffff", true},
		"SuccessEndsTheRow":       {"ffffsffff", false},
		"HalfOf20":                {"fsfsfsfsfsfsfsfsfsfs", true},
		"HalfOf19":                {"fsfsfsfsfsfsfsfsfsf", false},
		"NineOf20":                {"fsfsfsfsfsfsfsfsfsss", false},
		"OldFailuresAreForgotten": {"fsfsfsfsfsfsfsfsfssssssssssssssfsfs", false},
		"UnknownDoesNotCount":     {"ffffuuuuuuuu", false},
	} {
		b := NewBreaker()
		for _, o := range c.outcomes {
			b.call(now, map[rune]outcome{'f': failure, 's': success, 'u': unknown}[o])
		}
		if open := !b.call(now, unknown); open != c.open {
			t.Errorf("%s: open is %t", name, open)
		}
	}
}

func TestBreakerFollowsTheWallClock(t *testing.T) {
	t.Parallel()
	stalled := clocktest.New(t)
	now := clock.Wall(stalled.Now)
	b := NewBreaker()
	for range 5 {
		b.call(now(), failure)
	}
	if b.call(now(), success) {
		t.Fatal("not open")
	}
	stalled.Move(time.Second)
	probe, ok := b.allow(now())
	if _, second := b.allow(now()); !probe || !ok || second {
		t.Fatalf("half open: probe %t, allowed %t, second allowed %t", probe, ok, second)
	}
	b.done(now(), probe, failure)
	for _, wait := range []time.Duration{2 * time.Second, 4 * time.Second, 5 * time.Second, 5 * time.Second} {
		stalled.Move(wait - time.Second)
		if b.call(now(), failure) {
			t.Fatalf("let through a second before %v", wait)
		}
		stalled.Move(time.Second)
		if !b.call(now(), failure) {
			t.Fatalf("not let through after %v", wait)
		}
	}
	stalled.Move(-time.Second)
	if b.call(now(), failure) {
		t.Error("a clock that is set back by a second counts as a jump")
	}
	stalled.Move(-time.Second)
	if !b.call(now(), success) {
		t.Error("the clock was set back by 2 s, and the breaker waits for its old time")
	}
	if !b.call(now(), success) {
		t.Error("not closed after a probe that succeeded")
	}
}

// A probe that succeeds forgets the failures before it.
func TestBreakerForgetsWhenItCloses(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	b := NewBreaker()
	for range 5 {
		b.call(now, failure)
	}
	now = now.Add(time.Second)
	b.call(now, success)
	for range 4 {
		b.call(now, failure)
	}
	if !b.call(now, unknown) {
		t.Error("four failures after a successful probe open the breaker")
	}
}

func TestProbeWithUnknownOutcomeIsRepeated(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	b := NewBreaker()
	for range 5 {
		b.call(now, failure)
	}
	now = now.Add(time.Second)
	for range 3 {
		if probe, ok := b.allow(now); !probe || !ok {
			t.Fatal("no probe")
		} else if b.done(now, probe, unknown) != unchanged {
			t.Fatal("changed by nothing")
		}
	}
}

// The breaker is never open for longer than 5 s, lets one probe through, and closes only after a success.
func TestBreakerProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(1_800_000_000, 0)
		b := NewBreaker()
		var refusedSince time.Time
		probes := 0
		var open []bool // calls under way: whether they are probes
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 1500).Draw(t, "ms")) * time.Millisecond)
			if len(open) > 0 && rapid.Bool().Draw(t, "finish") {
				probe := open[0]
				open = open[1:]
				o := outcome(rapid.IntRange(0, 2).Draw(t, "outcome"))
				wasOpen := b.open
				c := b.done(now, probe, o)
				if probe {
					probes--
				}
				if c == closed && (!probe || o != success) || wasOpen && !b.open && c != closed {
					t.Fatalf("closed by outcome %d of a call that is a probe: %t", o, probe)
				}
				if c != unchanged || probe {
					refusedSince = time.Time{}
				}
				continue
			}
			probe, ok := b.allow(now)
			switch {
			case ok:
				open = append(open, probe)
				if probe {
					probes++
				}
				refusedSince = time.Time{}
			case refusedSince.IsZero():
				refusedSince = now
			case probes == 0 && now.Sub(refusedSince) > breakerLongest:
				t.Fatalf("refused for %v without a probe", now.Sub(refusedSince))
			}
			if probes > 1 {
				t.Fatal("two probes")
			}
		}
	})
}
