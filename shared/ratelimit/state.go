package ratelimit

import (
	"slices"
	"time"
)

// State is what a store keeps of one subject for one policy. The zero value is a subject that was never seen.
// All times are microseconds since 1970. Nothing in this package changes a State that it is given.
type State struct {
	// TAT is GCRA's theoretical arrival time: when all units that were taken are paid for. Only a refund lowers it.
	TAT int64
	// Windows has the units that were taken, by the number of the fixed window.
	Windows map[int64]int64
	// Log has the times of the newest Limit admitted units of a sliding log, in the order of their arrival. Shorter logs have
	// had fewer units.
	Log []int64
}

// Take returns what the policy says about cost units at now, and the state after it: the same state on a denial.
// The cost must be from 1 to Capacity.
func (p *Policy) Take(subject Subject, s State, now, cost int64) (Result, State) {
	wait, next := p.take(subject, s, now, cost)
	r := p.available(subject, next, now)
	r.Allowed, r.RetryAfter = wait == 0, micros(wait)
	return r, next
}

// Peek returns whether the policy would admit one unit at now, and how many units could be taken.
func (p *Policy) Peek(subject Subject, s State, now int64) Result {
	wait, _ := p.take(subject, s, now, 1)
	r := p.available(subject, s, now)
	r.Allowed, r.RetryAfter = wait == 0, micros(wait)
	return r
}

// Refund returns the state after cost units are given back at now. taken is the result of the Take at the time at which
// has admitted them. It is the same state if time has given them back already, and for a policy that is not Refundable.
func (p *Policy) Refund(subject Subject, s State, taken Result, at, now, cost int64) State {
	switch p.Algorithm {
	case FixedWindow:
		return p.refundWindow(subject, s, at, now, cost)
	case SlidingLog:
		return s
	default:
		return p.refundGCRA(s, taken, at, now, cost)
	}
}

// FreshAt returns when the state becomes equal to that of a subject that was never seen. A store may forget it from
// then on, by all clocks.
func (p *Policy) FreshAt(subject Subject, s State) int64 {
	switch p.Algorithm {
	case FixedWindow:
		var last int64
		for w, units := range s.Windows {
			if units > 0 {
				last = max(last, p.windows(subject).end(w))
			}
		}
		return last
	case SlidingLog:
		if len(s.Log) == 0 {
			return 0
		}
		return slices.Max(s.Log) + p.Window.Microseconds()
	default:
		return s.TAT
	}
}

// take returns how many microseconds after now the units would be admitted, 0 if they are now, and the next state.
func (p *Policy) take(subject Subject, s State, now, cost int64) (wait int64, next State) {
	switch p.Algorithm {
	case FixedWindow:
		return p.takeWindow(subject, s, now, cost)
	case SlidingLog:
		return p.takeLog(s, now, cost)
	default:
		return p.takeGCRA(s, now, cost)
	}
}

// available returns how many units could be taken at now, and when there are more.
func (p *Policy) available(subject Subject, s State, now int64) Result {
	switch p.Algorithm {
	case FixedWindow:
		return p.availableWindow(subject, s, now)
	case SlidingLog:
		return p.availableLog(s, now)
	default:
		return p.availableGCRA(s, now)
	}
}

func micros(us int64) time.Duration { return time.Duration(us) * time.Microsecond }
