package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/password"
	"github.com/tienda-dev/tienda/shared/problem"
	"github.com/tienda-dev/tienda/shared/session"
)

// The refusals of an Authenticator.
var (
	// ErrInvalidCredentials: no such user, or not the user's password. It does not tell which.
	ErrInvalidCredentials = problem.New(problem.Unauthorized, "invalid_credentials", "The e-mail address or the password is not right.")
	// ErrWrongPassword: the current password of a change is not right.
	ErrWrongPassword = problem.New(problem.Invalid, "wrong_password", "The current password is not right.").
				WithFields(problem.FieldError{Pointer: "/current_password", Detail: "is not right"})
)

const (
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

// Authenticator takes passwords for proof of who somebody is: it lets people in, and lets them choose
// another password. It counts the attempts, and puts newer hashes in the place of outdated ones.
//
// Login does the same for a name of nobody as for a user's: it counts the attempt, reads, and checks the
// password against a hash that nothing matches. What is left to tell them apart is an imported hash of
// another algorithm, until its owner's first login here.
type Authenticator struct {
	store     Store
	passwords checker
	sessions  starter
	key       func(context.Context) []byte
	now       func() time.Time
}

// NewAuthenticator returns an Authenticator; key returns the key of identifiers, now the time. It panics
// when something is missing.
func NewAuthenticator(store Store, passwords checker, sessions starter, key func(context.Context) []byte, now func() time.Time) *Authenticator {
	if store == nil || passwords == nil || sessions == nil || key == nil || now == nil {
		panic("auth: NewAuthenticator needs a store, a hasher, sessions, a key and a clock")
	}
	return &Authenticator{store: store, passwords: passwords, sessions: sessions, key: key, now: now}
}

// Login starts a session for the user with the address and the password. It returns
// ErrInvalidCredentials, and 429 with Retry-After while the address must wait (see Failures).
func (a *Authenticator) Login(ctx context.Context, email, pw string, device session.Device) (session.Tokens, error) {
	// The session is as old as what was read to let it in: a change of the password that comes between
	// reading and starting ends it.
	began := milliseconds(a.now())
	identifier := Identifier(a.key(ctx), email)
	userID := nobody
	var failures Failures
	group, beside := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		failures, err = a.count(beside, identifier, began)
		return err
	})
	group.Go(func() error {
		found, err := a.store.Find(beside, identifier)
		if err == nil {
			userID = found
		}
		return unless(err, ErrUserNotFound)
	})
	if err := group.Wait(); err != nil {
		return session.Tokens{}, err
	}

	c, err := a.store.Credentials(ctx, userID)
	known := err == nil
	if err := unless(err, ErrUserNotFound); err != nil {
		return session.Tokens{}, err
	}
	if !known {
		c.PasswordHash = a.passwords.Dummy()
	}
	checked, err := a.passwords.Verify(ctx, c.PasswordHash, pw)
	if err != nil {
		return session.Tokens{}, err
	}
	if !known || !checked.Match {
		tellLocked(ctx, failures, zap.String(logging.KeyIdentifier, identifier))
		return session.Tokens{}, ErrInvalidCredentials
	}
	if checked.Outdated {
		a.rehash(ctx, c, pw)
	}

	tokens, err := a.sessions.Start(ctx, session.User{
		Subject: c.User.ID, Roles: c.User.Roles, AuthzVersion: c.User.AuthzVersion,
		AMR: []string{amrPassword}, AuthTime: began,
	}, device)
	if err != nil {
		return session.Tokens{}, err
	}
	a.forgive(ctx, identifier)
	return tokens, nil
}

