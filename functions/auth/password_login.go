package auth

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/shared/password"
	"github.com/tienda-dev/tienda/shared/problem"
	"github.com/tienda-dev/tienda/shared/session"
	"github.com/tienda-dev/tienda/shared/tracing"
)

// The errors of a PasswordLogin.
var (
	// ErrInvalidCredentials: no such user, or a wrong password. It does not reveal which.
	ErrInvalidCredentials = problem.New(problem.Unauthorized, "invalid_credentials", "The e-mail address or the password is not right.").
				WithOAuth(problem.OAuthInvalidGrant)
	// ErrWrongPassword: the current password of a change is not right.
	ErrWrongPassword = problem.New(problem.Invalid, "wrong_password", "The current password is not right.").
				WithOAuth(problem.OAuthInvalidGrant).
				WithFields(problem.FieldError{Pointer: "/current_password", Detail: "is not right"})
)

const (
	// amrPassword is the method of authentication (RFC 8176).
	amrPassword = "pwd"
	// methodPassword is the method in metrics.
	methodPassword = "password"
	// unknownUser is an id that no user has: an unknown identifier causes the same reads as a known one.
	unknownUser = "00000000000000000000000000"
)

// passwordHasher makes and checks hashes of passwords (password.Hasher).
type passwordHasher interface {
	hasher
	Verify(ctx context.Context, encoded, password string) (password.Result, error)
	Dummy() string
}

// sessionStarter starts and ends sessions (session.Manager).
type sessionStarter interface {
	Start(ctx context.Context, user session.User, device session.Device) (session.Tokens, error)
	RevokeAll(ctx context.Context, subject string, reason session.Reason) (time.Time, error)
}

// PasswordLogin logs users in by their password and changes passwords. It counts the attempts, and
// replaces outdated hashes.
//
// Login does the same work for an unknown address as for a user's: it counts the attempt, reads, and
// checks the password against a hash that no password matches. The only remaining difference is an
// imported hash of another algorithm, until its owner's first login here.
type PasswordLogin struct {
	store     Store
	passwords passwordHasher
	sessions  sessionStarter
	limits    LoginLimits
	key       func(context.Context) []byte
	now       func() time.Time
}

// NewPasswordLogin returns a PasswordLogin; key returns the key of identifiers, now the time. It panics
// when something is missing.
func NewPasswordLogin(store Store, passwords passwordHasher, sessions sessionStarter, limits LoginLimits, key func(context.Context) []byte, now func() time.Time) *PasswordLogin {
	if store == nil || passwords == nil || sessions == nil || !limits.valid() || key == nil || now == nil {
		panic("auth: NewPasswordLogin needs a store, a hasher, sessions, limits that can refund, a key and a clock")
	}
	return &PasswordLogin{store: store, passwords: passwords, sessions: sessions, limits: limits, key: key, now: now}
}

// Login starts a session for the user with the address and the password. It returns ErrInvalidCredentials, and 429
// with Retry-After while the account must wait at device's address (see Failures), or when one of the limits is used
// up.
func (a *PasswordLogin) Login(ctx context.Context, email, pw string, device session.Device) (session.Tokens, error) {
	key := a.key(ctx)
	l := login{identifier: Identifier(key, email), userID: unknownUser, password: pw, device: device}
	l.client = clientOf(key, l.identifier, device.IP)
	var tokens session.Tokens
	name := Attempt{Name: l.identifier, Address: l.client.key}
	err := a.attempt(ctx, name, zap.String(logging.KeyIdentifier, l.identifier), func(ctx context.Context) error {
		return a.readLogin(ctx, &l)
	}, func(ctx context.Context) (err error) {
		tokens, err = a.login(ctx, l)
		return err
	})
	countLogin(ctx, err)
	return tokens, err
}

// verify compares a password with a hash, in a span: it takes most of a login's time.
func (a *PasswordLogin) verify(ctx context.Context, hash, pw string) (password.Result, error) {
	ctx, span := tracing.StartSpan(ctx, "verify password")
	defer span.End()
	result, err := a.passwords.Verify(ctx, hash, pw)
	tracing.RecordError(ctx, err)
	return result, err
}

