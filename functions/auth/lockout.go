package auth

import (
	"time"

	"github.com/tienda-dev/tienda/shared/problem"
)

// The lockout, per identifier: the curve of Amazon Cognito. Of the failures in a row the first four cost
// nothing; the fifth, which is FreeAttempts, makes the next attempt wait a second, and each one after it
// twice as long as the one before, up to MaxLock. Attempts during the wait are refused, also with the right
// password, and do not make it longer. A success, or Quiet without an attempt, resets the count.
//
// An attacker who sends a wrong password as soon as each wait is over, always before the owner, keeps the
// owner from logging in. Sessions that exist are not affected.
const (
	FreeAttempts = 5
	MaxLock      = 15 * time.Minute
	Quiet        = 15 * time.Minute
	// steps is how often the wait doubles before it reaches MaxLock.
	steps = 10
)

// Failures are the attempts since the last success.
type Failures struct {
	// Count is how many were made. An attempt is counted before its outcome is known, so that
	// guesses made at once cannot all pass under the same count.
	Count int64
	// LastAt is when the last one was made, to the millisecond.
	LastAt time.Time
}

// Wait returns how long after the last of count attempts the next one may be made.
func Wait(count int64) time.Duration {
	switch over := count - FreeAttempts; {
	case over < 0:
		return 0
	case over < steps:
		return time.Second << over
	default:
		return MaxLock
	}
}

// Forgotten reports whether the attempts are too long ago to count.
func (f Failures) Forgotten(now time.Time) bool { return now.Sub(f.LastAt) >= Quiet }

// Locked returns how long the next attempt must wait from now on; 0 when it need not.
func (f Failures) Locked(now time.Time) time.Duration {
	wait := Wait(f.Count)
	if wait == 0 {
		return 0
	}
	return max(0, f.LastAt.Add(wait).Sub(now))
}

// locked returns the answer to an attempt that comes too early. Unknown identifiers get the same.
func locked(wait time.Duration) error {
	return errLocked.WithRetryAfter(wait)
}

var errLocked = problem.New(problem.TooManyRequests, "too_many_attempts",
	"There were too many failed attempts. Wait before the next one.")
