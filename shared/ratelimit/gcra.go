package ratelimit

// Interval returns GCRA's emission interval in microseconds, rounded up so that the rate is never above Limit per
// Window.
func (p *Policy) Interval() int64 {
	return (p.Window.Microseconds() + p.Limit - 1) / p.Limit
}

// Tolerance returns how far ahead of now GCRA's theoretical arrival time may be, in microseconds: Burst
// intervals.
func (p *Policy) Tolerance() int64 { return p.Capacity() * p.Interval() }

// takeGCRA is the virtual scheduling algorithm of ITU-T I.371. Its tolerance counts the unit itself, so that a burst of
// 1 is a tolerance of one interval.
func (p *Policy) takeGCRA(s State, now, cost int64) (wait int64, next State) {
	tat := max(s.TAT, now) + cost*p.Interval()
	if latest := now + p.Tolerance(); tat > latest {
		return tat - latest, s
	}
	s.TAT = tat
	return 0, s
}

func (p *Policy) availableGCRA(s State, now int64) Result {
	if s.TAT <= now {
		return Result{Policy: p, Remaining: p.Capacity()}
	}
	interval, latest := p.Interval(), now+p.Tolerance()
	n := max(0, (latest-s.TAT)/interval)
	return Result{Policy: p, Remaining: n, MoreAfter: micros(s.TAT + (n+1)*interval - latest)}
}

// paidAt returns when all units are paid for that were left after an admitted Take at the time at: the theoretical arrival
// time that it has produced. It inverts availableGCRA.
func (p *Policy) paidAt(taken Result, at int64) int64 {
	return at + p.Tolerance() - (taken.Remaining+1)*p.Interval() + taken.MoreAfter.Microseconds()
}

// refundGCRA also lowers a theoretical arrival time to before now: a part of the units has been paid for since, and the
// subject is then as idle as it would be without them.
func (p *Policy) refundGCRA(s State, taken Result, at, now, cost int64) State {
	if s.TAT > now && now < p.paidAt(taken, at) { // otherwise all of it has been paid for
		s.TAT -= cost * p.Interval()
	}
	return s
}
