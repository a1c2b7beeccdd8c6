// Package ratelimit limits how often a subject (a client address, a user, an account) may do something: Policies
// with exact integer arithmetic, the Limiter that stores implement, and Guard, which makes a store fit for a
// request path. It knows neither HTTP (ratelimithttp) nor a store (ratelimitmem, ratelimitddb).
//
// # Choosing an algorithm
//
// Take GCRA unless there is a reason not to: it lets a client make a burst, as a page load does, and then holds an even
// rate; it has one number per subject, any cost, and refunds; and clocks that disagree cost it a few units once.
//
// Take SlidingLog when "never more than 5 in 15 minutes" must hold as it is written, for any 15 minutes: logins, codes,
// payments. It has at most 100 units, and cannot refund.
//
// Take FixedWindow for a quota that people read, as 5,000 per day. Around the border of two windows it admits twice the
// limit.
//
//	                 most in any Window    a store keeps     cost n   refund
//	GCRA             Limit + Burst         one time          yes      yes
//	FixedWindow      2 * Limit             one counter       yes      yes
//	SlidingLog       Limit                 Limit times       yes      no
//
// The constants document each bound with clocks that disagree, and its source.
//
// # Names that you may be looking for
//
//   - Token bucket: GCRA. It admits exactly what a bucket of Burst tokens that gains Limit tokens per Window admits, but
//     keeps a time that only grows instead of a number of tokens and the time of the last refill. With these two, a clock
//     that is behind sets the refill back, and the next request refills the same time again.
//   - Leaky bucket: as a meter, GCRA, which is what ITU-T I.371 calls it too. As a queue that delays requests, it has no
//     place in front of a function that is paid by time.
//   - Sliding window in a sorted set (of Redis): SlidingLog.
//   - Sliding window counter (two fixed windows, the older one weighted): not here. A conditional write cannot compare
//     a weighted sum. GCRA has a tighter bound for the same state.
//   - Quota: FixedWindow.
//
// # Several limits
//
// Policies of one subject belong into one Limiter, which decides by all of them at once: none takes when one denies.
// TakeAll asks limiters of different subjects in parallel, and gives back what they took when one denies.
package ratelimit
