package ratelimit

import (
	"errors"
	"fmt"
	"regexp"
	"time"
)

// Algorithm is how a Policy counts. The zero value is GCRA.
type Algorithm int

// The algorithms.
const (
	// GCRA is the generic cell rate algorithm, which admits what a token bucket of Burst tokens admits that
	// gains Limit tokens per Window.
	GCRA Algorithm = iota
	// FixedWindow counts units in windows that follow each other.
	FixedWindow
	// SlidingLog keeps the time of each admitted unit: never more than Limit in any Window.
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

// Policy is one limit. A subject is admitted while it takes no more units than the policy allows.
type Policy struct {
	// Name is the policy's name in kebab-case, for clients (RateLimit-Policy), logs and metrics.
	Name string
	// Algorithm is how units are counted.
	Algorithm Algorithm
	// Limit is how many units a Window has, 1 or more; at most MaxLog for a SlidingLog.
	Limit int64
	// Window is the time that Limit is for, in whole seconds, from one second to 366 days.
	Window time.Duration
	// Burst is how many units a GCRA admits at once after a pause; 0 is Limit. Other algorithms have none.
	Burst int64
	// Version is part of the subject's key in a store. Raise it when Algorithm, Limit, Window or Burst change.
	Version int
	// Shadow makes the policy decide and count, but never deny.
	Shadow bool
}

const maxWindow = 366 * 24 * time.Hour

var policyName = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// Validate reports everything that is wrong with the policy, or nil.
func (p Policy) Validate() error {
	var problems []error
	refuse := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("policy %q: "+format, append([]any{p.Name}, args...)...))
	}
	if !policyName.MatchString(p.Name) || len(p.Name) > 64 {
		refuse("Name must be kebab-case of at most 64 characters")
	}
	if p.Algorithm < GCRA || p.Algorithm > SlidingLog {
		refuse("unknown Algorithm %d", p.Algorithm)
	}
	if p.Limit < 1 {
		refuse("Limit must be 1 or more")
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
	if p.Algorithm == GCRA && p.Limit > 0 && p.Window.Microseconds()/p.Limit < 1 {
		refuse("Limit must be at most one unit per microsecond")
	}
	if p.Version < 0 {
		refuse("Version must be 0 or more")
	}
	return errors.Join(problems...)
}

// Capacity returns the most units that one Take can ever be admitted with.
func (p Policy) Capacity() int64 {
	if p.Algorithm == GCRA && p.Burst > 0 {
		return p.Burst
	}
	return p.Limit
}

// Refundable reports whether units that were taken can be given back. A sliding log cannot: its oldest time is
// gone.
func (p Policy) Refundable() bool { return p.Algorithm != SlidingLog }
