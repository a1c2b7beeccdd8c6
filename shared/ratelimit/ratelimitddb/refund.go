package ratelimitddb

import (
	"context"
	"fmt"
	"math"

	"github.com/tienda-dev/tienda/shared/ratelimit"
)

// Refund implements ratelimit.Limiter. It is one conditional write, two if time or a Reset has given some of the units
// back, and none if time has given back all.
func (l *Limiter) Refund(ctx context.Context, taken ratelimit.Decision) error {
	for i := range l.policies {
		if !l.policies[i].Refundable() {
			return ratelimit.ErrNotRefundable
		}
	}
	if !taken.Took() {
		return nil
	}
	if len(taken.Results) != len(l.slots) {
		return fmt.Errorf("ratelimitddb: refund a decision of %d policies, want %d", len(taken.Results), len(l.slots))
	}
	pk, err := l.keys.partitionKey(ctx, taken.Subject)
	if err != nil {
		return err
	}
	r := l.requests.Get().(*request) //nolint:forcetypeassert // the pool has nothing else
	defer l.requests.Put(r)
	r.pk.Value, r.input.ExpressionAttributeNames = pk, nil

	states := l.unpaid(taken)
	for range maxCalls {
		now := l.now().UnixMicro()
		next, err := ratelimit.Undo(l.policies, states, taken, now)
		if err != nil {
			return err
		}
		if !l.buildRefund(r, taken, states, next, now) {
			return nil
		}
		old, done, err := l.send(ctx, r)
		if err != nil {
			return err
		}
		if done {
			l.hints.refunded(pk, l.slots, taken.Cost)
			return nil
		}
		states = old
	}
	return errUnsettled
}

// unpaid returns states from which Undo takes everything that its time allows, for the first guess.
func (l *Limiter) unpaid(taken ratelimit.Decision) []ratelimit.State {
	states := make([]ratelimit.State, len(l.slots))
	for i := range l.slots {
		w := l.slots[i].policy.WindowOf(taken.Subject, taken.At)
		states[i] = ratelimit.State{TAT: math.MaxInt64, Windows: map[int64]int64{w: taken.Cost}}
	}
	return states
}

// buildRefund writes the expressions that turn states into next, and reports whether they differ.
func (l *Limiter) buildRefund(r *request, taken ratelimit.Decision, states, next []ratelimit.State, now int64) (some bool) {
	e := r.expression
	e.reset()
	for i := range l.slots {
		s := &l.slots[i]
		switch w := s.policy.WindowOf(taken.Subject, taken.At); {
		case s.policy.Algorithm == ratelimit.FixedWindow && next[i].Windows[w] != states[i].Windows[w]:
			e.window(s, give, w, taken.Cost)
			some = true
		case s.policy.Algorithm == ratelimit.GCRA && next[i].TAT != states[i].TAT:
			e.gcra(s, give, now, taken.Cost)
			some = true
		}
	}
	return some
}