// countLogin counts a login by its result. A fault of the store is not an attempt's result.
func countLogin(ctx context.Context, err error) {
	m := metrics.From(ctx)
	switch p, ok := problem.As(err); {
	case err == nil:
		m.Login(ctx, metrics.Success)
		m.Attempt(ctx, methodPassword, metrics.Success, "")
		m.TokenIssued(ctx, methodPassword)
	case ok && p.Kind == problem.Unauthorized:
		m.Login(ctx, metrics.Failure)
		m.Attempt(ctx, methodPassword, metrics.Failure, "credentials")
	case ok && p.Kind == problem.TooManyRequests:
		m.Login(ctx, metrics.Failure)
		m.Attempt(ctx, methodPassword, metrics.Failure, "locked")
	default:
		m.Attempt(ctx, methodPassword, metrics.Failure, "unavailable")
	}
}

// login is one attempt to log in.
type login struct {
	identifier, userID, password string
	device                       session.Device
	client                       client
	// knownUntil is until when the account knows the client.
	knownUntil time.Time
}

// readLogin reads whose identifier it is and whether the client is known.
func (a *PasswordLogin) readLogin(ctx context.Context, l *login) error {
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error {
		found, err := a.store.Find(groupCtx, l.identifier)
		if err == nil {
			l.userID = found
		}
		return ignore(err, ErrUserNotFound)
	})
	group.Go(func() (err error) {
		l.knownUntil, err = a.store.KnownUntil(groupCtx, l.identifier, l.client.key)
		return err
	})
	return group.Wait()
}

// login takes the units of a wrong password and reads the credentials in parallel. Every end but the answer to a
// wrong password, also a panic, gives the units back.
func (a *PasswordLogin) login(ctx context.Context, l login) (tokens session.Tokens, err error) {
	// The session begins when the credentials are read: a change of the password between that read and
	// Start ends it.
	began := milliseconds(a.now())
	var (
		c       Credentials
		readErr error
		calls   sync.WaitGroup
	)
	calls.Go(func() { c, readErr = a.store.Credentials(ctx, l.userID) })
	units := a.counted(l, l.knownUntil.After(began))
	taken, err := takeUnits(ctx, units)
	calls.Wait()
	if err != nil {
		return session.Tokens{}, err
	}
	var after sync.WaitGroup // what runs while the session starts
	defer after.Wait()
	refunded := false
	refund := func() {
		refunded = true
		after.Go(func() { giveBack(ctx, units, taken) })
	}
	defer func() {
		if !refunded && !errors.Is(err, ErrInvalidCredentials) {
			refund()
		}
	}()
	known := readErr == nil
	if err := ignore(readErr, ErrUserNotFound); err != nil {
		return session.Tokens{}, err
	}
	if !known {
		c.PasswordHash = a.passwords.Dummy()
	}
	checked, err := a.verify(ctx, c.PasswordHash, l.password)
	if err != nil {
		return session.Tokens{}, err
	}
	if !known || !checked.Match {
		return session.Tokens{}, ErrInvalidCredentials
	}
	refund()
	after.Go(func() { a.remember(ctx, l.identifier, l.client, l.knownUntil) })
	if checked.Outdated {
		a.rehash(ctx, c, l.password)
	}
	return a.sessions.Start(ctx, session.User{
		Subject: c.User.ID, Roles: c.User.Roles, AuthzVersion: c.User.AuthzVersion,
		AMR: []string{amrPassword}, AuthTime: began,
	}, l.device)
}

