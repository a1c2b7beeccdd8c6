package ratelimit

import "slices"

// oldest returns the i-th oldest of the Limit times of the log, 0 for a unit that was never taken: longer ago than any
// window.
func (p *Policy) oldest(s State, i int64) int64 {
	if i -= p.Limit - int64(len(s.Log)); i >= 0 {
		return s.Log[i]
	}
	return 0
}

// takeLog replaces the oldest times by now, if all of them are a window or more ago. It looks at each of them, because
// instances with different clocks do not arrive in the order of their times.
func (p *Policy) takeLog(s State, now, cost int64) (wait int64, next State) {
	var newest int64
	for i := range cost {
		newest = max(newest, p.oldest(s, i))
	}
	if wait = newest + p.Window.Microseconds() - now; wait > 0 {
		return wait, s
	}
	drop := max(0, int64(len(s.Log))+cost-p.Limit)
	log := make([]int64, 0, int64(len(s.Log))-drop+cost)
	log = append(log, s.Log[drop:]...)
	for range cost {
		log = append(log, now)
	}
	return 0, State{Log: slices.Clip(log)}
}

func (p *Policy) availableLog(s State, now int64) Result {
	r := Result{Policy: p}
	for ; r.Remaining < p.Limit; r.Remaining++ {
		if wait := p.oldest(s, r.Remaining) + p.Window.Microseconds() - now; wait > 0 {
			r.MoreAfter = micros(wait)
			break
		}
	}
	return r
}
