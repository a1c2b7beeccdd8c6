package ratelimittest

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tienda-dev/tienda/shared/ratelimit"
)

// Fleet simulates instances that share a store and whose clocks disagree: event by event, without waiting. The time of
// each decision is what the instance's clock showed when the request arrived; the store decides half a round trip
// later, in the order in which the calls reach it.
type Fleet struct {
	// Clock is the clock of all limiters. Run sets it to the time of the instance that calls.
	Clock *Clock
	// Instances are the limiters, one for each instance: the same one for all, or what each instance has in front of
	// their common store.
	Instances []ratelimit.Limiter
	// Skew is how far the clocks are ahead of real time, from 0 for the first instance to Skew for the last one.
	Skew time.Duration
	// RTT is the mean time of a call to the store and back. Single calls take from none to twice as long.
	RTT time.Duration
	// Seed decides which instance gets a request, and how long its call takes.
	Seed uint64
}

// Arrival is one request, at a real time after the beginning.
type Arrival struct {
	At      time.Duration
	Subject ratelimit.Subject
	Cost    int64
}

// Outcome is what became of an arrival. At is the real time, after the beginning, at which the store decided.
type Outcome struct {
	Arrival
	Instance int
	Decided  time.Duration
	Decision ratelimit.Decision
}

// Run sends the traffic to the instances and returns the outcomes in the order of the decisions, or the first error of
// a limiter. The real time at the beginning is that of the clock, which Run leaves there.
func (f *Fleet) Run(ctx context.Context, traffic []Arrival) ([]Outcome, error) {
	random := rand.New(rand.NewPCG(f.Seed, 0))
	outcomes := make([]Outcome, len(traffic))
	for i, a := range traffic {
		call := time.Duration(random.Int64N(int64(f.RTT) + 1)) // there, on average half of the RTT
		outcomes[i] = Outcome{Arrival: a, Instance: random.IntN(len(f.Instances)), Decided: a.At + call}
	}
	slices.SortStableFunc(outcomes, func(a, b Outcome) int { return cmp.Compare(a.Decided, b.Decided) })
	begin := f.Clock.Now()
	defer f.Clock.Set(begin)
	for i := range outcomes {
		o := &outcomes[i]
		f.Clock.Set(begin.Add(o.Arrival.At + f.ahead(o.Instance)))
		var err error
		if o.Decision, err = f.Instances[o.Instance].Take(ctx, o.Subject, o.Cost); err != nil {
			return nil, err
		}
	}
	return outcomes, nil
}

// ahead returns how far an instance's clock is ahead of real time.
func (f *Fleet) ahead(instance int) time.Duration {
	if instance == 0 {
		return 0
	}
	return f.Skew * time.Duration(instance) / time.Duration(len(f.Instances)-1)
}

// Flood is requests of one subject at an even rate per second.
func Flood(subject ratelimit.Subject, perSecond int, length time.Duration) []Arrival {
	every := time.Second / time.Duration(perSecond)
	traffic := make([]Arrival, 0, length/every)
	for at := time.Duration(0); at < length; at += every {
		traffic = append(traffic, Arrival{At: at, Subject: subject, Cost: 1})
	}
	return traffic
}

// PageLoads is a client that loads a page of 10 requests within 50 ms, again and again.
func PageLoads(subject ratelimit.Subject, every, length time.Duration) []Arrival {
	var traffic []Arrival
	for at := time.Duration(0); at < length; at += every {
		for i := range 10 {
			traffic = append(traffic, Arrival{At: at + time.Duration(i)*5*time.Millisecond, Subject: subject, Cost: 1})
		}
	}
	return traffic
}

// Boundary is a client that knows where windows begin and how far the fleet's clocks disagree: it rests, and then asks
// for far more than the limit: just before the border of two windows, where only the slowest clocks are
// still in the first one, just after it, and when only the fastest clocks have reached the next border. border is the
// real time of the first border, after the beginning.
func Boundary(subject ratelimit.Subject, p ratelimit.Policy, border, skew time.Duration) []Arrival {
	const (
		margin  = 100 * time.Millisecond
		crowd   = 60 // times the limit, so that the slowest and the fastest clock get enough
		between = 10 * time.Microsecond
	)
	var traffic []Arrival
	for range 2 {
		for _, at := range []time.Duration{border - margin, border + margin, border + p.Window - skew + margin} {
			for i := range crowd * p.Limit {
				traffic = append(traffic, Arrival{At: at + time.Duration(i)*between, Subject: subject, Cost: 1})
			}
		}
		border += 4 * p.Window
	}
	return traffic
}

// Worst returns the most units that were admitted in any interval that is shorter than a length.
func Worst(outcomes []Outcome, length time.Duration) int64 {
	var worst, units int64
	first := 0
	for _, o := range outcomes {
		if !o.Decision.Allowed {
			continue
		}
		units += o.Cost
		for ; o.Decided-outcomes[first].Decided >= length; first++ {
			if outcomes[first].Decision.Allowed {
				units -= outcomes[first].Cost
			}
		}
		worst = max(worst, units)
	}
	return worst
}
