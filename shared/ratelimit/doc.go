// Package ratelimit limits how often a subject (a client address, a user, an account) may do something: Policies
// with exact integer arithmetic, the Limiter that stores implement, and Guard, which makes a store fit for a
// request path. It knows neither HTTP (ratelimithttp) nor a store (ratelimitmem, ratelimitddb).
//
// Names that you may be looking for: a token bucket is GCRA, a sliding window in a sorted set is SlidingLog.
package ratelimit
