package auth

import (
	"context"
	"time"

	"github.com/tienda-dev/tienda/shared/problem"
)

// The errors that a Store returns. Every other error is a failure of the store: 503 or 500.
var (
	// ErrUserNotFound: there is no such user.
	ErrUserNotFound = problem.New(problem.NotFound, "user_not_found", "There is no such user.")
	// ErrEmailExists: a user has registered with the address.
	ErrEmailExists = problem.New(problem.Conflict, "email_exists", "A user with this e-mail address exists.").
			WithFields(problem.FieldError{Pointer: "/email", Detail: "is taken"})
	// ErrChanged: what was read before a change has changed in the meantime.
	ErrChanged = problem.New(problem.Conflict, "user_changed", "The user was changed by another request. Try again.")
)

// Store keeps users and counts their attempts to log in. All reads see every write that returned
// before. Repeating an identical write is not an error: a client does so after a lost response.
type Store interface {
	// Register adds the user, the claim on the identifier and the profile, all or nothing. It returns
	// ErrEmailExists when another user has the identifier.
	Register(ctx context.Context, r Registration) error
	// Find returns the id of the user with the identifier, or ErrUserNotFound.
	Find(ctx context.Context, identifier string) (string, error)
	// User returns the user, or ErrUserNotFound.
	User(ctx context.Context, id string) (User, error)
	// Credentials returns the user with the credentials, or ErrUserNotFound.
	Credentials(ctx context.Context, id string) (Credentials, error)
	// Guessable returns the address and the name of the user's profile, which a password must not be. It is empty for an
	// id without a profile.
	Guessable(ctx context.Context, id string) ([]string, error)
	// ReplacePassword replaces the hash of before and its time with those of after. It returns
	// ErrChanged when the stored hash is not before's, and ErrUserNotFound.
	ReplacePassword(ctx context.Context, before, after Credentials) error
	// ReplaceRoles replaces the roles of before and their version with those of after, which has the
	// next version. It returns ErrChanged when the stored version is not before's, and ErrUserNotFound.
	ReplaceRoles(ctx context.Context, before, after User) error
	// Attempt gives an attempt of the name a place, if it may be made: Admitted. Otherwise it changes nothing
	// and returns Locked or Busy. It returns the failures too. Attempts that are older than AttemptLife have
	// become failures. Repeating it after a lost response takes no second place.
	Attempt(ctx context.Context, a Attempt) (Failures, Admission, error)
	// EndAttempt gives the place of the attempt back, with its verdict at the time, and returns the failures
	// after that. Without the place, Wrong and NoVerdict change nothing.
	EndAttempt(ctx context.Context, a Attempt, verdict Verdict, at time.Time) (Failures, error)
	// ResetAttempts forgets the failures and the attempts in flight of the names, from all addresses.
	ResetAttempts(ctx context.Context, names ...string) error
	// KnownUntil returns until when the address is known for the name; the zero time for an address that is not.
	KnownUntil(ctx context.Context, name, address string) (time.Time, error)
	// Remember makes the address known for the name until then, and forgets it if that time is over.
	Remember(ctx context.Context, name, address string, until time.Time) error
	// KnownAddresses returns all addresses that are known for the name, and perhaps some that no longer are.
	KnownAddresses(ctx context.Context, name string) ([]string, error)
	// TriedAddresses returns all addresses from which the name was tried within the last Quiet, and perhaps some from
	// which it was tried before, also after ResetAttempts.
	TriedAddresses(ctx context.Context, name string) ([]string, error)
}

// Attempt is one try of a password.
type Attempt struct {
	// Name and Address are what the attempts are counted under: an Identifier and an AddressKey, or the result of
	// changeName and "".
	Name, Address string
	// ID is unique to this attempt.
	ID string
	// At is now, to the millisecond.
	At time.Time
}

// Admission is the answer to an attempt.
type Admission int

// The answers.
const (
	// Admitted: the attempt has a place, until EndAttempt gives it back.
	Admitted Admission = iota + 1
	// Locked: the name must wait at this address (Failures.Locked).
	Locked
	// Busy: attempts in flight have all places.
	Busy
)

// Verdict is what an attempt ended in.
type Verdict int

// The verdicts.
const (
	// NoVerdict: nobody has heard whether the password was right.
	NoVerdict Verdict = iota
	// Wrong is one more failure.
	Wrong
	// Right forgets the failures.
	Right
)

// changeName is the name under which attempts to change a user's password are counted. They are counted
// apart from logins: a thief of a token must not lock the owner out, and a login must not reset the
// thief's attempts.
func changeName(userID string) string { return "user#" + userID }
