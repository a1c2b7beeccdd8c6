package auth_test

import (
	"context"
	"time"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/shared/session"
)

// unreliableUsers is a store of users whose calls outages spoil.
type unreliableUsers struct {
	auth.Store
	*outages
}

func (u unreliableUsers) Register(ctx context.Context, r auth.Registration) error {
	return u.through("Register", func() error { return u.Store.Register(ctx, r) })
}

func (u unreliableUsers) Find(ctx context.Context, identifier string) (id string, err error) {
	err = u.through("Find", func() error { id, err = u.Store.Find(ctx, identifier); return err })
	return id, err
}

func (u unreliableUsers) User(ctx context.Context, id string) (user auth.User, err error) {
	err = u.through("User", func() error { user, err = u.Store.User(ctx, id); return err })
	return user, err
}

func (u unreliableUsers) Credentials(ctx context.Context, id string) (c auth.Credentials, err error) {
	err = u.through("Credentials", func() error { c, err = u.Store.Credentials(ctx, id); return err })
	return c, err
}

func (u unreliableUsers) Guessable(ctx context.Context, id string) (all []string, err error) {
	err = u.through("Guessable", func() error { all, err = u.Store.Guessable(ctx, id); return err })
	return all, err
}

func (u unreliableUsers) ReplacePassword(ctx context.Context, before, after auth.Credentials) error {
	return u.through("ReplacePassword", func() error { return u.Store.ReplacePassword(ctx, before, after) })
}

func (u unreliableUsers) ReplaceRoles(ctx context.Context, before, after auth.User) error {
	return u.through("ReplaceRoles", func() error { return u.Store.ReplaceRoles(ctx, before, after) })
}

func (u unreliableUsers) Attempt(ctx context.Context, a auth.Attempt) (f auth.Failures, got auth.Admission, err error) {
	err = u.through("Attempt", func() error { f, got, err = u.Store.Attempt(ctx, a); return err })
	return f, got, err
}

func (u unreliableUsers) EndAttempt(ctx context.Context, a auth.Attempt, v auth.Verdict, at time.Time) (f auth.Failures, err error) {
	err = u.through("EndAttempt", func() error { f, err = u.Store.EndAttempt(ctx, a, v, at); return err })
	return f, err
}

func (u unreliableUsers) KnownUntil(ctx context.Context, name, address string) (until time.Time, err error) {
	err = u.through("KnownUntil", func() error { until, err = u.Store.KnownUntil(ctx, name, address); return err })
	return until, err
}

func (u unreliableUsers) Remember(ctx context.Context, name, address string, until time.Time) error {
	return u.through("Remember", func() error { return u.Store.Remember(ctx, name, address, until) })
}

func (u unreliableUsers) TriedAddresses(ctx context.Context, name string) (all []string, err error) {
	err = u.through("TriedAddresses", func() error { all, err = u.Store.TriedAddresses(ctx, name); return err })
	return all, err
}

func (u unreliableUsers) ResetAttempts(ctx context.Context, names ...string) error {
	return u.through("ResetAttempts", func() error { return u.Store.ResetAttempts(ctx, names...) })
}

// unreliableSessions is a store of sessions whose calls outages spoil.
type unreliableSessions struct {
	session.Store
	*outages
}

func (s unreliableSessions) Create(ctx context.Context, created session.Session) error {
	return s.through("Create", func() error { return s.Store.Create(ctx, created) })
}

func (s unreliableSessions) Rotate(ctx context.Context, r session.Rotation) (got session.Session, done bool, err error) {
	err = s.through("Rotate", func() error { got, done, err = s.Store.Rotate(ctx, r); return err })
	return got, done, err
}

func (s unreliableSessions) Revoke(ctx context.Context, r session.Ending) (found bool, err error) {
	err = s.through("Revoke", func() error { found, err = s.Store.Revoke(ctx, r); return err })
	return found, err
}

func (s unreliableSessions) RevokeSubject(ctx context.Context, subject string, at time.Time) error {
	return s.through("RevokeSubject", func() error { return s.Store.RevokeSubject(ctx, subject, at) })
}

func (s unreliableSessions) RevokeToken(ctx context.Context, t session.TokenRevocation) error {
	return s.through("RevokeToken", func() error { return s.Store.RevokeToken(ctx, t) })
}

func (s unreliableSessions) State(ctx context.Context, q session.Query) (state session.State, err error) {
	err = s.through("State", func() error { state, err = s.Store.State(ctx, q); return err })
	return state, err
}

func (s unreliableSessions) List(ctx context.Context, subject string, limit int) (list []session.Session, more bool, err error) {
	err = s.through("List", func() error { list, more, err = s.Store.List(ctx, subject, limit); return err })
	return list, more, err
}
