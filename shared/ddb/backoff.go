package ddb

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	baseDelay = 25 * time.Millisecond
	maxDelay  = time.Second
	// answerReserve is what a retry loop leaves of the context's time, so that a caller can still
	// answer 503 instead of running into its own deadline.
	answerReserve = 50 * time.Millisecond
	// defaultBudget bounds the retry loops of a caller whose context has no deadline.
	defaultBudget = 10 * time.Second
)

// jitter returns a random pause before retry n (from 0): "full jitter", between nothing and a bound
// that doubles each time. Writers that collided once do not collide again in step.
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
func jitter(n int) time.Duration {
	bound := maxDelay
	if n < 6 { // 25 ms << 6 is beyond maxDelay
		bound = min(maxDelay, baseDelay<<max(n, 0))
	}
	return rand.N(bound) //nolint:gosec // G404: a pause is no secret
}

// withBudget gives ctx a deadline when it has none.
func withBudget(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, defaultBudget)
}

// pause waits before retry n. It returns false at once when the pause would not leave time for
// another attempt.
func pause(ctx context.Context, n int) bool {
	d := jitter(n)
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d+answerReserve {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
