package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/shared/clock"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/metrics"
)

// Mode is what a Guard decides when the store does not. There is no default: each limit must declare one.
type Mode int

const (
	// Open admits without a count: for reads, where an outage of the limits must not be one of the API.
	Open Mode = iota + 1
	// Local asks the limiter in GuardConfig.Local, which counts in this instance.
	Local
	// Closed denies: for logins, codes, payments and admins.
	Closed
)

// String returns the mode's name in lower case.
func (m Mode) String() string {
	switch m {
	case Open:
		return "open"
	case Local:
		return "local"
	case Closed:
		return "closed"
	default:
		return "unknown"
	}
}

// GuardConfig is how a Guard treats its store. OnError is required.
type GuardConfig struct {
	// OnError is what happens when the store fails, does not answer in time, or is not asked because it has failed
	// too often.
	OnError Mode
	// Local is the limiter of mode Local, and nil in other modes. It has the store's policies, with each Limit and
	// Burst divided by the number of instances that are expected.
	Local Limiter
	// Budget is how long the store may take; 0 is 100 ms. It ends earlier if the context's deadline does.
	Budget time.Duration
	// ConnectBudget is Budget while there may be no connection to the store: before the first answer, after 20 s
	// without one, and after an outage; 0 is 300 ms.
	ConnectBudget time.Duration
	// DenyCap is how long a denial is remembered at most, 1 s to 60 s; 0 is 30 s. A denial is forgotten in any case at the
	// earliest time at which the store could admit, so a longer DenyCap never denies what time alone would admit. It is how
	// late this Guard notices that another instance has reset the subject, refunded it or raised its limit.
	DenyCap time.Duration
	// DenyEntries is how many denials are remembered at most; 0 is 10,000.
	DenyEntries int
	// Breaker stops calls to a store that fails. Guards of one store may share it; nil is a breaker of its own.
	Breaker *Breaker
	// Observe gets each decision of Take and Denied, and how long it took; nil for nobody. A Peek admits and refuses
	// nothing, so it is not a decision. Observe must not keep the subject.
	Observe func(ctx context.Context, d Decision, took time.Duration)
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

const (
	defaultBudget        = 100 * time.Millisecond
	defaultConnectBudget = 300 * time.Millisecond
	defaultDenyCap       = 30 * time.Second
	minDenyCap           = time.Second
	maxDenyCap           = time.Minute
	defaultDenyEntries   = 10_000
	// idleConnection is how long a connection to the store is kept without a call (awsclient.IdleTimeout).
	idleConnection = 20 * time.Second
	// throttleBlock is how long a subject is denied for which the store throttles.
	throttleBlock = time.Second
)

// Guard makes a store fit for a request path: it remembers denials, so that a client that is blocked costs nothing; it
// makes one attempt with a short budget; and it decides by Mode when the store fails. It never admits from memory. A
// Guard is safe for concurrent use, and starts no goroutine.
type Guard struct {
	store   Limiter
	cfg     GuardConfig
	denials *denyCache
	now     func() time.Time
	// enforced is false if every policy is in shadow mode: then nothing denies.
	enforced bool
	// cache is the name of denials in metrics.
	cache string
	// answered is when the store answered last, in microseconds since 1970; 0 for never.
	answered atomic.Int64
}

// NewGuard returns a Guard of the store. It refuses a configuration without a Mode, and a Local limiter with other
// policies than the store's.
func NewGuard(store Limiter, cfg GuardConfig) (*Guard, error) {
	if store == nil {
		return nil, errors.New("ratelimit: NewGuard without a limiter")
	}
	if err := cfg.validate(store); err != nil {
		return nil, fmt.Errorf("ratelimit: %w", err)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now //nolint:forbidigo // the clock of a caller that names none
	}
	setDefault(&cfg.Budget, defaultBudget)
	setDefault(&cfg.ConnectBudget, max(cfg.Budget, defaultConnectBudget))
	setDefault(&cfg.DenyCap, defaultDenyCap)
	setDefault(&cfg.DenyEntries, defaultDenyEntries)
	if cfg.Breaker == nil {
		cfg.Breaker = NewBreaker()
	}
	g := &Guard{store: store, cfg: cfg, now: clock.Wall(cfg.Now), denials: newDenyCache(cfg.DenyEntries, cfg.DenyCap)}
	for i, p := range store.Policies() {
		if i == 0 {
			g.cache = CachePrefix + p.Name
		}
		g.enforced = g.enforced || !p.Shadow
	}
	return g, nil
}

func setDefault[T int | time.Duration](value *T, fallback T) {
	if *value == 0 {
		*value = fallback
	}
}

func (cfg *GuardConfig) validate(store Limiter) error {
	var problems []error
	if cfg.OnError < Open || cfg.OnError > Closed {
		problems = append(problems, errors.New("OnError must be Open, Local or Closed"))
	}
	if (cfg.OnError == Local) != (cfg.Local != nil) {
		problems = append(problems, errors.New("a Local limiter belongs to mode Local, and to no other"))
	}
	if cfg.Local != nil && !samePolicies(store.Policies(), cfg.Local.Policies()) {
		problems = append(problems, errors.New("the Local limiter must have the store's policies, in their order, with the same Name and Shadow"))
	}
	if cfg.Budget < 0 || cfg.ConnectBudget < 0 {
		problems = append(problems, errors.New("the Budget and the ConnectBudget must be 0 or more"))
	}
	if cfg.DenyCap != 0 && (cfg.DenyCap < minDenyCap || cfg.DenyCap > maxDenyCap) {
		problems = append(problems, fmt.Errorf("DenyCap must be from %v to %v", minDenyCap, maxDenyCap))
	}
	if cfg.DenyEntries < 0 {
		problems = append(problems, errors.New("DenyEntries must be 0 or more"))
	}
	return errors.Join(problems...)
}

func samePolicies(a, b []Policy) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Name != b[i].Name || a[i].Shadow != b[i].Shadow {
			return false
		}
	}
	return true
}

