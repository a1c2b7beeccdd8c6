package ratelimit

import (
	"hash/fnv"
	"maps"
	"slices"
	"time"
)

// State is what a store keeps of one subject for one policy. The zero value is a subject that was never seen.
// All times are microseconds since 1970. The methods of Policy do not change the State that they are given.
type State struct {
	// TAT is GCRA's theoretical arrival time: when all units that were taken are paid for.
	TAT int64
	// Windows has the units that were taken, by the number of the fixed window.
	Windows map[int64]int64
	// Log has the times of the newest Limit admitted units of a sliding log, in the order of their arrival. Shorter logs have
	// had fewer units.
	Log []int64
}

// maxSkew is how far apart the clocks of two instances may be before counts of fixed windows are lost.
const maxSkew = int64(time.Minute / time.Microsecond)

// Take returns what the policy says about cost units at now, and the state after it: the same state on a denial.
func (p *Policy) Take(subject Subject, s State, now, cost int64) (Result, State) {
	switch p.Algorithm {
	case FixedWindow:
		return p.takeWindow(subject, s, now, cost)
	case SlidingLog:
		return p.takeLog(s, now, cost)
	default:
		return p.takeGCRA(s, now, cost)
	}
}

// Refund returns the state after cost units that were taken at the time taken are given back at now.
func (p *Policy) Refund(subject Subject, s State, taken, now, cost int64) State {
	switch p.Algorithm {
	case FixedWindow:
		w := p.WindowOf(subject, taken)
		if s.Windows[w] >= cost && p.WindowOf(subject, now) <= w {
			s.Windows = maps.Clone(s.Windows)
			s.Windows[w] -= cost
		}
	case SlidingLog:
	default:
		if back := cost * p.Interval(); s.TAT >= now+back {
			s.TAT -= back
		}
	}
	return s
}

// Interval returns GCRA's emission interval in microseconds, rounded up so that the rate is never above Limit per
// Window.
func (p *Policy) Interval() int64 {
	w := p.Window.Microseconds()
	return (w + p.Limit - 1) / p.Limit
}

// Tolerance returns how far ahead of now GCRA's theoretical arrival time may be, in microseconds: Burst
// intervals.
func (p *Policy) Tolerance() int64 { return p.Capacity() * p.Interval() }

// takeGCRA is the virtual scheduling algorithm of ITU-T I.371, with the burst in units.
func (p *Policy) takeGCRA(s State, now, cost int64) (Result, State) {
	interval, tolerance := p.Interval(), p.Tolerance()
	tat := max(s.TAT, now) + cost*interval
	r := Result{Policy: p, Allowed: tat <= now+tolerance}
	if r.Allowed {
		s.TAT = tat
	} else {
		r.RetryAfter = micros(tat - tolerance - now)
	}
	if s.TAT > now {
		r.Remaining = max(0, (now+tolerance-s.TAT)/interval)
		r.MoreAfter = micros(s.TAT - tolerance + (r.Remaining+1)*interval - now)
	} else {
		r.Remaining = p.Capacity()
	}
	return r, s
}

// WindowOf returns the number of the fixed window in which the subject is at a time. The windows of different
// subjects begin at different times, so that clients do not all return at once.
func (p *Policy) WindowOf(subject Subject, at int64) int64 {
	return (at + p.offset(subject)) / p.Window.Microseconds()
}

func (p *Policy) offset(subject Subject) int64 {
	h := fnv.New64a()
	h.Write([]byte(subject))
	return int64(h.Sum64() % uint64(p.Window.Microseconds())) //nolint:gosec // smaller than a window
}

// StaleWindow reports whether no instance counts in the window any more at now.
func (p *Policy) StaleWindow(subject Subject, window, now int64) bool {
	length := p.Window.Microseconds()
	return (window+1)*length-p.offset(subject)+max(length, maxSkew) < now
}

func (p *Policy) takeWindow(subject Subject, s State, now, cost int64) (Result, State) {
	w := p.WindowOf(subject, now)
	end := micros((w+1)*p.Window.Microseconds() - p.offset(subject) - now)
	count := s.Windows[w]
	r := Result{Policy: p, Allowed: count+cost <= p.Limit}
	if r.Allowed {
		count += cost
		kept := map[int64]int64{w: count}
		for window, units := range s.Windows {
			if window != w && !p.StaleWindow(subject, window, now) {
				kept[window] = units
			}
		}
		s.Windows = kept
	} else {
		r.RetryAfter = end
	}
	r.Remaining = max(0, p.Limit-count)
	if count > 0 {
		r.MoreAfter = end
	}
	return r, s
}

// takeLog is the exact sliding window: cost units are admitted if the log has room for them after the times that
// are a window or more ago are dropped.
func (p *Policy) takeLog(s State, now, cost int64) (Result, State) {
	length := p.Window.Microseconds()
	log := s.Log
	if missing := int(p.Limit) - len(log); missing > 0 { // zeros are older than every window
		log = append(make([]int64, missing, p.Limit), log...)
	}
	r := Result{Policy: p, Allowed: log[cost-1] <= now-length}
	if r.Allowed {
		log = append(slices.Clone(log[cost:]), slices.Repeat([]int64{now}, int(cost))...)
		s.Log = log
	} else {
		r.RetryAfter = micros(log[cost-1] + length - now)
	}
	for _, at := range log {
		if at > now-length {
			r.MoreAfter = micros(at + length - now)
			break
		}
		r.Remaining++
	}
	return r, s
}

func micros(us int64) time.Duration { return time.Duration(us) * time.Microsecond }
