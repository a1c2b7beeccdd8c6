package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/password"
	"github.com/tienda-dev/tienda/shared/problem"
	"github.com/tienda-dev/tienda/shared/session"
)

// The refusals of a Gate.
var (
	// ErrInvalidCredentials: no such user, or not the user's password. It does not tell which.
	ErrInvalidCredentials = problem.New(problem.Unauthorized, "invalid_credentials", "The e-mail address or the password is not right.").
				WithHeader("WWW-Authenticate", "Bearer")
	// ErrWrongPassword: the current password of a change is not right.
	ErrWrongPassword = problem.New(problem.Invalid, "wrong_password", "The current password is not right.").
				WithFields(problem.FieldError{Pointer: "/current_password", Detail: "is not right"})
)

const (
	// passwordChanged is why sessions end when their owner chooses another password.
	passwordChanged session.Reason = "password_changed"
	// amrPassword is the method of authentication (RFC 8176).
	amrPassword = "pwd"
	// nobody is the id of a user that there is not: an identifier of nobody costs the same reads.
	nobody = "00000000000000000000000000"
)

// checker makes and checks hashes of passwords (password.Hasher).
type checker interface {
	hasher
	Verify(ctx context.Context, encoded, password string) (password.Result, error)
	Dummy() string
}

// starter starts and ends sessions (session.Manager).
type starter interface {
	Start(ctx context.Context, user session.User, device session.Device) (session.Tokens, error)
	RevokeAll(ctx context.Context, subject string, reason session.Reason) (time.Time, error)
}

// Guard checks passwords: it counts the attempts, and puts newer hashes in the place of outdated ones.
type Guard struct {
	store     Store
	passwords checker
	sessions  starter
	now       func() time.Time
}

// NewGuard returns a Guard; now is the clock. It panics when something is missing.
func NewGuard(store Store, passwords checker, sessions starter, now func() time.Time) *Guard {
	if store == nil || passwords == nil || sessions == nil || now == nil {
		panic("auth: a Guard needs a store, a hasher, sessions and a clock")
	}
	return &Guard{store: store, passwords: passwords, sessions: sessions, now: now}
}

// Gate lets people in who know their password.
//
// It does the same for a name of nobody as for a user's: it counts the attempt, reads, and checks the
// password against a hash that nothing matches. What is left to tell them apart is an imported hash of
// another algorithm, until its owner's first login here.
type Gate struct {
	*Guard

	key []byte
}

// NewGate returns a Gate; key is the key of identifiers and now the clock. It panics when something is
// missing or the key is shorter than MinIdentifierKey.
func NewGate(store Store, passwords checker, sessions starter, key []byte, now func() time.Time) *Gate {
	if len(key) < MinIdentifierKey {
		panic("auth: a Gate needs a key")
	}
	return &Gate{Guard: NewGuard(store, passwords, sessions, now), key: key}
}

// Login starts a session for the user with the address and the password. It returns
// ErrInvalidCredentials, and 429 with Retry-After while the address must wait (see Failures).
func (g *Gate) Login(ctx context.Context, email, pw string, device session.Device) (session.Tokens, error) {
	// The session is as old as what was read to let it in: a change of the password that comes between
	// reading and starting ends it.
	began := milliseconds(g.now())
	identifier := Identifier(g.key, email)
	userID := nobody
	group, beside := errgroup.WithContext(ctx)
	group.Go(func() error { return g.count(beside, identifier, began) })
	group.Go(func() error {
		found, err := g.store.Find(beside, identifier)
		if err == nil {
			userID = found
		}
		return unless(err, ErrUserNotFound)
	})
	if err := group.Wait(); err != nil {
		return session.Tokens{}, err
	}

	c, err := g.store.Credentials(ctx, userID)
	known := err == nil
	if err := unless(err, ErrUserNotFound); err != nil {
		return session.Tokens{}, err
	}
	if !known {
		c.PasswordHash = g.passwords.Dummy()
	}
	checked, err := g.passwords.Verify(ctx, c.PasswordHash, pw)
	if err != nil {
		return session.Tokens{}, err
	}
	if !known || !checked.Match {
		return session.Tokens{}, ErrInvalidCredentials
	}
	if checked.Outdated {
		g.rehash(ctx, c, pw)
	}

	tokens, err := g.sessions.Start(ctx, session.User{
		Subject: c.User.ID, Roles: c.User.Roles, AuthzVersion: c.User.AuthzVersion,
		AMR: []string{amrPassword}, AuthTime: began,
	}, device)
	if err != nil {
		return session.Tokens{}, err
	}
	g.forgive(ctx, identifier)
	return tokens, nil
}

