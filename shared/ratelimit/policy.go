package ratelimit

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Algorithm is how a Policy counts. The zero value is GCRA. In the bounds, skew is how far apart the clocks of the
// instances are, plus the time from reading the clock until the store decides.
type Algorithm int

// The algorithms.
const (
	// GCRA is the generic cell rate algorithm. It admits what a token bucket of Burst tokens that gains Limit tokens
	// per Window admits.
	//
	//   - Bound: any interval of length d has at most Burst + (d+skew)/Interval units. Skew counts once, not per request.
	//   - Worst window: Burst + Limit, that is 2*Limit if Burst is 0. For "never more than N per Window", take Limit
	//     and Burst of N/2, or SlidingLog.
	//   - Burst: Burst units at once after a pause, then one unit each Window/Limit.
	//   - Under-admission: the interval is rounded up to a microsecond, at most 1 % of the rate.
	//   - Cost: one number per subject; any cost up to Burst; refunds. A store without max() needs a second call when it
	//     guesses wrong whether the subject is idle.
	//   - Source: virtual scheduling in ITU-T I.371 (2004), annex A, and ATM Forum Traffic Management 4.1, section 4.4.3.
	GCRA Algorithm = iota
	// FixedWindow counts units in windows that follow each other. Each subject has its own first window, so that clients
	// do not all return in the same second.
	//
	//   - Bound: Limit in each window, while the clocks are at most MaxSkew apart.
	//   - Worst window: 2*Limit, around the border of two windows; 3*Limit when skew lets three windows overlap.
	//   - Burst: Limit units at once, at any time in the window.
	//   - Under-admission: none.
	//   - Cost: one counter per subject and window; any cost up to Limit; refunds while the window lasts.
	//   - Source: the INCR pattern of https://redis.io/docs/latest/commands/incr/, without counting denied requests.
	FixedWindow
	// SlidingLog keeps the time of each admitted unit: the exact sliding window.
	//
	//   - Bound and worst window: Limit in any interval of length Window-skew.
	//   - Burst: Limit units at once after a pause of one Window.
	//   - Under-admission: none, except that a unit of a fast clock is kept for up to skew longer.
	//   - Cost: Limit times per subject, which is why Limit is at most MaxLog; any cost up to Limit; no refunds, because
	//     the time that a unit replaces is lost.
	//   - Source: the sorted set of https://engineering.classdojo.com/blog/2015/02/06/rolling-rate-limiter/, as a list of
	//     fixed length.
	SlidingLog
)

// String returns the algorithm's name in kebab-case.
func (a Algorithm) String() string {
	switch a {
	case GCRA:
		return "gcra"
	case FixedWindow:
		return "fixed-window"
	case SlidingLog:
		return "sliding-log"
	default:
		return "unknown"
	}
}

// MaxLog is the largest Limit of a SlidingLog: each unit is a time in the subject's state.
const MaxLog = 100

// Policy is one limit. A subject is admitted until it has taken the units that the policy allows.
type Policy struct {
	// Name is the policy's name in kebab-case, for clients (RateLimit-Policy), logs and metrics.
	Name string
	// Algorithm is how units are counted.
	Algorithm Algorithm
	// Limit is how many units a Window has, 1 or more; at most MaxLog for a SlidingLog, and one per 100 microseconds for
	// a GCRA.
	Limit int64
	// Window is the time that Limit is for, in whole seconds, from one second to 366 days.
	Window time.Duration
	// Burst is how many units a GCRA admits at once after a pause; 0 is Limit. Other algorithms have none.
	Burst int64
	// Version is part of the subject's key in a store. Raise it to let every subject start from nothing. A change of Algorithm,
	// Limit, Window or Burst does that by itself.
	Version int
	// Shadow makes the policy decide and count, but never deny. It takes nothing when it would have denied.
	Shadow bool
}

const (
	maxWindow = 366 * 24 * time.Hour
	// maxLimit is the largest integer of a structured header (RFC 9651, section 3.3.1).
	maxLimit = 999_999_999_999_999
	// minInterval keeps what rounding the interval up to a microsecond costs below 1 % of the rate.
	minInterval = 100 * time.Microsecond
)

// kebabCase reports whether name is words of lower-case letters and digits with a hyphen between them, and begins with a
// letter. No regular expression: each start of a function with a limit would compile it.
func kebabCase(name string) bool {
	for word := range strings.SplitSeq(name, "-") {
		if word == "" || strings.ContainsFunc(word, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }) {
			return false
		}
	}
	return name[0] >= 'a' // only letters and digits are left, and digits are below
}

// Validate reports everything that is wrong with the policy, or nil.
func (p Policy) Validate() error {
	var problems []error
	refuse := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("policy %q: "+format, append([]any{p.Name}, args...)...))
	}
	if !kebabCase(p.Name) || len(p.Name) > 64 {
		refuse("Name must be kebab-case of at most 64 characters")
	}
	if p.Algorithm < GCRA || p.Algorithm > SlidingLog {
		refuse("unknown Algorithm %d", p.Algorithm)
	}
	if p.Limit < 1 || p.Limit > maxLimit {
		refuse("Limit must be from 1 to %d", int64(maxLimit))
	}
	if p.Algorithm == SlidingLog && p.Limit > MaxLog {
		refuse("the Limit of a sliding log must be at most %d", MaxLog)
	}
	if p.Window < time.Second || p.Window > maxWindow || p.Window%time.Second != 0 {
		refuse("Window must be whole seconds, from one second to 366 days")
	}
	if p.Burst < 0 || (p.Burst > 0 && p.Algorithm != GCRA) {
		refuse("Burst must be 0 or more, and 0 unless Algorithm is GCRA")
	}
	if p.Algorithm == GCRA && p.Limit > 0 && p.Window > 0 {
		if p.Limit > int64(p.Window/minInterval) {
			refuse("Limit must be at most one unit per %v", minInterval)
		}
		if p.Burst > p.Limit && p.Burst > maxWindow.Microseconds()/p.Interval() {
			refuse("Burst must refill within 366 days")
		}
	}
	if p.Version < 0 {
		refuse("Version must be 0 or more")
	}
	return errors.Join(problems...)
}

// ValidatePolicies reports everything that is wrong with the policies of one limiter, or nil: they must be valid,
// at least one, and their names must differ.
func ValidatePolicies(policies []Policy) error {
	if len(policies) == 0 {
		return errors.New("a limiter needs a policy")
	}
	var problems []error
	names := map[string]bool{}
	for _, p := range policies {
		problems = append(problems, p.Validate())
		if names[p.Name] {
			problems = append(problems, fmt.Errorf("policy %q: Name is used twice", p.Name))
		}
		names[p.Name] = true
	}
	return errors.Join(problems...)
}

// ValidateCost returns an error that names the policy which can never admit the cost, or nil.
func ValidateCost(policies []Policy, cost int64) error {
	if cost < 1 {
		return fmt.Errorf("cost %d must be 1 or more", cost)
	}
	for i := range policies {
		if capacity := policies[i].Capacity(); cost > capacity {
			return fmt.Errorf("policy %q: cost %d is more than the %d units that it can admit at once", policies[i].Name, cost, capacity)
		}
	}
	return nil
}

// Capacity returns the most units that one Take can ever be admitted with.
func (p Policy) Capacity() int64 {
	if p.Algorithm == GCRA && p.Burst > 0 {
		return p.Burst
	}
	return p.Limit
}

// Refundable reports whether units that were taken can be given back. A sliding log cannot: the time that a unit
// replaced is lost.
func (p Policy) Refundable() bool { return p.Algorithm != SlidingLog }
