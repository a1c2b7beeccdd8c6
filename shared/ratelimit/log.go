package ratelimit

// unused returns how many of the Limit units of the log were never taken.
func (p *Policy) unused(s State) int64 { return max(0, p.Limit-int64(len(s.Log))) }

// takeLog replaces the oldest times by now, if all of them are a window or more ago. It looks at each of them, because
// instances with different clocks do not arrive in the order of their times.
func (p *Policy) takeLog(s State, now, cost int64) (wait int64, next State) {
	drop := max(0, cost-p.unused(s))
	var newest int64
	for _, at := range s.Log[:drop] {
		newest = max(newest, at)
	}
	if wait = newest + p.Window.Microseconds() - now; drop > 0 && wait > 0 {
		return wait, s
	}
	log := make([]int64, 0, int64(len(s.Log))-drop+cost)
	log = append(log, s.Log[drop:]...)
	for range cost {
		log = append(log, now)
	}
	return 0, State{Log: log}
}

func (p *Policy) availableLog(s State, now int64) Result {
	r := Result{Policy: p, Remaining: p.unused(s)}
	length := p.Window.Microseconds()
	for _, at := range s.Log {
		if wait := at + length - now; wait > 0 {
			r.MoreAfter = micros(wait)
			break
		}
		r.Remaining++
	}
	return r
}
