package ratelimit

import "fmt"

// Decide returns the decision about cost units of a subject at now (microseconds since 1970) by all policies, and their
// states after it. Every policy that admits takes the units, unless one that is not in shadow mode denies: then none
// does. states has one entry for each policy; Decide does not change it. Stores share it, so that they agree on each
// decision. The cost must be valid (ValidateCost).
func Decide(policies []Policy, subject Subject, states []State, now, cost int64) (Decision, []State) {
	d := Decision{Allowed: true, Subject: subject, Cost: cost, At: now, Results: make([]Result, len(policies))}
	next := make([]State, len(policies))
	for i := range policies {
		p := &policies[i]
		d.Results[i], next[i] = p.Take(subject, states[i], now, cost)
		d.Allowed = d.Allowed && (d.Results[i].Allowed || p.Shadow)
	}
	if d.Allowed {
		return d, next
	}
	for i := range policies {
		r := &d.Results[i]
		if r.Allowed { // it would have taken the units
			*r = policies[i].available(subject, states[i], now)
			r.Allowed = true
		}
	}
	return d, states
}

// Look returns the decision of Limiter.Peek at now: whether one unit would be admitted, and what could be taken.
func Look(policies []Policy, subject Subject, states []State, now int64) Decision {
	d := Decision{Allowed: true, Subject: subject, At: now, Results: make([]Result, len(policies))}
	for i := range policies {
		p := &policies[i]
		d.Results[i] = p.Peek(subject, states[i], now)
		d.Allowed = d.Allowed && (d.Results[i].Allowed || p.Shadow)
	}
	return d
}

// Undo returns the states after a refund of taken at now, or ErrNotRefundable. Only policies that admitted have taken
// units. A decision of another number of policies is an error.
func Undo(policies []Policy, states []State, taken Decision, now int64) ([]State, error) {
	if taken.Took() && len(taken.Results) != len(policies) {
		return nil, fmt.Errorf("ratelimit: refund a decision of %d policies, want %d", len(taken.Results), len(policies))
	}
	next := make([]State, len(policies))
	for i := range policies {
		p := &policies[i]
		if !p.Refundable() {
			return nil, ErrNotRefundable
		}
		next[i] = states[i]
		if taken.Took() && taken.Results[i].Allowed {
			next[i] = p.Refund(taken.Subject, states[i], taken.Results[i], taken.At, now, taken.Cost)
		}
	}
	return next, nil
}