// Instant implements middleware.Instant: it reports whether the store waits for nothing.
func (g *Guard) Instant() bool {
	store, ok := g.store.(interface{ Instant() bool })
	return ok && store.Instant()
}

// Policies implements Limiter with the store's policies.
func (g *Guard) Policies() []Policy { return g.store.Policies() }

// Take implements Limiter. A store that fails is not an error: Mode decides. Take fails for a cost that is not valid and
// for a context whose deadline is over. The end of the client's connection does not end it.
func (g *Guard) Take(ctx context.Context, subject Subject, cost int64) (Decision, error) {
	if err := ValidateCost(g.store.Policies(), cost); err != nil {
		return Decision{}, err
	}
	return g.decide(ctx, query{subject: subject, cost: cost})
}

// Peek implements Limiter, with the same answers to a store that fails.
func (g *Guard) Peek(ctx context.Context, subject Subject) (Decision, error) {
	return g.decide(ctx, query{subject: subject})
}

// query is one call of a limiter. A cost of 0 is a Peek.
type query struct {
	subject Subject
	cost    int64
	taken   *Decision // not nil is a Refund
}

func (q query) ask(ctx context.Context, l Limiter) (Decision, error) {
	switch {
	case q.taken != nil:
		return Decision{}, l.Refund(ctx, *q.taken)
	case q.cost == 0:
		return l.Peek(ctx, q.subject)
	default:
		return l.Take(ctx, q.subject, q.cost)
	}
}

// Denied returns the decision of Take if this instance remembers a denial, without a call to the store. It is false
// otherwise, which admits nothing: Take decides then.
func (g *Guard) Denied(ctx context.Context, subject Subject, cost int64) (Decision, bool) {
	return g.remembered(ctx, query{subject: subject, cost: cost}, g.now())
}

func (g *Guard) remembered(ctx context.Context, q query, now time.Time) (Decision, bool) {
	d, ok := g.denials.get(q.subject, q.cost, now)
	if ok {
		metrics.From(ctx).Cache(ctx, g.cache, metrics.CacheHit)
		g.observe(ctx, q, d, now)
	}
	return d, ok
}

func (g *Guard) decide(ctx context.Context, q query) (Decision, error) {
	start := g.now()
	if d, ok := g.remembered(ctx, q, start); ok {
		return d, nil
	}
	d, err := g.call(ctx, q, start)
	defer g.missed(ctx, start, err)
	switch {
	case err == nil:
		if !d.Allowed {
			g.denials.put(q.subject, max(q.cost, 1), d, g.now())
		}
	case errors.Is(err, ErrSubjectThrottled):
		d = g.throttled(q)
	case errors.Is(err, errTimeOver):
		return Decision{}, err
	default:
		d = g.failed(ctx, q, err)
	}
	g.observe(ctx, q, d, start)
	return d, nil
}

func (g *Guard) observe(ctx context.Context, q query, d Decision, start time.Time) {
	if g.cfg.Observe != nil && q.cost > 0 {
		g.cfg.Observe(ctx, d, max(0, g.now().Sub(start)))
	}
}

// errBreakerOpen is the reason of a decision for which the store was not asked.
var errBreakerOpen = errors.New("ratelimit: the store has failed too often, and is not asked")

// errTimeOver is a request whose own deadline has ended the call.
var errTimeOver = fmt.Errorf("ratelimit: the request's time is over: %w", context.DeadlineExceeded)

