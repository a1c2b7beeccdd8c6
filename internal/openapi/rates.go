package openapi

import (
	"fmt"
	"strings"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/problem"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimithttp"
)

// limited returns the errors of a class of rate limits.
func limited(rate api.Rate) []*problem.Error {
	class, ok := policy.ClassOf(rate)
	if !ok {
		return nil
	}
	all := []*problem.Error{
		problem.New(problem.TooManyRequests, "rate_limited", "You have sent too many requests. Try again after the time in Retry-After."),
	}
	if class.OnError == ratelimit.Closed {
		all = append(all, problem.New(problem.Unavailable, "rate_limit_unavailable", "The request cannot be counted at the moment. Try again later."))
	}
	return all
}

// limitHeaders returns the headers of a class of rate limits. An answer that was given before something was counted
// has none of them.
func limitHeaders(rate api.Rate) []ResponseHeader {
	class, ok := policy.ClassOf(rate)
	if !ok {
		return nil
	}
	all := []ResponseHeader{{
		Name: ratelimithttp.HeaderRateLimitPolicy, Description: "The rate limits: `\"staff\";q=5;w=1` is 5 requests per second.", Optional: true,
	}}
	if class.Hide {
		return all
	}
	return append(all, ResponseHeader{
		Name: ratelimithttp.HeaderRateLimit, Description: "What is left of the rate limits: `\"staff\";r=42;t=1` is 42 requests, and more " +
			"of them in 1 s. An answer that shared caches may keep does not have it.",
		Optional: true,
	})
}

// limitText says what a class of rate limits allows; empty for none.
func limitText(rate api.Rate) string {
	class, ok := policy.ClassOf(rate)
	if !ok {
		return ""
	}
	var limits []string
	for _, c := range []struct {
		of       string
		policies []ratelimit.Policy
	}{{"address", class.IP}, {"user", class.User}} {
		for _, p := range c.policies {
			limits = append(limits, fmt.Sprintf("%d requests in %d s, and %d at once, of each %s", p.Limit, int(p.Window.Seconds()), p.Capacity(), c.of))
		}
	}
	return fmt.Sprintf("Rate class %#q: %s.", rate, strings.Join(limits, "; "))
}
