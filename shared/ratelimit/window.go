package ratelimit

import (
	"maps"
	"time"
)

// maxSkew is how far apart the clocks of two instances may be before counts of fixed windows are lost.
const maxSkew = int64(time.Minute / time.Microsecond)

// WindowOf returns the number of the fixed window in which the subject is at a time, in microseconds since 1970. The
// windows of different subjects begin at different times, so that clients do not all return at once.
func (p *Policy) WindowOf(subject Subject, at int64) int64 {
	return (at + p.offset(subject)) / p.Window.Microseconds()
}

// StaleWindow reports whether no instance counts in the window at now any longer.
func (p *Policy) StaleWindow(subject Subject, window, now int64) bool {
	return p.windowEnd(subject, window)+max(p.Window.Microseconds(), maxSkew) < now
}

// offset is FNV-1a of the subject: 64 bits, and every instance and release computes the same.
func (p *Policy) offset(subject Subject) int64 {
	h := uint64(14695981039346656037)
	for i := range len(subject) {
		h = (h ^ uint64(subject[i])) * 1099511628211
	}
	return int64(h % uint64(p.Window.Microseconds()))
}

// windowEnd returns the first microsecond after the window.
func (p *Policy) windowEnd(subject Subject, window int64) int64 {
	return (window+1)*p.Window.Microseconds() - p.offset(subject)
}

func (p *Policy) takeWindow(subject Subject, s State, now, cost int64) (wait int64, next State) {
	current := p.WindowOf(subject, now)
	if s.Windows[current]+cost > p.Limit {
		later := p.windowBelow(s, current, p.Limit-cost+1)
		return p.windowEnd(subject, later-1) - now, s
	}
	kept := make(map[int64]int64, len(s.Windows)+1)
	for w, units := range s.Windows {
		if !p.StaleWindow(subject, w, now) {
			kept[w] = units
		}
	}
	kept[current] += cost
	return 0, State{Windows: kept}
}

// windowBelow returns the first window after another one that has fewer units. An instance whose clock is ahead has
// perhaps counted in it.
func (p *Policy) windowBelow(s State, after, units int64) int64 {
	w := after + 1
	for s.Windows[w] >= units {
		w++
	}
	return w
}

func (p *Policy) availableWindow(subject Subject, s State, now int64) Result {
	current := p.WindowOf(subject, now)
	units := s.Windows[current]
	r := Result{Policy: p, Remaining: max(0, p.Limit-units)}
	if units > 0 {
		r.MoreAfter = micros(p.windowEnd(subject, p.windowBelow(s, current, units)-1) - now)
	}
	return r
}

func (p *Policy) refundWindow(subject Subject, s State, taken, now, cost int64) State {
	w := p.WindowOf(subject, taken)
	if s.Windows[w] < cost || p.WindowOf(subject, now) > w {
		return s
	}
	s.Windows = maps.Clone(s.Windows)
	s.Windows[w] -= cost
	return s
}
