package ratelimit

import (
	"context"
	"errors"
	"time"
)

// Limiter decides about subjects by its policies, all of which must admit. The stores implement it exactly, and
// Guard implements it for request paths. A Limiter is safe for concurrent use.
type Limiter interface {
	// Take takes cost units, 1 or more, from every policy, or from none of them. A cost that a policy can never
	// admit (more than its Capacity) is an error.
	Take(ctx context.Context, subject Subject, cost int64) (Decision, error)
	// Peek returns whether a Take of one unit would be admitted now, and takes nothing: Remaining is what could be
	// taken, and Cost is 0.
	Peek(ctx context.Context, subject Subject) (Decision, error)
	// Refund gives back what taken, an admitted decision of Take, took. Call it at most once for a decision. It does
	// nothing for a decision that took nothing, and to a policy where time has given the units back already.
	// ErrNotRefundable if one of the policies cannot refund: then none does.
	Refund(ctx context.Context, taken Decision) error
	// Reset forgets the subject. Instances that have cached a denial see it when that entry ends.
	Reset(ctx context.Context, subject Subject) error
	// Policies returns the policies, in the order of a decision's results. It must not be changed.
	Policies() []Policy
}

// ErrNotRefundable is what Refund returns when a policy cannot give units back.
var ErrNotRefundable = errors.New("ratelimit: the policy cannot refund")

// ErrSubjectThrottled is a store that refuses writes because of this one subject's own rate, far above every
// limit. Guard denies the subject for a second.
var ErrSubjectThrottled = errors.New("ratelimit: the store throttles the subject")

// Source is where a decision comes from.
type Source int

// The sources of a decision.
const (
	// FromStore is the store's exact answer.
	FromStore Source = iota
	// FromCache is a denial that this instance remembers. It never admits.
	FromCache
	// FromLocal is the in-memory limiter of this instance, because the store failed.
	FromLocal
	// FailedOpen admits without a count, because the store failed.
	FailedOpen
	// FailedClosed denies, because the store failed.
	FailedClosed
	// Off admits without a count, because the limits are switched off.
	Off
)

// String returns the source's name in kebab-case.
func (s Source) String() string {
	switch s {
	case FromStore:
		return "store"
	case FromCache:
		return "cache"
	case FromLocal:
		return "local"
	case FailedOpen:
		return "failed-open"
	case FailedClosed:
		return "failed-closed"
	case Off:
		return "off"
	default:
		return "unknown"
	}
}

// Decision is the answer for one subject.
type Decision struct {
	// Allowed is whether every policy that is not in shadow mode admits.
	Allowed bool
	// Source is where the decision comes from.
	Source Source
	// Results has one entry for each policy, in the limiter's order. It is empty when Source is FailedOpen,
	// FailedClosed or Off.
	Results []Result
	// Subject, Cost and At are the arguments of Take and its time in microseconds since 1970, for Refund.
	Subject Subject
	Cost    int64
	At      int64
}

// Took reports whether the decision has taken units from a store.
func (d Decision) Took() bool { return d.Allowed && d.Cost > 0 && len(d.Results) > 0 }

// Result is what one policy says.
type Result struct {
	// Policy is the policy.
	Policy *Policy
	// Allowed is whether the policy admits, also in shadow mode.
	Allowed bool
	// Remaining is how many units could be taken at once after this decision.
	Remaining int64
	// RetryAfter is how long after a denial the same Take would be admitted, to the microsecond, if nobody else
	// takes; 0 if Allowed.
	RetryAfter time.Duration
	// MoreAfter is how long until Remaining grows if nobody takes; 0 if it is at the policy's Capacity.
	MoreAfter time.Duration
}
