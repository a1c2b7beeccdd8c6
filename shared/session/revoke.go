package session

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/tienda-dev/tienda/shared/jwt"
	"github.com/tienda-dev/tienda/shared/metrics"
)

// Revoker ends sessions and lists them. It mints and reads no token, so it needs no keys. It is safe for concurrent use.
type Revoker struct {
	*Checker

	store   Store
	onEvent func(context.Context, Event)
}

// NewRevoker returns a revoker. onEvent is Config.OnEvent. It refuses a nil store and a nil clock.
func NewRevoker(store Store, clock func() time.Time, onEvent func(context.Context, Event)) (*Revoker, error) {
	if store == nil {
		return nil, errors.New("session: a revoker needs a store")
	}
	checker, err := NewChecker(CheckConfig{}, store, clock)
	if err != nil {
		return nil, err
	}
	if onEvent == nil {
		onEvent = func(context.Context, Event) {}
	}
	return &Revoker{Checker: checker, store: store, onEvent: onEvent}, nil
}

// now is the time in the stores' precision.
func (r *Revoker) now() time.Time { return r.clock().UTC().Truncate(time.Millisecond) }

func (r *Revoker) emit(ctx context.Context, e Event) { r.onEvent(ctx, e) }

// revoked reports and counts a revocation that the store has written.
func (r *Revoker) revoked(ctx context.Context, e Event) {
	r.emit(ctx, e)
	metrics.From(ctx).TokenRevoked(ctx, string(e.Reason))
}

// maxList is how many sessions List returns at most.
const maxList = 100

// Revoke ends a session, in one write: its refresh token and its access tokens. One that has ended
// already, or never was, is no error.
func (r *Revoker) Revoke(ctx context.Context, sessionID string, reason Reason) error {
	_, err := r.revoke(ctx, Ending{SessionID: sessionID, Reason: reason})
	return err
}

// RevokeOwn ends the session when it is the subject's, in one write, and returns ErrNotFound when
// it is not. One that has ended already is no error.
func (r *Revoker) RevokeOwn(ctx context.Context, subject, sessionID string) error {
	if subject == "" {
		return errors.New("session: RevokeOwn needs a subject")
	}
	found, err := r.revoke(ctx, Ending{SessionID: sessionID, Subject: subject, Reason: Logout})
	if err == nil && !found {
		return ErrNotFound
	}
	return err
}

func (r *Revoker) revoke(ctx context.Context, what Ending) (bool, error) {
	if what.SessionID == "" {
		return false, nil
	}
	what.At = r.now()
	found, err := r.store.Revoke(ctx, what)
	if err != nil {
		return false, err
	}
	if found {
		r.revoked(ctx, Event{Kind: Revoked, SessionID: what.SessionID, Subject: what.Subject, Reason: what.Reason})
	}
	return found, nil
}

// RevokeRefresh ends the session of a refresh token that a jwt.RefreshVerifier has read (RFC 7009), in one
// write.
func (r *Revoker) RevokeRefresh(ctx context.Context, token jwt.Refresh) error {
	_, err := r.revoke(ctx, Ending{SessionID: token.SessionID, Subject: token.Subject, Reason: Client})
	return err
}

// RevokeAll ends every session of the subject, however many, in one write, and returns the new
// epoch: sessions that begin after it live. Where a login follows at once, give it the epoch as
// User.NotBefore.
func (r *Revoker) RevokeAll(ctx context.Context, subject string, reason Reason) (time.Time, error) {
	if subject == "" {
		return time.Time{}, errors.New("session: RevokeAll needs a subject")
	}
	at := r.now()
	if err := r.store.RevokeSubject(ctx, subject, at); err != nil {
		return time.Time{}, err
	}
	r.revoked(ctx, Event{Kind: AllRevoked, Subject: subject, Reason: reason})
	return at, nil
}

// RevokeEverybody ends every session of every subject, in one write. This process refuses their
// tokens at once, every other one within GlobalEpochAge.
func (r *Revoker) RevokeEverybody(ctx context.Context, reason Reason) error {
	at := r.now()
	if err := r.store.RevokeEverybody(ctx, at); err != nil {
		return err
	}
	r.keepEpoch(at, at)
	r.revoked(ctx, Event{Kind: AllRevoked, Reason: reason})
	return nil
}

// RevokeToken revokes one access token by its id ("jti") until it expires, in one write. Its
// session lives on.
func (r *Revoker) RevokeToken(ctx context.Context, tokenID string, expires time.Time, reason Reason) error {
	if tokenID == "" || expires.IsZero() {
		return errors.New("session: RevokeToken needs the token's id and when it expires")
	}
	if err := r.store.RevokeToken(ctx, TokenRevocation{TokenID: tokenID, ExpiresAt: expires, Reason: reason}); err != nil {
		return err
	}
	r.revoked(ctx, Event{Kind: TokenRevoked, Reason: reason})
	return nil
}

// RaiseAuthz makes the subject's access tokens with an AuthzVersion below version stop working, in
// one write. The next refresh brings a token with the new roles. A store of users that keeps the
// version in the account's own item (see sessionddb) does not need it.
func (r *Revoker) RaiseAuthz(ctx context.Context, subject string, version int64) error {
	if subject == "" {
		return errors.New("session: RaiseAuthz needs a subject")
	}
	if err := r.store.RaiseAuthz(ctx, subject, version); err != nil {
		return err
	}
	metrics.From(ctx).TokenRevoked(ctx, string(Roles))
	return nil
}

// List returns the subject's sessions that live, newest first, of the newest 100 that were not revoked, and
// whether there are more than those 100. One that has just begun may be missing for some milliseconds.
func (r *Revoker) List(ctx context.Context, subject string) (live []Session, more bool, err error) {
	var (
		epoch    time.Time
		epochErr error
		calls    sync.WaitGroup
	)
	calls.Go(func() { epoch, epochErr = r.epoch(ctx, subject) })
	all, more, err := r.store.List(ctx, subject, maxList)
	calls.Wait()
	if err := errors.Join(err, epochErr); err != nil {
		return nil, false, err
	}

	now := r.now()
	live = make([]Session, 0, len(all))
	for _, s := range all {
		if !s.Over(now) && s.CreatedAt.After(epoch) {
			live = append(live, s)
		}
	}
	return live, more, nil
}
