package session

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/jwt"
)

const (
	// DefaultRelaxedTTL is how long routes of class api.Relaxed believe an answer.
	DefaultRelaxedTTL = 30 * time.Second
	// MaxRelaxedTTL is the longest such time.
	MaxRelaxedTTL = time.Minute
	// GlobalEpochAge is how long a process believes the global epoch that it has read. What a relaxed
	// route has just believed it believes for its RelaxedTTL on top.
	GlobalEpochAge = time.Minute
	// DefaultCheckTimeout bounds one check.
	DefaultCheckTimeout = 2 * time.Second

	// maxRemembered bounds each memory of a Checker: a flood of tokens must not fill the process.
	maxRemembered = 5000
)

// CheckConfig tunes a Checker. Its zero value works.
type CheckConfig struct {
	// RelaxedTTL is how long routes of class api.Relaxed believe that a token stands. 0 is
	// DefaultRelaxedTTL; at most MaxRelaxedTTL.
	RelaxedTTL time.Duration `env:"REVOCATION_RELAXED_TTL"`
	// Timeout bounds one check, its second read included; after it the answer is ErrUnavailable. 0 is DefaultCheckTimeout.
	Timeout time.Duration `env:"REVOCATION_TIMEOUT"`
}

func (c CheckConfig) withDefaults() CheckConfig {
	if c.RelaxedTTL == 0 {
		c.RelaxedTTL = DefaultRelaxedTTL
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultCheckTimeout
	}
	return c
}

func (c CheckConfig) validate() error {
	switch {
	case c.RelaxedTTL < 0 || c.RelaxedTTL > MaxRelaxedTTL:
		return fmt.Errorf("session: REVOCATION_RELAXED_TTL of %v is not between 0 and %v", c.RelaxedTTL, MaxRelaxedTTL)
	case c.Timeout < 0:
		return fmt.Errorf("session: REVOCATION_TIMEOUT of %v is negative", c.Timeout)
	}
	return nil
}

// Checker tells whether access tokens still stand. It remembers what can never change back, a
// revoked session or token, for as long as a token of it may live, and that a token stands for the
// relaxed class only. It is safe for concurrent use.
type Checker struct {
	cfg    CheckConfig
	reader Reader
	clock  func() time.Time

	deadSessions, deadTokens *bounded
	standing                 *bounded // tokens, for the relaxed class

	mu                sync.Mutex
	notBefore, readAt time.Time // the global epoch, and when it was read
	forgotten         uint64    // how often forget was called
}

// NewChecker returns a checker. It refuses durations out of range, a nil reader and a nil clock.
func NewChecker(cfg CheckConfig, reader Reader, clock func() time.Time) (*Checker, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if reader == nil || clock == nil {
		return nil, errors.New("session: a checker needs a reader and a clock")
	}
	return &Checker{
		cfg: cfg, reader: reader, clock: clock,
		deadSessions: newBounded(maxRemembered), deadTokens: newBounded(maxRemembered), standing: newBounded(maxRemembered),
	}, nil
}

// Warm pays before the first check what it would cost: the connection, and the global epoch. It is
// for INIT and changes nothing.
func (c *Checker) Warm(ctx context.Context) error {
	mark := c.mark()
	state, err := c.reader.State(ctx, Query{Everybody: true})
	if err != nil {
		return err
	}
	c.keepEpoch(true, state.NotBefore, c.clock(), mark)
	return nil
}

// Check returns nil for a verified token that still stands, ErrRevoked for one that does not, and
// ErrUnavailable when that could not be found out in time. It reads nothing for api.Stateless and
// for what is known to be revoked, and what it has to know in one round trip otherwise: a second
// one, strongly consistent, only when the first finds no session or one that is idle for too long,
// because a replica may not have heard of it yet.
func (c *Checker) Check(ctx context.Context, id identity.Identity, class api.Revocation) error {
	now := c.clock()
	if c.deadSessions.has(id.SessionID, now) || c.deadTokens.has(id.TokenID, now) {
		return because("known to be")
	}
	switch {
	case class == api.Stateless:
		return nil
	case class == api.Relaxed && c.standing.has(id.TokenID, now):
		return nil
	}

	mark := c.mark()
	found, err := c.find(ctx, id, class == api.Strict, now, mark)
	if err != nil {
		return err
	}
	c.remember(id, class, found, now, mark)
	if found.why != "" {
		return because(found.why)
	}
	return nil
}

