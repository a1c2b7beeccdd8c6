package awsclient

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	baseDelay = 25 * time.Millisecond
	maxDelay  = time.Second
	// answerReserve is the time that Pause leaves before the deadline, so that the caller can still
	// answer 503.
	answerReserve = 50 * time.Millisecond
)

// Jitter returns a random pause before retry n (from 0): "full jitter", between 0 and a bound that starts at
// 25 ms and doubles with each retry up to 1 s. Callers that failed together do not come back together.
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
func Jitter(n int) time.Duration {
	bound := maxDelay
	if n < 6 { // 25 ms << 6 is beyond maxDelay
		bound = min(maxDelay, baseDelay<<max(n, 0))
	}
	return rand.N(bound) //nolint:gosec // G404: a pause is not a secret
}

// Pause waits for Jitter(n) before retry n. It returns false at once when the context's deadline would leave
// no time for another attempt, and when the context ends.
func Pause(ctx context.Context, n int) bool {
	d := Jitter(n)
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
