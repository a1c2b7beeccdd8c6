package backend

import (
	"context"
	"time"

	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/shared/ratelimit"
)

// observe returns a GuardConfig.Observe that records each decision, by the policy that decided. A store that does not
// answer leaves no result: then it is the first of the policies. The subject itself is not recorded, only its kind.
func observe(policies []ratelimit.Policy) func(context.Context, ratelimit.Decision, time.Duration) {
	return func(ctx context.Context, d ratelimit.Decision, took time.Duration) {
		name := policies[0].Name
		if r, ok := d.Strictest(); ok {
			name = r.Policy.Name
		}
		metrics.From(ctx).RateLimit(ctx, name, d.Subject.Kind(), outcome(d), took)
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
