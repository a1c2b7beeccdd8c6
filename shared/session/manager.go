package session

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/jwt"
	"github.com/tienda-dev/tienda/shared/metrics"
)

const tokenType = "Bearer"

// Manager starts, refreshes and ends sessions. It is safe for concurrent use.
type Manager struct {
	*Revoker

	cfg  Config
	keys Keys
}

// New returns a manager. It refuses durations out of range, a nil store, incomplete keys and a nil
// clock.
func New(cfg Config, store Store, keys Keys, clock func() time.Time) (*Manager, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if store == nil || !keys.complete() || clock == nil {
		return nil, errors.New("session: a manager needs a store, keys and a clock")
	}
	revoker, err := NewRevoker(store, clock, cfg.OnEvent)
	if err != nil {
		return nil, err
	}
	return &Manager{Revoker: revoker, cfg: cfg, keys: keys}, nil
}

// Start begins a session for a user who has just authenticated, in one write, and returns its first
// tokens.
func (m *Manager) Start(ctx context.Context, user User, device Device) (Tokens, error) {
	if user.Subject == "" {
		return Tokens{}, errors.New("session: a session needs a subject")
	}
	now := m.now()
	if began := user.AuthTime.UTC().Truncate(time.Millisecond); !user.AuthTime.IsZero() && began.Before(now) {
		now = began
	}
	if !now.After(user.NotBefore) {
		now = user.NotBefore.UTC().Truncate(time.Millisecond).Add(time.Millisecond)
	}
	id, err := ulid.New(ulid.Timestamp(now), rand.Reader)
	if err != nil {
		return Tokens{}, fmt.Errorf("session: draw an id: %w", err)
	}
	s := Session{
		ID:         id.String(),
		Subject:    user.Subject,
		ClientID:   user.ClientID,
		Scopes:     user.Scopes,
		AMR:        user.AMR,
		Device:     device.reduced(),
		CreatedAt:  now,
		RotatedAt:  now,
		RotationID: rand.Text(),
		IdleUntil:  now.Add(m.cfg.Idle),
		EndsAt:     now.Add(m.cfg.Absolute),
	}
	// First the tokens: nothing is written for a user whom no token can describe.
	tokens, err := m.mint(ctx, s, user)
	if err != nil {
		return Tokens{}, err
	}
	if err := m.store.Create(ctx, s); err != nil {
		return Tokens{}, err
	}
	m.emit(ctx, Event{Kind: Started, SessionID: s.ID, Subject: s.Subject})
	return tokens, nil
}

// UserLookup reads a user, strongly consistent. Refresh calls it in parallel with its own write,
// with the subject of a verified token. It returns ErrInvalidGrant for a user who may no longer have
// tokens.
type UserLookup func(ctx context.Context, subject string) (User, error)

// Refresh exchanges a refresh token for new tokens, in one round trip. While its successor was never used, a
// token that was replaced gets the same successor again within the retry window, and ends the session after
// it (Late); once the successor was used, it ends the session at any time (Reused). Refresh returns
// ErrInvalidGrant for a token that is not accepted, whatever the reason, and ErrUnavailable; after that the
// client may send the same token again. It waits for the store for half of the retry window and at most for
// maxRefreshWait, so that the rest is left to a client that hears so.
func (m *Manager) Refresh(ctx context.Context, refreshToken string, lookup UserLookup) (Tokens, error) {
	if lookup == nil {
		return Tokens{}, errors.New("session: Refresh needs a lookup of users")
	}
	if *m.cfg.RetryWindow == 0 {
		return m.refresh(ctx, refreshToken, lookup)
	}
	limit := min(*m.cfg.RetryWindow/2, maxRefreshWait)
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tokens, err := m.refresh(limited, refreshToken, lookup)
	if ctx.Err() == nil && limited.Err() != nil && errors.Is(err, context.DeadlineExceeded) {
		return Tokens{}, tooLate(limit, err)
	}
	return tokens, err
}

// ReadRefresh returns what a refresh token says, if it is valid by itself. Its session may have ended.
func (m *Manager) ReadRefresh(ctx context.Context, refreshToken string) (jwt.Refresh, error) {
	return m.keys.Verify(ctx).Verify(refreshToken)
}

func (m *Manager) refresh(ctx context.Context, refreshToken string, lookup UserLookup) (Tokens, error) {
	token, err := m.keys.Verify(ctx).Verify(refreshToken)
	if err != nil {
		return Tokens{}, ErrInvalidGrant.WithCause(err)
	}

	now := m.now()
	var (
		s                  Session
		rotated            bool
		epoch              time.Time
		rotateErr, readErr error
		calls              sync.WaitGroup
	)
	calls.Go(func() {
		s, rotated, rotateErr = m.store.Rotate(ctx, Rotation{
			SessionID: token.SessionID, Subject: token.Subject, Presented: token.Generation,
			ID: rand.Text(), At: now, IdleUntil: now.Add(m.cfg.Idle),
		})
	})
	calls.Go(func() { epoch, readErr = m.epoch(ctx, token.Subject) })
	user, lookupErr := lookup(ctx, token.Subject)
	calls.Wait()

	// What the session says comes first: a replay ends it, whether or not the user can be read.
	if rotateErr != nil {
		return Tokens{}, rotateErr
	}
	kind, err := m.judge(ctx, s, rotated, token, now)
	if err != nil {
		return Tokens{}, err
	}
	if readErr != nil {
		return Tokens{}, readErr
	}
	if !s.CreatedAt.After(epoch) {
		return Tokens{}, ErrInvalidGrant.WithCause(errEpoch)
	}
	if lookupErr != nil {
		return Tokens{}, lookupErr
	}
	tokens, err := m.mint(ctx, s, user)
	if err != nil {
		return Tokens{}, err
	}
	m.emit(ctx, Event{Kind: kind, SessionID: s.ID, Subject: s.Subject, Presented: token.Generation, Current: s.Generation})
	return tokens, nil
}

