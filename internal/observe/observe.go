// Package observe logs and counts the decisions of rate limits. Every function of a route does, whatever its store is, so
// it links none.
package observe

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/shared/ratelimit"
)

// Decisions returns a GuardConfig.Observe that logs and counts each decision, by the policy that decided. A store that does not
// answer leaves no result: then it is the first of the policies. The subject itself is not counted, only its kind.
func Decisions(policies []ratelimit.Policy) func(context.Context, ratelimit.Decision, time.Duration) {
	return func(ctx context.Context, d ratelimit.Decision, took time.Duration) {
		logDecision(ctx, d)
		name := policies[0].Name
		if r, ok := d.Strictest(); ok {
			name = r.Policy.Name
		}
		metrics.From(ctx).RateLimit(ctx, name, d.Subject.Kind(), outcome(d), took)
	}
}

// logDecision adds a decision to the request's log entry, unless it is an ordinary admission.
func logDecision(ctx context.Context, d ratelimit.Decision) {
	var denying []string
	for _, r := range d.Results {
		if !r.Allowed {
			denying = append(denying, r.Policy.Name)
		}
	}
	if d.Source != ratelimit.FromStore || len(denying) > 0 {
		logging.EntryFrom(ctx).Add(zap.Stringer(logging.KeyRateSource, d.Source), zap.Strings(logging.KeyRatePolicies, denying))
	}
}

func outcome(d ratelimit.Decision) string {
	switch {
	case d.Source == ratelimit.FailedOpen:
		return metrics.RateErrorOpen
	case d.Source == ratelimit.FailedClosed:
		return metrics.RateErrorClosed
	case d.Allowed:
		return metrics.RateAllow
	default:
		return metrics.RateDeny
	}
}
