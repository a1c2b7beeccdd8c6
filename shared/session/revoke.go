package session

import (
	"context"
	"errors"
	"sync"
	"time"
)

// maxList is how many sessions List returns at most.
const maxList = 100

// Revoke ends a session, in one write: its refresh token and its access tokens. One that has ended
// already, or never was, is no error.
func (m *Manager) Revoke(ctx context.Context, sessionID string, reason Reason) error {
	_, err := m.revoke(ctx, Revocation{SessionID: sessionID, Reason: reason})
	return err
}

// RevokeOwn ends the session when it is the subject's, in one write, and returns ErrNotFound when
// it is not. One that has ended already is no error.
func (m *Manager) RevokeOwn(ctx context.Context, subject, sessionID string) error {
	if subject == "" {
		return errors.New("session: RevokeOwn needs a subject")
	}
	found, err := m.revoke(ctx, Revocation{SessionID: sessionID, Subject: subject, Reason: Logout})
	if err == nil && !found {
		return ErrNotFound
	}
	return err
}

func (m *Manager) revoke(ctx context.Context, r Revocation) (bool, error) {
	if r.SessionID == "" {
		return false, nil
	}
	r.At = m.now()
	found, err := m.store.Revoke(ctx, r)
	if err != nil {
		return false, err
	}
	m.forget()
	if found {
		m.tell(ctx, Event{Kind: Revoked, SessionID: r.SessionID, Subject: r.Subject, Reason: r.Reason})
	}
	return found, nil
}

// RevokeRefreshToken ends the session of a refresh token (RFC 7009), in one write. A token that is
// not ours, or not any more, is no error.
func (m *Manager) RevokeRefreshToken(ctx context.Context, refreshToken string) error {
	token, err := m.keys.Verify(ctx).Verify(refreshToken)
	if err != nil {
		return nil //nolint:nilerr // there is nothing to revoke
	}
	_, err = m.revoke(ctx, Revocation{SessionID: token.SessionID, Subject: token.Subject, Reason: Client})
	return err
}

// RevokeAll ends every session of the subject, however many, in one write, and returns the new
// epoch: sessions that begin after it live. Where a login follows at once, give it the epoch as
// User.NotBefore.
func (m *Manager) RevokeAll(ctx context.Context, subject string, reason Reason) (time.Time, error) {
	if subject == "" {
		return time.Time{}, errors.New("session: RevokeAll needs a subject")
	}
	at := m.now()
	if err := m.store.RevokeSubject(ctx, subject, at); err != nil {
		return time.Time{}, err
	}
	m.forget()
	m.tell(ctx, Event{Kind: AllRevoked, Subject: subject, Reason: reason})
	return at, nil
}

// RevokeEverybody ends every session of every subject, in one write. A process notices it within
// GlobalEpochAge.
func (m *Manager) RevokeEverybody(ctx context.Context, reason Reason) error {
	if err := m.store.RevokeEverybody(ctx, m.now()); err != nil {
		return err
	}
	m.forget()
	m.tell(ctx, Event{Kind: AllRevoked, Reason: reason})
	return nil
}

// RevokeToken takes back one access token by its id ("jti") until it expires, in one write. Its
// session lives on.
func (m *Manager) RevokeToken(ctx context.Context, tokenID string, expires time.Time, reason Reason) error {
	if tokenID == "" || expires.IsZero() {
		return errors.New("session: RevokeToken needs the token's id and when it expires")
	}
	if err := m.store.RevokeToken(ctx, TokenRevocation{TokenID: tokenID, ExpiresAt: expires, Reason: reason}); err != nil {
		return err
	}
	m.forget()
	m.tell(ctx, Event{Kind: TokenRevoked, Reason: reason})
	return nil
}

// RaiseAuthz makes the subject's access tokens with an AuthzVersion below version stop working, in
// one write. The next refresh brings a token with the new roles. A store of users that keeps the
// version in the account's own item (see sessionddb) does not need it.
func (m *Manager) RaiseAuthz(ctx context.Context, subject string, version int64) error {
	if subject == "" {
		return errors.New("session: RaiseAuthz needs a subject")
	}
	if err := m.store.RaiseAuthz(ctx, subject, version); err != nil {
		return err
	}
	m.forget() // after the write: a request beside it has read what was before
	return nil
}

// List returns the subject's sessions that live, newest first, of the newest 100 that were not revoked, and
// whether there are more than those 100. One that has just begun may be missing for some milliseconds.
func (m *Manager) List(ctx context.Context, subject string) (live []Session, more bool, err error) {
	var (
		epoch    time.Time
		epochErr error
		calls    sync.WaitGroup
	)
	calls.Go(func() { epoch, epochErr = m.epoch(ctx, subject) })
	all, err := m.store.List(ctx, subject, maxList+1)
	calls.Wait()
	if err := errors.Join(err, epochErr); err != nil {
		return nil, false, err
	}
	if more = len(all) > maxList; more {
		all = all[:maxList]
	}

	now := m.now()
	live = make([]Session, 0, len(all))
	for _, s := range all {
		if !s.Over(now) && s.CreatedAt.After(epoch) {
			live = append(live, s)
		}
	}
	return live, more, nil
}