// ChangePassword replaces the user's password, ends all of the user's sessions and starts a new one. It
// returns ErrWrongPassword when current is not the user's password, ErrUserNotFound for a subject
// that is no user, and 429 with Retry-After after too many wrong ones. A change that was made but could not
// end the sessions can be repeated as it was.
func (g *Guard) ChangePassword(ctx context.Context, userID, current, next string, device session.Device) (session.Tokens, error) {
	now := milliseconds(g.now())
	name := changeName(userID)
	var c Credentials
	group, beside := errgroup.WithContext(ctx)
	group.Go(func() error { return g.count(beside, name, now) })
	group.Go(func() (err error) {
		c, err = g.store.Credentials(beside, userID)
		return err
	})
	if err := group.Wait(); err != nil {
		return session.Tokens{}, err
	}

	if err := g.replace(ctx, c, current, next, now); err != nil {
		return session.Tokens{}, err
	}
	epoch, err := g.sessions.RevokeAll(ctx, userID, passwordChanged)
	if err != nil {
		return session.Tokens{}, err
	}
	g.forgive(ctx, name)
	return g.sessions.Start(ctx, session.User{
		Subject: userID, Roles: c.User.Roles, AuthzVersion: c.User.AuthzVersion,
		AMR: []string{amrPassword}, NotBefore: epoch,
	}, device)
}

// replace stores the hash of next when current is the password, and nothing when next is it already.
func (g *Guard) replace(ctx context.Context, c Credentials, current, next string, now time.Time) error {
	checked, err := g.passwords.Verify(ctx, c.PasswordHash, current)
	if err != nil {
		return err
	}
	if !checked.Match {
		done, err := g.passwords.Verify(ctx, c.PasswordHash, next)
		if err == nil && !done.Match {
			err = ErrWrongPassword
		}
		return err
	}
	after := c
	after.PasswordChangedAt = now
	if after.PasswordHash, err = g.passwords.Hash(ctx, next); err != nil {
		return err
	}
	return g.store.ReplacePassword(ctx, c, after)
}

// count counts an attempt of the name, or returns 429.
func (g *Guard) count(ctx context.Context, name string, now time.Time) error {
	failures, admitted, err := g.store.Attempt(ctx, Attempt{Name: name, ID: rand.Text(), At: now})
	if err != nil {
		return err
	}
	if !admitted {
		return locked(failures.Locked(now))
	}
	return nil
}

// rehash replaces a hash whose parameters are not the configured ones. Failing at it is no reason to
// keep the user out: the next login tries again.
func (g *Guard) rehash(ctx context.Context, c Credentials, pw string) {
	after := c
	var err error
	if after.PasswordHash, err = g.passwords.Hash(ctx, pw); err == nil {
		err = g.store.ReplacePassword(ctx, c, after)
	}
	if err := unless(err, ErrChanged); err != nil { // by a login at the same time
		logging.From(ctx).Warn("password not hashed anew", logging.Error(err))
	}
}

// forgive sets the attempts to none after a success. Failing at it is no reason to take the success
// back: they are forgotten in time.
func (g *Guard) forgive(ctx context.Context, name string) {
	if err := g.store.Forgive(ctx, name); err != nil {
		logging.From(ctx).Warn("failed attempts not forgotten", logging.Error(err))
	}
}

// unless returns err, and nil when it is expected.
func unless(err, expected error) error {
	if errors.Is(err, expected) {
		return nil
	}
	return err
}
