package auth

import (
	"time"

	"github.com/tienda-dev/tienda/shared/problem"
)

// The lockout, per identifier and client address (IPv6: /64), of which the store has a keyed hash: the curve of
// Amazon Cognito. Of the failures in a row the first four cost nothing; the fifth, which is FreeAttempts, makes the
// next attempt wait a second, and each one after it twice as long as the one before, up to MaxLock. Attempts during
// the wait are refused, also with the right password, and do not make it longer. A success, or Quiet without a
// failure, resets the count.
//
// Only a wrong password is a failure. But an attempt must have a place before its password is checked, and there are
// Places of them, so failures and attempts in flight together are never more than FreeAttempts, and from there on one
// attempt is in flight at a time. So an attacker who sends guesses at once gets as many answers as one who sends them
// one by one: FreeAttempts, and then one after each wait. An attempt that finds no place waits until another one
// ends, so right passwords that come at once all log in. An attempt that ends without a verdict gives its place back
// and leaves no trace; one whose process was killed counts as a failure after AttemptLife, because nobody knows its
// verdict.
//
// So an attacker's failures make only the attacker's address wait. LoginLimits bound the guesses over a day: those
// for one account from all unknown addresses together, of which one address gets a small part; those from each known
// address apart; and those from one address for all accounts. An address is known for KnownFor after a login, or
// until the password changes. This is the device cookie of
// https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies, for clients without cookies.
//
// What remains: while guesses from many addresses use up an account's limit, its owner can log in from known
// addresses only, and a client behind one of them can see by its answers that it is known; and an attacker behind the
// owner's address shares the owner's waits. Sessions that exist are not affected.
const (
	FreeAttempts = 5
	MaxLock      = 15 * time.Minute
	Quiet        = 15 * time.Minute
	// AttemptLife is how long an attempt may be in flight: longer than a function may run.
	AttemptLife = 20 * time.Second
	// steps is how often the wait doubles before it reaches MaxLock.
	steps = 10
)

// Failures are the wrong passwords since the last success.
type Failures struct {
	// Count is how many there were.
	Count int64
	// LastAt is when the last one was, to the millisecond.
	LastAt time.Time
}

// Places returns how many attempts may be in flight after count failures.
func Places(count int64) int { return int(max(1, FreeAttempts-count)) }

// Wait returns how long after the last of count failures the next attempt may be made.
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

// Forgotten reports whether the failures are too long ago to count.
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
