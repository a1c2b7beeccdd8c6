package session

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tienda-dev/tienda/shared/awsclient"
	"github.com/tienda-dev/tienda/shared/clock"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/jwt"
	"github.com/tienda-dev/tienda/shared/metrics"
)

const (
	// GlobalEpochAge is how long a process uses the global epoch that it has read.
	GlobalEpochAge = time.Minute
	// DefaultCheckTimeout bounds the reads of one check.
	DefaultCheckTimeout = 5 * time.Second

	// maxRemembered bounds each memory of a Checker: a flood of tokens must not fill the process.
	maxRemembered = 5000
)

// CheckConfig tunes a Checker. Its zero value works.
type CheckConfig struct {
	// Timeout bounds the reads of one check together, from when the first is on its way (awsclient.LimitRead);
	// after it the answer is ErrUnavailable. 0 is DefaultCheckTimeout.
	Timeout time.Duration `env:"REVOCATION_TIMEOUT"`
}

// Checker reports whether access tokens are still valid. It remembers only what can never change
// back: a revoked session or token, for as long as a token of it may live. It is safe for
// concurrent use.
type Checker struct {
	timeout time.Duration
	reader  Reader
	clock   func() time.Time

	revokedSessions, revokedTokens *bounded

	mu                sync.Mutex
	notBefore, readAt time.Time // the global epoch, and when it was read
}

// NewChecker returns a checker. It refuses a negative timeout, a nil reader and a nil clock.
func NewChecker(cfg CheckConfig, reader Reader, systemClock func() time.Time) (*Checker, error) {
	if cfg.Timeout < 0 {
		return nil, fmt.Errorf("session: REVOCATION_TIMEOUT of %v is negative", cfg.Timeout)
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = DefaultCheckTimeout
	}
	if reader == nil || systemClock == nil {
		return nil, errors.New("session: a checker needs a reader and a clock")
	}
	return &Checker{
		timeout: cfg.Timeout, reader: reader, clock: clock.Wall(systemClock),
		revokedSessions: newBounded(maxRemembered), revokedTokens: newBounded(maxRemembered),
	}, nil
}

// Warm opens the connection and reads the global epoch before the first check needs them. It is
// for INIT and changes nothing.
func (c *Checker) Warm(ctx context.Context) error {
	state, err := c.reader.State(ctx, Query{Everybody: true})
	if err != nil {
		return err
	}
	c.keepEpoch(state.NotBefore, c.clock())
	return nil
}

// Check returns nil for a verified token that is still valid, ErrRevoked for one that is not, and
// ErrUnavailable when the store did not answer in time. It reads nothing for a token that it knows
// to be revoked, and everything else in one round trip. With identity.Default it makes a second,
// strongly consistent read only when the first finds no session or an idle one: a replica may not
// have received the login or the refresh yet.
func (c *Checker) Check(ctx context.Context, id identity.Identity, class identity.Revocation) error {
	now := c.clock()
	m := metrics.From(ctx)
	if c.revokedSessions.has(id.SessionID, now) || c.revokedTokens.has(id.TokenID, now) {
		m.Cache(ctx, cacheName, metrics.CacheHit)
		m.RevocationChecked(ctx, "revoked", 0)
		return newRevoked("known to be")
	}
	found, err := c.find(ctx, id, class == identity.Strict, now)
	took := c.clock().Sub(now)
	m.CacheLoaded(ctx, cacheName, took, err)
	if err != nil {
		m.Cache(ctx, cacheName, metrics.CacheError)
		m.RevocationChecked(ctx, "unavailable", took)
		return err
	}
	m.Cache(ctx, cacheName, metrics.CacheMiss)
	m.RevocationChecked(ctx, found.result(), took)
	dropped := c.remember(id, found, now)
	m.CacheSize(ctx, cacheName, c.revokedSessions.size()+c.revokedTokens.size(), dropped)
	if found.why != "" {
		return newRevoked(found.why)
	}
	return nil
}

// find reads once, or twice where a replica may be behind. The timeout bounds both reads together, from when
// the first is on its way.
func (c *Checker) find(ctx context.Context, id identity.Identity, strong bool, now time.Time) (finding, error) {
	limited, cancel := awsclient.LimitRead(ctx, c.timeout)
	defer cancel()
	found, err := c.read(limited, id, strong, now)
	if err == nil && found.unsure && !strong {
		found, err = c.read(limited, id, true, now)
	}
	if ctx.Err() == nil && limited.Err() != nil && errors.Is(err, context.Canceled) {
		return finding{}, tooLate(c.timeout, err)
	}
	return found, err
}

// read reads the state of the token and judges it.
func (c *Checker) read(ctx context.Context, id identity.Identity, strong bool, now time.Time) (finding, error) {
	query := Query{SessionID: id.SessionID, Subject: id.Subject, TokenID: id.TokenID, Strong: strong}
	state, epoch, err := c.state(ctx, query, now)
	if err != nil {
		return finding{}, err
	}
	return judgeToken(id, state, epoch, now), nil
}