// find looks at the token, and a second time where a replica may be behind. The time is for both.
func (c *Checker) find(ctx context.Context, id identity.Identity, strong bool, now time.Time, mark uint64) (finding, error) {
	limited, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	found, err := c.look(limited, id, strong, now, mark)
	if err == nil && found.unsure && !strong {
		found, err = c.look(limited, id, true, now, mark)
	}
	if ctx.Err() == nil && limited.Err() != nil && errors.Is(err, context.DeadlineExceeded) {
		return finding{}, tooLate(c.cfg.Timeout, err)
	}
	return found, err
}

// look reads what is known about the token and judges it.
func (c *Checker) look(ctx context.Context, id identity.Identity, strong bool, now time.Time, mark uint64) (finding, error) {
	query := Query{SessionID: id.SessionID, Subject: id.Subject, TokenID: id.TokenID, Everybody: c.epochIsOld(now), Strong: strong}
	state, err := c.reader.State(ctx, query)
	if err != nil {
		return finding{}, err
	}
	epoch := c.keepEpoch(query.Everybody, state.NotBefore, now, mark)
	if state.Account.NotBefore.After(epoch) { // the later of the two wins
		epoch = state.Account.NotBefore
	}
	return judgeToken(id, state, epoch, now), nil
}

// remember keeps what the finding allows to keep: that a token stands only when nothing was revoked by
// this process since mark.
func (c *Checker) remember(id identity.Identity, class api.Revocation, f finding, now time.Time, mark uint64) {
	switch {
	case f.why == "":
		if class != api.Relaxed || id.TokenID == "" {
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.forgotten == mark {
			c.standing.add(id.TokenID, now.Add(c.cfg.RelaxedTTL))
		}
	case f.session && id.SessionID != "":
		// Its last token was minted before now, by a clock that may be ahead.
		c.deadSessions.add(id.SessionID, now.Add(jwt.MaxTTL+jwt.Leeway))
	case f.token && id.TokenID != "":
		c.deadTokens.add(id.TokenID, id.ExpiresAt)
	}
}

// finding is what a state says about a token.
type finding struct {
	// why it does not stand, empty when it does.
	why string
	// session or token says what never stands again.
	session, token bool
	// unsure: an older replica may be wrong about it.
	unsure bool
}

// judgeToken compares every time itself: expired items are returned until they are removed.
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

// mark is taken before a read. When forget comes before the answer, the answer may be older than what was
// revoked: it is good for the request that asked, and for no later one.
func (c *Checker) mark() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.forgotten
}

func (c *Checker) epochIsOld(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.readAt.IsZero() || now.Sub(c.readAt) >= GlobalEpochAge || now.Before(c.readAt)
}

// keepEpoch takes a global epoch that was just read, if it was, and returns the latest known one. It is
// to be read again when something was revoked since mark.
func (c *Checker) keepEpoch(read bool, notBefore, now time.Time, mark uint64) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if read {
		if c.forgotten == mark {
			c.readAt = now
		}
		if notBefore.After(c.notBefore) {
			c.notBefore = notBefore
		}
	}
	return c.notBefore
}

// epoch returns the later of the subject's and the global epoch, strongly consistent.
func (c *Checker) epoch(ctx context.Context, subject string) (time.Time, error) {
	now, mark := c.clock(), c.mark()
	query := Query{Subject: subject, Everybody: c.epochIsOld(now), Strong: true}
	state, err := c.reader.State(ctx, query)
	if err != nil {
		return time.Time{}, err
	}
	global := c.keepEpoch(query.Everybody, state.NotBefore, now, mark)
	if state.Account.NotBefore.After(global) {
		return state.Account.NotBefore, nil
	}
	return global, nil
}

// forget drops what this process believes to stand, after it has revoked something itself, and with the
// mark what it is about to believe.
func (c *Checker) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgotten++
	c.standing.clear()
	c.readAt = time.Time{}
}
