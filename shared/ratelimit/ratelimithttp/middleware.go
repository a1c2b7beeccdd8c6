package ratelimithttp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/tienda-dev/tienda/shared/clock"
	"github.com/tienda-dev/tienda/shared/middleware"
	"github.com/tienda-dev/tienda/shared/problem"
	"github.com/tienda-dev/tienda/shared/ratelimit"
)

// Rule is one thing that a request is counted by.
type Rule struct {
	// Key makes the subject of the request.
	Key KeyFunc
	// Limiter decides about it, as a rule a ratelimit.Guard. A rule whose limiter has no policies is left out.
	Limiter ratelimit.Limiter
	// Cost is how many units a request takes; 0 is 1.
	Cost int64
	// Closed refuses a request with 503 if Key does not know its subject. Otherwise all such requests share one subject
	// and its limit.
	Closed bool
	// Hide leaves out how much the subject has left, because it may be somebody else's: an address or an account on a
	// route where people log in. Clients see the policy, and when to come again.
	Hide bool
}

// Config is what Middleware limits. Rules is required.
type Config struct {
	// Rules must all admit a request: a request that one of them denies takes nothing from the others.
	Rules []Rule
	// Legacy adds the X-RateLimit headers.
	Legacy bool `env:"RATE_LIMITS_LEGACY_HEADERS"`
	// Now is the clock of the legacy headers; nil is time.Now.
	Now func() time.Time
}

// Middleware returns a middleware that lets a request pass if all rules admit it, and otherwise answers 429, or 503 if it
// cannot count. Answers have the RateLimit headers, as far as something was counted. One that shared caches may store for
// other clients (Cache-Control: public or s-maxage, on GET and HEAD) has only RateLimit-Policy.
//
// On GET and HEAD the handler runs while the limiters are asked (middleware.ServeGated), unless all of them are
// middleware.Instant, as ratelimitmem's is. Its answer waits for theirs, and is dropped on a denial; then its context is
// cancelled. Such a handler must not change anything that a denied request may not change. On other methods the handler
// starts when the request is admitted, and on all methods it does not start for a denial that the limiter remembers.
// Nothing runs on after the answer. Behind middleware.Confirm, a read is counted before it is known whether its token was
// revoked.
//
// Middleware refuses rules that cannot be kept together (ratelimit.ValidateTogether) and two policies with one name.
func Middleware(cfg Config) (func(http.Handler) http.Handler, error) {
	if len(cfg.Rules) == 0 {
		return nil, errors.New("ratelimithttp: Middleware without rules")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now //nolint:forbidigo // the clock of a caller that names none
	}
	l := &layer{legacy: cfg.Legacy, now: clock.Wall(cfg.Now)}
	for i, rule := range cfg.Rules {
		if err := l.add(rule); err != nil {
			return nil, fmt.Errorf("ratelimithttp: rule %d: %w", i, err)
		}
	}
	l.instant = !slices.ContainsFunc(l.rules, func(rule Rule) bool {
		limiter, ok := rule.Limiter.(middleware.Instant)
		return !ok || !limiter.Instant()
	})
	if len(l.rules) == 0 {
		return func(next http.Handler) http.Handler { return next }, nil
	}
	requests := make([]ratelimit.Request, len(l.rules))
	for i, rule := range l.rules {
		requests[i] = ratelimit.Request{Limiter: rule.Limiter, Cost: rule.Cost}
	}
	if err := ratelimit.ValidateTogether(requests...); err != nil {
		return nil, fmt.Errorf("ratelimithttp: %w", err)
	}
	l.policyHeader = []string{policyHeader(l.policies)}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { l.serve(next, w, r) })
	}, nil
}

// layer is the middleware.
type layer struct {
	rules        []Rule
	policies     []ratelimit.Policy
	hidden       []string // policies whose state is not shown
	policyHeader []string // the value of RateLimit-Policy, never written
	legacy       bool
	instant      bool // no limiter waits for a store
	now          func() time.Time
}

func (l *layer) add(rule Rule) error {
	switch {
	case rule.Key == nil:
		return errors.New("the Key is nil")
	case rule.Limiter == nil:
		return errors.New("the Limiter is nil")
	case rule.Cost < 0:
		return errors.New("the Cost must be 0 or more")
	case len(rule.Limiter.Policies()) == 0:
		return nil
	case rule.Cost == 0:
		rule.Cost = 1
	}
	for _, p := range rule.Limiter.Policies() {
		if slices.ContainsFunc(l.policies, func(other ratelimit.Policy) bool { return other.Name == p.Name }) {
			return fmt.Errorf("policy %q is in two places: clients could not tell them apart", p.Name)
		}
		l.policies = append(l.policies, p)
		if rule.Hide {
			l.hidden = append(l.hidden, p.Name)
		}
	}
	l.rules = append(l.rules, rule)
	return nil
}