// ChangePassword replaces the caller's password, ends all of the caller's sessions and starts a new one.
// It returns ErrWrongPassword when current is not the caller's password, ErrUserNotFound for a caller
// who is not a user, 422 when next is the caller's name or address, and 429 with Retry-After after too many
// wrong passwords. A change that was made but could not end the sessions can be repeated unchanged.
func (a *PasswordLogin) ChangePassword(ctx context.Context, caller identity.Identity, current, next string, device session.Device) (session.Tokens, error) {
	var (
		c      Credentials
		tokens session.Tokens
	)
	err := a.attempt(ctx, Attempt{Name: changeName(caller.Subject)}, zap.String(logging.KeySubject, caller.Subject), func(ctx context.Context) (err error) {
		c, err = a.store.Credentials(ctx, caller.Subject)
		return err
	}, func(ctx context.Context) (err error) {
		tokens, err = a.change(ctx, caller, c, current, next, device)
		return err
	})
	if err == nil {
		metrics.From(ctx).TokenIssued(ctx, methodPassword)
	}
	return tokens, err
}

func (a *PasswordLogin) change(ctx context.Context, caller identity.Identity, c Credentials, current, next string, device session.Device) (session.Tokens, error) {
	right, err := a.verify(ctx, c.PasswordHash, current)
	if err != nil {
		return session.Tokens{}, err
	}
	if right.Match {
		err = a.replace(ctx, c, next)
	} else {
		err = a.replaced(ctx, c, next, caller.AuthTime)
	}
	if err != nil {
		return session.Tokens{}, err
	}
	// Before the sessions end, so that a change that could not do it can be repeated.
	if err := a.forget(ctx, c.User.Identifier); err != nil {
		return session.Tokens{}, err
	}
	epoch, err := a.sessions.RevokeAll(ctx, caller.Subject, session.Password)
	if err != nil {
		return session.Tokens{}, err
	}
	var after sync.WaitGroup // what runs while the session starts
	defer after.Wait()
	after.Go(func() {
		a.remember(ctx, c.User.Identifier, clientOf(a.key(ctx), c.User.Identifier, device.IP), time.Time{})
	})
	return a.sessions.Start(ctx, session.User{
		Subject: caller.Subject, Roles: c.User.Roles, AuthzVersion: c.User.AuthzVersion,
		AMR: []string{amrPassword}, NotBefore: epoch,
	}, device)
}

// replace stores the hash of next, unless it is what others know about the user. Only a caller who knows the
// current password learns that.
func (a *PasswordLogin) replace(ctx context.Context, c Credentials, next string) error {
	known, err := a.store.Guessable(ctx, c.User.ID)
	if err != nil {
		return err
	}
	if err := password.Check(next, known...); err != nil {
		return problem.Fields(problem.FieldError{Pointer: pointerNewPassword, Detail: err.Error()})
	}
	after := c
	after.PasswordChangedAt = milliseconds(a.now())
	if after.PasswordHash, err = a.passwords.Hash(ctx, next); err != nil {
		return err
	}
	return a.store.ReplacePassword(ctx, c, after)
}

// replaced returns nil when next is the password already because an earlier change failed before it ended
// the sessions, and ErrWrongPassword otherwise. Only a session that is older than the stored password can
// be left over from such a change; for any other session next is not compared, so that it is not a second
// guess. Tokens carry the time of the login in seconds, so a change within the second of the login cannot
// be repeated.
func (a *PasswordLogin) replaced(ctx context.Context, c Credentials, next string, login time.Time) error {
	if login.IsZero() || !c.PasswordChangedAt.Truncate(time.Second).After(login) {
		return ErrWrongPassword
	}
	done, err := a.verify(ctx, c.PasswordHash, next)
	if err == nil && !done.Match {
		err = ErrWrongPassword
	}
	return err
}

// rehash replaces a hash that does not have the configured parameters. If it fails, the login still
// succeeds, and the next login tries again.
func (a *PasswordLogin) rehash(ctx context.Context, c Credentials, pw string) {
	after := c
	var err error
	if after.PasswordHash, err = a.passwords.Hash(ctx, pw); err == nil {
		err = a.store.ReplacePassword(ctx, c, after)
	}
	if err := ignore(err, ErrChanged); err != nil { // by a login at the same time
		logging.From(ctx).Warn("password not rehashed", logging.Error(err))
	}
}

// ignore returns err, and nil when it is expected.
func ignore(err, expected error) error {
	if errors.Is(err, expected) {
		return nil
	}
	return err
}