// The causes of an ErrInvalidGrant, for the log.
var (
	errAbsent = errors.New("session: there is no such session")
	errOver   = errors.New("session: revoked, idle for too long, or at its end")
	errEpoch  = errors.New("session: older than a logout everywhere")
	errLate   = errors.New("session: a refresh was repeated after the retry window; the session is ended")
	errReuse  = errors.New("session: a replaced refresh token was presented; the session is ended")
	errForged = errors.New("session: a refresh token that was never issued, signed with our key")
)

// judge returns the result of a rotation: Refreshed, Retried, or the error for the client. It ends the
// session of a reused token, and of a refresh that is repeated too late: nobody knows which of
// the two holders of the session's tokens is the owner.
func (m *Manager) judge(ctx context.Context, s Session, rotated bool, token jwt.Refresh, now time.Time) (EventKind, error) {
	presented := token.Generation
	event := Event{SessionID: token.SessionID, Subject: token.Subject, Presented: presented, Current: s.Generation}
	switch {
	case s.ID == "":
		return "", ErrInvalidGrant.WithCause(errAbsent)
	case s.Subject != token.Subject, presented > s.Generation:
		event.Kind = Forged
		m.emit(ctx, event)
		return "", ErrInvalidGrant.WithCause(errForged)
	case s.Over(now):
		return "", ErrInvalidGrant.WithCause(errOver)
	case rotated:
		return Refreshed, nil
	case presented == s.Generation-1 && m.mayRetry(s, now):
		return Retried, nil // the successor is unused, or the generation would be a later one
	case presented == s.Generation-1:
		event.Kind, event.Reason = Late, LateRetry
		return "", m.endSession(ctx, event, now, errLate)
	case presented < s.Generation:
		event.Kind, event.Reason = Reused, Reuse
		return "", m.endSession(ctx, event, now, errReuse)
	default:
		return "", fmt.Errorf("session: the store refused to rotate %s without a reason", s.ID)
	}
}

// mayRetry reports whether the refresh that made s happened within the retry window. The clock of the machine that made
// it may be ahead by jwt.Leeway; what is further in the future says that a clock was set back.
func (m *Manager) mayRetry(s Session, now time.Time) bool {
	age := now.Sub(s.RotatedAt)
	return age >= -jwt.Leeway && age <= *m.cfg.RetryWindow
}

// endSession ends the session of the event and returns the error for the client.
func (m *Manager) endSession(ctx context.Context, event Event, now time.Time, cause error) error {
	m.emit(ctx, event) // before the write: when only its answer is lost, the next one finds the session over
	if _, err := m.store.Revoke(ctx, Ending{SessionID: event.SessionID, Subject: event.Subject, Reason: event.Reason, At: now}); err != nil {
		return err // it still lives, so the client must not hear that it is over
	}
	metrics.From(ctx).TokenRevoked(ctx, string(event.Reason))
	return ErrInvalidGrant.WithCause(cause)
}

// mint signs the tokens of the session's current generation. Equal sessions get equal refresh
// tokens.
func (m *Manager) mint(ctx context.Context, s Session, user User) (Tokens, error) {
	end := s.ExpiresAt()
	if !end.Truncate(time.Second).After(s.RotatedAt.Truncate(time.Second)) {
		return Tokens{}, ErrInvalidGrant.WithCause(errOver) // tokens count in seconds, and none is left
	}
	access, expires, err := m.keys.Access(ctx).Sign(identity.Identity{
		Subject:      s.Subject,
		SessionID:    s.ID,
		ClientID:     s.ClientID,
		Roles:        user.Roles,
		Scopes:       s.Scopes,
		AuthTime:     s.CreatedAt,
		AMR:          s.AMR,
		AuthzVersion: user.AuthzVersion,
		IssuedAt:     s.CreatedAt, // and not before it
	})
	if err != nil {
		return Tokens{}, fmt.Errorf("session: %w", err)
	}
	refresh, err := m.keys.Refresh(ctx).Sign(jwt.Refresh{
		Subject: s.Subject, SessionID: s.ID, Generation: s.Generation, IssuedAt: s.RotatedAt, ExpiresAt: end,
	})
	if err != nil {
		return Tokens{}, fmt.Errorf("session: %w", err)
	}
	now := m.now()
	return Tokens{
		AccessToken:      access,
		TokenType:        tokenType,
		ExpiresIn:        remaining(expires, now),
		RefreshToken:     refresh,
		RefreshExpiresIn: remaining(end, now),
	}, nil
}

// remaining is the time until then in whole seconds.
func remaining(end, now time.Time) int64 { return max(0, int64(end.Sub(now)/time.Second)) }

// RevokeRefreshToken ends the session of a refresh token (RFC 7009), in one write. A token that is
// not ours, or not any more, is no error.
func (m *Manager) RevokeRefreshToken(ctx context.Context, refreshToken string) error {
	token, err := m.keys.Verify(ctx).Verify(refreshToken)
	if err != nil {
		return nil //nolint:nilerr // there is nothing to revoke
	}
	return m.RevokeRefresh(ctx, token)
}
