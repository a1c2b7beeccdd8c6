package ratelimithttp

import (
	"slices"
	"time"

	"github.com/tienda-dev/tienda/shared/problem"
	"github.com/tienda-dev/tienda/shared/ratelimit"
)

var (
	errLimited     = problem.New(problem.TooManyRequests, "rate_limited", "You have sent too many requests. Try again after the time in Retry-After.")
	errUnavailable = problem.New(problem.Unavailable, "rate_limit_unavailable", "The request cannot be counted at the moment. Try again later.")
)

// Deny returns the error of a request that one of the decisions denies, or nil if all admit. It is a 429 (code
// rate_limited) with Retry-After and the names of the policies that deny, or a 503 (code rate_limit_unavailable) if the
// store failed and the limit is closed.
//
// It is for handlers that spend units themselves, as a login does after a wrong password. It says nothing about other
// policies and about what is left.
func Deny(decisions ...ratelimit.Decision) error {
	if !slices.ContainsFunc(decisions, func(d ratelimit.Decision) bool { return !d.Allowed }) {
		return nil
	}
	var wait time.Duration
	var violated []string
	for _, d := range decisions {
		for _, r := range d.Results {
			if denies(d, r) {
				wait = max(wait, r.RetryAfter)
				violated = append(violated, r.Policy.Name)
			}
		}
	}
	if len(violated) == 0 {
		return closed(nil)
	}
	e := errLimited.WithRetryAfter(max(wait, 1)) // a second, if not more
	e.Type = problem.QuotaExceeded()
	e.ViolatedPolicies = violated
	return e
}

// denies reports whether the result is a reason of a denial.
func denies(d ratelimit.Decision, r ratelimit.Result) bool {
	return !d.Allowed && !r.Allowed && !r.Policy.Shadow
}

// closed returns the error of a request that cannot be counted and must not pass without.
func closed(cause error) error {
	e := errUnavailable.WithCause(cause)
	e.Type = problem.TemporaryReducedCapacity()
	return e
}