func (l *layer) serve(next http.Handler, w http.ResponseWriter, r *http.Request) {
	requests, err := l.requests(r)
	if err != nil {
		problem.Write(w, r, err)
		return
	}
	if denials := remembered(r.Context(), requests); denials != nil {
		problem.Write(w, r, l.answer(w.Header(), denials, nil))
		return
	}
	middleware.ServeGated(&gate{layer: l, requests: requests}, next, w, r)
}

// gate is the middleware.Gate of one request.
type gate struct {
	*layer

	requests  []ratelimit.Request
	decisions ratelimit.Decisions
	err       error
	one       [1]ratelimit.Decision // decisions of one request, without an allocation
}

// Ask implements middleware.Gate.
func (g *gate) Ask(ctx context.Context) bool {
	if len(g.requests) != 1 {
		g.decisions, g.err = ratelimit.TakeAll(ctx, g.requests...)
		return g.err == nil && g.decisions.Allowed()
	}
	only := g.requests[0]
	if g.one[0], g.err = only.Limiter.Take(ctx, only.Subject, only.Cost); g.err != nil {
		return false
	}
	g.decisions = g.one[:]
	return g.one[0].Allowed
}

// Instant implements middleware.Instant.
func (g *gate) Instant() bool { return g.instant }

// Pass implements middleware.Gate.
func (g *gate) Pass(h http.Header) { _ = g.answer(h, g.decisions, nil) } // nil: all admit

// Refuse implements middleware.Gate.
func (g *gate) Refuse(w http.ResponseWriter, r *http.Request) {
	problem.Write(w, r, g.answer(w.Header(), g.decisions, g.err))
}

// requests returns what the limiters are asked. It fails with 503 for a rule that is closed and has no subject.
func (l *layer) requests(r *http.Request) ([]ratelimit.Request, error) {
	requests := make([]ratelimit.Request, len(l.rules))
	for i, rule := range l.rules {
		subject, err := rule.Key(r)
		if err != nil || subject == "" {
			if rule.Closed {
				return nil, closed(err)
			}
			subject = ratelimit.NewSubject(KindUnknown)
		}
		requests[i] = ratelimit.Request{Limiter: rule.Limiter, Subject: subject, Cost: rule.Cost}
	}
	return requests, nil
}

// remembered returns the denials that limiters know without a call to their stores, or nil.
func remembered(ctx context.Context, requests []ratelimit.Request) ratelimit.Decisions {
	var denials ratelimit.Decisions
	for _, request := range requests {
		guard, ok := request.Limiter.(interface {
			Denied(ctx context.Context, subject ratelimit.Subject, cost int64) (ratelimit.Decision, bool)
		})
		if !ok {
			continue
		}
		if d, denied := guard.Denied(ctx, request.Subject, request.Cost); denied {
			denials = append(denials, d)
		}
	}
	return denials
}

// answer sets the headers of an answer and returns the error of a request that must not pass. err is what the limiters
// failed with.
func (l *layer) answer(h http.Header, decisions ratelimit.Decisions, err error) error {
	if before := h[HeaderRateLimitPolicy]; before != nil {
		h[HeaderRateLimitPolicy] = append(before, l.policyHeader...)
	} else {
		h[HeaderRateLimitPolicy] = l.policyHeader[:1:1] // shared and never written: append copies it
	}
	denied := Deny(decisions...)
	if denied == nil && err != nil {
		return err
	}
	if denied != nil { // what others have left does not matter now
		delete(h, HeaderRateLimit)
	}
	if denied == nil && shared(h) { // other clients get what is left for this one
		return nil
	}
	var buffer [128]byte
	line := buffer[:0]
	strictest := ratelimit.Decision{}
	for _, d := range decisions {
		for _, result := range d.Results {
			if result.Policy.Shadow || slices.Contains(l.hidden, result.Policy.Name) || denied != nil && !denies(d, result) {
				continue
			}
			line = appendResult(line, result)
			if l.legacy {
				strictest.Results = append(strictest.Results, result)
			}
		}
	}
	if len(line) > 0 {
		h[HeaderRateLimit] = append(h[HeaderRateLimit], string(line))
	}
	if result, ok := strictest.Strictest(); ok {
		setLegacy(h, result, l.now())
	}
	return denied
}