// call calls the store if the breaker lets it. It tells the breaker the outcome.
func (g *Guard) call(ctx context.Context, q query, now time.Time) (d Decision, err error) {
	probe, ok := g.cfg.Breaker.allow(now)
	if !ok {
		return Decision{}, errBreakerOpen
	}
	outcome := unknown // of a panic, too
	defer func() {
		end := g.now()
		if outcome == success {
			g.answered.Store(end.UnixMicro())
		}
		g.report(ctx, g.cfg.Breaker.done(end, probe, outcome), err)
	}()
	detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.budget(now, probe))
	defer cancel()
	deadline, cut := ctx.Deadline()
	if end, _ := detached.Deadline(); cut && deadline.Before(end) {
		var cancelEarlier context.CancelFunc
		detached, cancelEarlier = context.WithDeadline(detached, deadline)
		defer cancelEarlier()
	} else {
		cut = false
	}
	d, err = q.ask(detached, g.store)
	switch {
	case err == nil, errors.Is(err, ErrSubjectThrottled), errors.Is(err, ErrNotRefundable):
		outcome = success
	case cut && detached.Err() != nil: // which says nothing about the store
		err = errTimeOver
	default:
		outcome = failure
	}
	return d, err
}

// budget returns how long a call may take that begins now.
func (g *Guard) budget(now time.Time, probe bool) time.Duration {
	if last := g.answered.Load(); !probe && last != 0 && clock.Fresh(time.UnixMicro(last), now, idleConnection) {
		return g.cfg.Budget
	}
	return g.cfg.ConnectBudget
}

// report logs that the breaker has changed. The line has no subject.
func (g *Guard) report(ctx context.Context, c change, err error) {
	switch c {
	case opened:
		logging.From(ctx).Warn("rate limit store fails, and is not asked for now", policyNames(g.store.Policies()), zap.Stringer("rate_limit_mode", g.cfg.OnError), logging.Error(err))
	case closed:
		logging.From(ctx).Warn("rate limit store answers again", policyNames(g.store.Policies()))
	case unchanged:
	}
}

func policyNames(policies []Policy) zap.Field {
	names := make([]string, len(policies))
	for i := range policies {
		names[i] = policies[i].Name
	}
	return zap.Strings(logging.KeyRatePolicies, names)
}

// throttled denies a subject whose own rate the store does not bear, and remembers that.
func (g *Guard) throttled(q query) Decision {
	now := g.now()
	if !g.enforced {
		return Decision{Allowed: true, Source: FailedOpen, Subject: q.subject, Cost: q.cost, At: now.UnixMicro()}
	}
	d := Decision{Source: FromStore, Subject: q.subject, Cost: q.cost, At: now.UnixMicro()}
	policies := g.store.Policies()
	for i := range policies {
		r := Result{Policy: &policies[i], Allowed: policies[i].Shadow, MoreAfter: throttleBlock}
		if !r.Allowed {
			r.RetryAfter = throttleBlock
		}
		d.Results = append(d.Results, r)
	}
	g.denials.put(q.subject, 1, d, now)
	return d
}

// failed decides without the store.
func (g *Guard) failed(ctx context.Context, q query, cause error) Decision {
	d := Decision{Subject: q.subject, Cost: q.cost, At: g.now().UnixMicro()}
	mode := g.cfg.OnError
	if !g.enforced {
		mode = Open
	}
	if mode == Local {
		local, err := q.ask(ctx, g.cfg.Local)
		if err == nil {
			local.Source = FromLocal
			return local
		}
		cause = errors.Join(cause, err) // closed, because nothing counts
	}
	d.Source, d.Allowed = FailedClosed, false
	if mode == Open {
		d.Source, d.Allowed = FailedOpen, true
		return d
	}
	logging.EntryFrom(ctx).SetError(fmt.Errorf("rate limit: %w", cause))
	return d
}

// Refund implements Limiter. It gives back what the decision's own source has counted, with one attempt.
func (g *Guard) Refund(ctx context.Context, taken Decision) error {
	if !taken.Took() {
		return nil
	}
	switch taken.Source {
	case FromStore:
		_, err := g.call(ctx, query{taken: &taken}, g.now())
		if err == nil {
			g.denials.drop(taken.Subject)
		}
		return err
	case FromLocal:
		return g.cfg.Local.Refund(ctx, taken)
	case FromCache, FailedOpen, FailedClosed, Off:
	}
	return nil
}

// Reset implements Limiter. It asks the store even when the store has failed before, with one attempt.
func (g *Guard) Reset(ctx context.Context, subject Subject) error {
	g.denials.drop(subject)
	var errs []error
	if g.cfg.Local != nil {
		errs = append(errs, g.cfg.Local.Reset(ctx, subject))
	}
	ctx, cancel := context.WithTimeout(ctx, g.cfg.ConnectBudget)
	defer cancel()
	errs = append(errs, g.store.Reset(ctx, subject))
	g.denials.drop(subject) // a denial that was under way
	return errors.Join(errs...)
}
