package ratelimit

import (
	"context"
	"time"

	"github.com/tienda-dev/tienda/shared/clock"
)

// observed is a limiter whose decisions are seen.
type observed struct {
	Limiter

	observe func(ctx context.Context, d Decision, took time.Duration)
	now     func() time.Time
}

// Observe returns the limiter l, and calls observe with each of its decisions, as a Guard does with GuardConfig.Observe.
// It is for limiters that need no Guard. It panics when something is missing.
func Observe(l Limiter, observe func(ctx context.Context, d Decision, took time.Duration), now func() time.Time) Limiter {
	if l == nil || observe == nil || now == nil {
		panic("ratelimit: Observe needs a limiter, a function and a clock")
	}
	return observed{l, observe, clock.Wall(now)}
}

// Take implements Limiter.
func (o observed) Take(ctx context.Context, subject Subject, cost int64) (Decision, error) {
	start := o.now()
	return o.see(ctx, start)(o.Limiter.Take(ctx, subject, cost))
}

// Peek implements Limiter.
func (o observed) Peek(ctx context.Context, subject Subject) (Decision, error) {
	start := o.now()
	return o.see(ctx, start)(o.Limiter.Peek(ctx, subject))
}

// see returns a function that passes on the decision about a call that began at start.
func (o observed) see(ctx context.Context, start time.Time) func(Decision, error) (Decision, error) {
	return func(d Decision, err error) (Decision, error) {
		if err == nil {
			o.observe(ctx, d, max(0, o.now().Sub(start)))
		}
		return d, err
	}
}