// state answers the query and returns the later of the subject's and the global epoch. It reads the
// global epoch too when the known one is old.
func (c *Checker) state(ctx context.Context, query Query, now time.Time) (State, time.Time, error) {
	query.Everybody = c.epochIsOld(now)
	state, err := c.reader.State(ctx, query)
	if err != nil {
		return State{}, time.Time{}, err
	}
	if query.Everybody {
		c.keepEpoch(state.NotBefore, now)
	}
	epoch := c.knownEpoch()
	if state.Account.NotBefore.After(epoch) {
		epoch = state.Account.NotBefore
	}
	return state, epoch, nil
}

// remember keeps a revocation that is final. It returns how many others it has dropped for that.
func (c *Checker) remember(id identity.Identity, f finding, now time.Time) (dropped int) {
	switch {
	case f.session && id.SessionID != "":
		// Its last token was minted before now, by a clock that may be ahead.
		dropped = c.revokedSessions.add(id.SessionID, now.Add(jwt.MaxTTL+jwt.Leeway))
	case f.token && id.TokenID != "":
		dropped = c.revokedTokens.add(id.TokenID, id.ExpiresAt)
	}
	return dropped
}

// cacheName is the name of what a Checker remembers, in metrics.
const cacheName = "revocations"

// result returns the verdict's name in metrics.
func (f finding) result() string {
	if f.why != "" {
		return "revoked"
	}
	return "valid"
}

// finding is the verdict on a token.
type finding struct {
	// why the token is not valid; empty when it is.
	why string
	// session and token are true when the session, or the token alone, can never be valid again.
	session, token bool
	// unsure: a replica that is behind may have caused the verdict.
	unsure bool
}

// judgeToken compares every time itself: DynamoDB returns expired items until it removes them.
func judgeToken(id identity.Identity, state State, epoch, now time.Time) finding {
	if state.TokenRevoked {
		return finding{why: "this token", token: true}
	}
	began := id.IssuedAt
	if id.SessionID != "" {
		s := state.Session
		switch {
		case !state.HasSession:
			return finding{why: "no such session", unsure: true}
		case s.Subject != id.Subject:
			return finding{why: "the session is another subject's", token: true}
		case !s.RevokedAt.IsZero():
			return finding{why: "the session: " + string(s.Reason), session: true}
		case !now.Before(s.EndsAt):
			return finding{why: "the session is at its end", session: true}
		case !now.Before(s.IdleUntil):
			return finding{why: "the session was idle for too long", unsure: true}
		}
		began = s.CreatedAt // in milliseconds, and the same for all tokens of the session
	}
	if !epoch.IsZero() && !began.After(epoch) {
		return finding{why: "older than a logout everywhere", session: id.SessionID != "", token: id.SessionID == ""}
	}
	if id.AuthzVersion < state.Account.AuthzVersion {
		return finding{why: "older than a change of the subject's roles", token: true}
	}
	return finding{}
}

func (c *Checker) epochIsOld(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !clock.Fresh(c.readAt, now, GlobalEpochAge)
}

// keepEpoch takes a global epoch that was read at now. The known epoch never goes back.
func (c *Checker) keepEpoch(notBefore, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.readAt = now
	if notBefore.After(c.notBefore) {
		c.notBefore = notBefore
	}
}

func (c *Checker) knownEpoch() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.notBefore
}

// epoch returns the later of the subject's and the global epoch, strongly consistent.
func (c *Checker) epoch(ctx context.Context, subject string) (time.Time, error) {
	_, epoch, err := c.state(ctx, Query{Subject: subject, Strong: true}, c.clock())
	return epoch, err
}

// bounded remembers until when something is true, for at most twice as many keys as its limit: when
// the young half is full it becomes the old one, which is dropped. A dropped key is read again.
type bounded struct {
	limit int

	mu         sync.Mutex
	young, old map[string]int64 // milliseconds since 1970
}

func newBounded(limit int) *bounded { return &bounded{limit: limit, young: map[string]int64{}} }

// has reports whether key is known at now.
func (b *bounded) has(key string, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	until, ok := b.young[key]
	if !ok {
		until, ok = b.old[key]
	}
	return ok && now.UnixMilli() < until
}

// add remembers key, and returns how many keys it has dropped for that.
func (b *bounded) add(key string, until time.Time) (dropped int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.young) >= b.limit {
		dropped = len(b.old)
		b.old, b.young = b.young, make(map[string]int64, b.limit)
	}
	b.young[key] = until.UnixMilli()
	return dropped
}

// size returns how many keys there are.
func (b *bounded) size() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.young) + len(b.old)
}