// ChangePassword replaces the caller's password, ends all of the caller's sessions and starts a new one.
// It returns ErrWrongPassword when current is not the caller's password, ErrUserNotFound for a caller
// who is no user, 422 when next is the caller's address, and 429 with Retry-After after too many wrong
// ones. A change that was made but could not end the sessions can be repeated as it was.
func (a *Authenticator) ChangePassword(ctx context.Context, caller identity.Identity, current, next string, device session.Device) (session.Tokens, error) {
	now := milliseconds(a.now())
	name := changeName(caller.Subject)
	var (
		c        Credentials
		failures Failures
	)
	group, beside := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		failures, err = a.count(beside, name, now)
		return err
	})
	group.Go(func() (err error) {
		c, err = a.store.Credentials(beside, caller.Subject)
		return err
	})
	if err := group.Wait(); err != nil {
		return session.Tokens{}, err
	}

	right, err := a.passwords.Verify(ctx, c.PasswordHash, current)
	if err != nil {
		return session.Tokens{}, err
	}
	if right.Match {
		err = a.replace(ctx, c, next, now)
	} else if err = a.replaced(ctx, c, next, caller.AuthTime); errors.Is(err, ErrWrongPassword) {
		tellLocked(ctx, failures, zap.String(logging.KeySubject, caller.Subject))
	}
	if err != nil {
		return session.Tokens{}, err
	}
	epoch, err := a.sessions.RevokeAll(ctx, caller.Subject, session.Password)
	if err != nil {
		return session.Tokens{}, err
	}
	a.forgive(ctx, name)
	return a.sessions.Start(ctx, session.User{
		Subject: caller.Subject, Roles: c.User.Roles, AuthzVersion: c.User.AuthzVersion,
		AMR: []string{amrPassword}, NotBefore: epoch,
	}, device)
}

// replace stores the hash of next.
func (a *Authenticator) replace(ctx context.Context, c Credentials, next string, now time.Time) error {
	if Identifier(a.key(ctx), next) == c.User.Identifier {
		return problem.Fields(problem.FieldError{Pointer: pointerNewPassword, Detail: password.ErrGuessable.Error()})
	}
	after := c
	after.PasswordChangedAt = now
	var err error
	if after.PasswordHash, err = a.passwords.Hash(ctx, next); err != nil {
		return err
	}
	return a.store.ReplacePassword(ctx, c, after)
}

// replaced returns nil when next is the password already because a change has broken off before it ended
// the sessions, and ErrWrongPassword otherwise. Only a session that is older than the stored password can
// be left over from such a change. To any other one next is no second guess: it is not looked at. Tokens
// tell the time of the login in seconds, so a change within the second of the login cannot be repeated.
func (a *Authenticator) replaced(ctx context.Context, c Credentials, next string, login time.Time) error {
	if login.IsZero() || !c.PasswordChangedAt.Truncate(time.Second).After(login) {
		return ErrWrongPassword
	}
	done, err := a.passwords.Verify(ctx, c.PasswordHash, next)
	if err == nil && !done.Match {
		err = ErrWrongPassword
	}
	return err
}

// count counts an attempt of the name, or returns 429.
func (a *Authenticator) count(ctx context.Context, name string, now time.Time) (Failures, error) {
	failures, admitted, err := a.store.Attempt(ctx, Attempt{Name: name, ID: rand.Text(), At: now})
	if err != nil {
		return Failures{}, err
	}
	if !admitted {
		return Failures{}, locked(failures.Locked(now))
	}
	return failures, nil
}

// rehash replaces a hash whose parameters are not the configured ones. Failing at it is no reason to
// keep the user out: the next login tries again.
func (a *Authenticator) rehash(ctx context.Context, c Credentials, pw string) {
	after := c
	var err error
	if after.PasswordHash, err = a.passwords.Hash(ctx, pw); err == nil {
		err = a.store.ReplacePassword(ctx, c, after)
	}
	if err := unless(err, ErrChanged); err != nil { // by a login at the same time
		logging.From(ctx).Warn("password not hashed anew", logging.Error(err))
	}
}

// forgive sets the attempts to none after a success. Failing at it is no reason to take the success
// back: they are forgotten in time.
func (a *Authenticator) forgive(ctx context.Context, name string) {
	if err := a.store.Forgive(ctx, name); err != nil {
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
