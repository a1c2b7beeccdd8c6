package ratelimittest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimitmem"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimittest"
)

const (
	instances = 50
	rtt       = 6 * time.Millisecond
)

var client = ratelimit.NewSubject("ip", "192.0.2.7")

// The policies of the simulation: 100 units per minute.
var (
	gcra   = ratelimit.Policy{Name: "gcra", Limit: 100, Window: time.Minute, Burst: 20}
	window = ratelimit.Policy{Name: "window", Algorithm: ratelimit.FixedWindow, Limit: 100, Window: time.Minute}
	log    = ratelimit.Policy{Name: "log", Algorithm: ratelimit.SlidingLog, Limit: 100, Window: time.Minute}
)

// A fleet keeps the bound of each algorithm, and denies nothing that the algorithm admits.
func TestFleet(t *testing.T) {
	t.Parallel()
	for _, p := range []ratelimit.Policy{gcra, window, log} {
		for _, skew := range []time.Duration{0, 100 * time.Millisecond, 2 * time.Second, 5 * time.Second} {
			for name, traffic := range map[string][]ratelimittest.Arrival{
				"Flood":    ratelimittest.Flood(client, 200, 100*time.Second),
				"PageLoad": ratelimittest.PageLoads(client, 4*time.Second, 5*time.Minute),
				"Boundary": ratelimittest.Boundary(client, p, border(p), skew),
			} {
				t.Run(fmt.Sprintf("%s/%v/%s", p.Name, skew, name), func(t *testing.T) {
					t.Parallel()
					s := simulate(t, p, skew, traffic)
					s.checkBound(t)
					s.checkDenials(t)
				})
			}
		}
	}
}

// A client that loads a page of 10 requests at once, but stays below the limit, is never denied.
func TestFleetAdmitsPageLoads(t *testing.T) {
	t.Parallel()
	for _, p := range []ratelimit.Policy{gcra, window, log} {
		for _, skew := range []time.Duration{0, 5 * time.Second} {
			s := simulate(t, p, skew, ratelimittest.PageLoads(client, 7*time.Second, 5*time.Minute))
			if got := len(s.admitted()); got != len(s.outcomes) {
				t.Errorf("%s with a skew of %v admits %d of %d", p.Name, skew, got, len(s.outcomes))
			}
		}
	}
}

// A flood gets what the algorithm promises, not less.
func TestFleetAdmitsAFloodsShare(t *testing.T) {
	t.Parallel()
	const length = 3 * time.Minute
	for _, skew := range []time.Duration{0, 5 * time.Second} {
		for _, c := range []struct {
			policy  ratelimit.Policy
			atLeast int64
		}{
			{gcra, gcra.Burst + int64((length-skew-rtt)/(600*time.Millisecond)) - 1},
			{window, 100 * int64(length/time.Minute)},
			{log, 100 * int64(length/(time.Minute+skew+rtt))},
		} {
			s := simulate(t, c.policy, skew, ratelimittest.Flood(client, 20, length))
			if got := int64(len(s.admitted())); got < c.atLeast {
				t.Errorf("%s with a skew of %v admits %d, want at least %d", c.policy.Name, skew, got, c.atLeast)
			}
		}
	}
}

// The simulation is worth something only if its adversary reaches the bounds.
func TestFleetReachesTheBounds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		policy         ratelimit.Policy
		skew, length   time.Duration
		atLeast, bound int64 // units in less than the length
	}{
		"GCRA":                {gcra, 0, time.Minute, 119, 120},
		"GCRAWithSkew":        {gcra, 5 * time.Second, time.Minute, 121, 128},
		"FixedWindow":         {window, 0, time.Minute, 200, 200},
		"FixedWindowWithSkew": {window, 5 * time.Second, time.Minute, 300, 300},
		"SlidingLog":          {log, 0, time.Minute - rtt, 100, 100},
		"SlidingLogWithSkew":  {log, 5 * time.Second, time.Minute - 5*time.Second - rtt, 100, 100},
		"SlidingLogTooLong":   {log, 5 * time.Second, time.Minute, 101, 200},
	} {
		var worst int64
		for _, traffic := range [][]ratelimittest.Arrival{
			ratelimittest.Boundary(client, c.policy, border(c.policy), c.skew),
			ratelimittest.Flood(client, 100, 90*time.Second),
		} {
			worst = max(worst, ratelimittest.Worst(simulate(t, c.policy, c.skew, traffic).outcomes, c.length))
		}
		if worst > c.bound || worst < c.atLeast {
			t.Errorf("%s: %d units in less than %v, want %d to %d", name, worst, c.length, c.atLeast, c.bound)
		}
	}
}

