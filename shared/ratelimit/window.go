package ratelimit

import (
	"maps"
	"time"
)

// MaxSkew is how far apart the clocks of two instances may be before the slower one may find a fixed window's count
// forgotten. Instances of Lambda are milliseconds apart.
const MaxSkew = 10 * time.Second

// windows are the fixed windows of one subject, in microseconds since 1970. Those of different subjects begin at
// different times, so that clients do not all return at once.
type windows struct{ length, offset int64 }

// windows hashes the subject with FNV-1a: 64 bits, and every instance and release computes the same.
func (p *Policy) windows(subject Subject) windows {
	h := uint64(14695981039346656037)
	for i := range len(subject) {
		h = (h ^ uint64(subject[i])) * 1099511628211
	}
	length := p.Window.Microseconds()
	return windows{length: length, offset: int64(h % uint64(length))}
}

// at returns the number of the window in which a time is.
func (w windows) at(time int64) int64 { return (time + w.offset) / w.length }

// end returns the first microsecond after a window.
func (w windows) end(window int64) int64 { return (window+1)*w.length - w.offset }

// stale reports whether no instance counts in the window at now any longer.
func (w windows) stale(window, now int64) bool { return w.end(window)+MaxSkew.Microseconds() < now }

// WindowOf returns the number of the fixed window in which the subject is at a time, in microseconds since 1970.
func (p *Policy) WindowOf(subject Subject, at int64) int64 { return p.windows(subject).at(at) }

// StaleWindow reports whether no instance counts in the window at now any longer: a store may forget its count.
func (p *Policy) StaleWindow(subject Subject, window, now int64) bool {
	return p.windows(subject).stale(window, now)
}

func (p *Policy) takeWindow(subject Subject, s State, now, cost int64) (wait int64, next State) {
	w := p.windows(subject)
	current := w.at(now)
	if s.Windows[current]+cost > p.Limit {
		return w.end(lastWith(s, current, p.Limit-cost+1)) - now, s
	}
	kept := make(map[int64]int64, len(s.Windows)+1)
	for window, units := range s.Windows {
		if !w.stale(window, now) {
			kept[window] = units
		}
	}
	kept[current] += cost
	return 0, State{Windows: kept}
}

// lastWith returns the last of the windows from current on that have at least as many units. Other windows than the
// current one have some if an instance whose clock is ahead has counted in them.
func lastWith(s State, current, units int64) int64 {
	for s.Windows[current+1] >= units {
		current++
	}
	return current
}

func (p *Policy) availableWindow(subject Subject, s State, now int64) Result {
	w := p.windows(subject)
	current := w.at(now)
	units := s.Windows[current]
	r := Result{Policy: p, Remaining: max(0, p.Limit-units)}
	if units > 0 {
		r.MoreAfter = micros(w.end(lastWith(s, current, units)) - now)
	}
	return r
}

func (p *Policy) refundWindow(subject Subject, s State, taken, now, cost int64) State {
	w := p.windows(subject)
	window := w.at(taken)
	if s.Windows[window] < cost || w.at(now) > window {
		return s
	}
	s.Windows = maps.Clone(s.Windows)
	s.Windows[window] -= cost
	return s
}