// border returns a time at which one of the client's fixed windows ends, after the beginning of a simulation.
func border(p ratelimit.Policy) time.Duration {
	begin := ratelimittest.NewClock().Now().UnixMicro()
	at := begin + 3*p.Window.Microseconds()
	first := p.WindowOf(client, at)
	low, high := at, at+p.Window.Microseconds()
	for high-low > 1 {
		if middle := (low + high) / 2; p.WindowOf(client, middle) == first {
			low = middle
		} else {
			high = middle
		}
	}
	return time.Duration(high-begin) * time.Microsecond
}

type simulation struct {
	policy   ratelimit.Policy
	skew     time.Duration // with the time of a call, which is clock error too
	outcomes []ratelimittest.Outcome
}

func simulate(t *testing.T, p ratelimit.Policy, skew time.Duration, traffic []ratelimittest.Arrival) simulation {
	t.Helper()
	clock := ratelimittest.NewClock()
	store, err := ratelimitmem.New([]ratelimit.Policy{p}, ratelimitmem.Config{Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	fleet := ratelimittest.Fleet{Clock: clock, Skew: skew, RTT: rtt, Seed: 7}
	for range instances {
		fleet.Instances = append(fleet.Instances, store)
	}
	outcomes, err := fleet.Run(t.Context(), traffic)
	if err != nil {
		t.Fatal(err)
	}
	return simulation{policy: p, skew: skew + rtt, outcomes: outcomes}
}

// admitted returns the admitted outcomes.
func (s simulation) admitted() []ratelimittest.Outcome {
	var admitted []ratelimittest.Outcome
	for _, o := range s.outcomes {
		if o.Decision.Allowed {
			admitted = append(admitted, o)
		}
	}
	return admitted
}

// checkBound checks each interval that begins and ends with an admitted unit.
func (s simulation) checkBound(t *testing.T) {
	t.Helper()
	p := s.policy
	interval := time.Duration(p.Interval()) * time.Microsecond
	tolerance := time.Duration(p.Tolerance()) * time.Microsecond
	admitted := s.admitted()
	for i, first := range admitted {
		for j, last := range admitted[i:] {
			units, length := int64(j+1), last.Decided-first.Decided
			var ok bool
			switch p.Algorithm {
			case ratelimit.FixedWindow:
				windows := int64((length+s.skew+p.Window-1)/p.Window) + 1
				ok = units <= windows*p.Limit
			case ratelimit.SlidingLog:
				ok = units <= p.Limit || length >= p.Window-s.skew
			default:
				ok = time.Duration(units)*interval <= tolerance+length+s.skew
			}
			if !ok {
				t.Fatalf("%d units from %v to %v", units, first.Decided, last.Decided)
			}
		}
	}
}

// checkDenials checks that each denial is one of the algorithm, with clocks that are as unlucky as they can be: by the
// units that were really admitted before it.
func (s simulation) checkDenials(t *testing.T) {
	t.Helper()
	p := s.policy
	interval, tolerance := time.Duration(p.Interval())*time.Microsecond, time.Duration(p.Tolerance())*time.Microsecond
	var paid time.Duration // when a GCRA with the real times has all units paid for
	var times []time.Duration
	counts := map[int64]int64{}
	denials := 0
	for _, o := range s.outcomes {
		at := p.WindowOf(o.Subject, o.Decision.At)
		if o.Decision.Allowed {
			paid = max(paid, o.Decided) + interval
			times = append(times, o.Decided)
			counts[at]++
			continue
		}
		denials++
		var ok bool
		switch p.Algorithm {
		case ratelimit.FixedWindow:
			ok = counts[at] == p.Limit
		case ratelimit.SlidingLog:
			n := len(times) - int(p.Limit)
			ok = n >= 0 && o.Decided-times[n] < p.Window+s.skew
		default:
			ok = paid+interval+s.skew > o.Decided+tolerance
		}
		if !ok {
			t.Fatalf("the request at %v is denied after %d were admitted", o.Decided, len(times))
		}
	}
	t.Logf("%d admitted, %d denied", len(times), denials)
}
