// Package authddb keeps users and their attempts to log in in DynamoDB, in the table that package
// sessionddb keeps sessions in.
//
//	PK                  SK    what
//	USER#<id>           U     user: roles and their version
//	PW#<id>             P     the hash of the user's password
//	EM#<identifier>     E     which user has the e-mail address of the identifier
//	L#<name>            L     failures of a name since its last success, and attempts in flight; for an hour
//	L#<name>            L#<address>  the same for a name at one address
//	L#<name>            K#<address>  until when the address is known for the name
//
// No key and no attribute holds an e-mail address. Only the profile does: it belongs to the customers, and
// is written in the transaction that writes the user.
package authddb

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/session/sessionddb"
)

// errContradiction: the items of a user contradict each other, which no call can cause.
var errContradiction = errors.New("authddb: the items of a user contradict each other")

// profiles creates and reads users' profiles (customersddb.Store).
type profiles interface {
	// Add returns the writes that create the profile of a new user.
	Add(id, email, name string, at time.Time) []ddb.Write
	// Guessable returns the address and the name of a profile, or nothing.
	Guessable(ctx context.Context, id string) ([]string, error)
}

// errNoProfiles: the function's main made the store without profiles.
var errNoProfiles = errors.New("authddb: Register and Guessable need the profiles")

// Store is the auth.Store on a table. It is safe for concurrent use.
type Store struct {
	table    *ddb.Table
	profiles profiles
}

var _ auth.Store = (*Store)(nil)

// New returns a store on the table. Only Register and Guessable need the profiles; elsewhere they may be nil. It panics
// when the table is nil, which no input can cause.
func New(table *ddb.Table, profiles profiles) *Store {
	if table == nil {
		panic("authddb: New needs a table")
	}
	return &Store{table: table, profiles: profiles}
}

// Register implements auth.Store. The claim on the identifier comes first in the transaction: its
// failure returns the item with the owner of the address.
func (s *Store) Register(ctx context.Context, r auth.Registration) error {
	if s.profiles == nil {
		return errNoProfiles
	}
	writes := []ddb.Write{
		s.claim(r.User),
		s.table.Put(newUserRecord(r.User)).If(ddb.Absent(), errContradiction),
		s.table.Put(newPasswordRecord(r.Credentials)).If(ddb.Absent(), errContradiction),
	}
	writes = append(writes, s.profiles.Add(r.User.ID, r.Email, r.Name, r.User.CreatedAt)...)
	return ddb.Commit(ctx, s.table.Client(), writes...)
}

// Guessable implements auth.Store.
func (s *Store) Guessable(ctx context.Context, id string) ([]string, error) {
	if s.profiles == nil {
		return nil, errNoProfiles
	}
	return s.profiles.Guessable(ctx, id)
}

func (s *Store) claim(u auth.User) ddb.Write {
	record := identifierRecord{Key: identifierKey(u.Identifier), UserID: u.ID}
	return s.table.Put(record).IfElse(ddb.Absent(), func(old ddb.Item) error {
		var owner identifierRecord
		if err := ddb.Decode(old, &owner); err != nil {
			return err
		}
		if owner.UserID == u.ID {
			return ddb.ErrDone
		}
		return auth.ErrEmailExists
	})
}

// Find implements auth.Store.
func (s *Store) Find(ctx context.Context, identifier string) (string, error) {
	var r identifierRecord
	found, err := s.table.Get(ctx, identifierKey(identifier), &r, true)
	if err != nil {
		return "", err
	}
	if !found {
		return "", auth.ErrUserNotFound
	}
	return r.UserID, nil
}

// User implements auth.Store.
func (s *Store) User(ctx context.Context, id string) (auth.User, error) {
	var r userRecord
	found, err := s.table.Get(ctx, userKey(id), &r, true)
	if err != nil {
		return auth.User{}, err
	}
	if !found {
		return auth.User{}, auth.ErrUserNotFound
	}
	return r.user(), nil
}

// Identifier returns the identifier under which the user's attempts are counted, or auth.ErrUserNotFound.
func (s *Store) Identifier(ctx context.Context, id string) (string, error) {
	u, err := auth.NewAdministrator(s).User(ctx, id)
	return u.Identifier, err
}

// Credentials implements auth.Store.
func (s *Store) Credentials(ctx context.Context, id string) (auth.Credentials, error) {
	items, err := s.table.BatchGet(ctx, []ddb.Key{userKey(id), passwordKey(id)}, true)
	if err != nil {
		return auth.Credentials{}, err
	}
	if len(items) == 0 {
		return auth.Credentials{}, auth.ErrUserNotFound
	}
	if len(items) == 1 {
		return auth.Credentials{}, errContradiction
	}
	var (
		user userRecord
		pw   passwordRecord
	)
	if err := errors.Join(ddb.Decode(items[userKey(id)], &user), ddb.Decode(items[passwordKey(id)], &pw)); err != nil {
		return auth.Credentials{}, err
	}
	return auth.Credentials{User: user.user(), PasswordHash: pw.Hash, PasswordChangedAt: ddb.FromMillis(pw.ChangedAt)}, nil
}

// ReplacePassword implements auth.Store.
func (s *Store) ReplacePassword(ctx context.Context, before, after auth.Credentials) error {
	if after.User.ID != before.User.ID {
		return errors.New("authddb: a password is replaced for one user")
	}
	next := newPasswordRecord(after)
	unchanged := expression.Name("hash").Equal(expression.Value(before.PasswordHash))
	return ddb.Commit(ctx, s.table.Client(), s.table.Put(next).IfElse(unchanged, func(old ddb.Item) error {
		if old == nil {
			return auth.ErrUserNotFound
		}
		var stored passwordRecord
		if err := ddb.Decode(old, &stored); err != nil {
			return err
		}
		if stored == next {
			return ddb.ErrDone
		}
		return auth.ErrChanged
	}))
}

// ReplaceRoles implements auth.Store. The transaction writes the version into the account too, so that older
// access tokens stop working with the change.
func (s *Store) ReplaceRoles(ctx context.Context, before, after auth.User) error {
	if after.ID != before.ID || after.AuthzVersion != before.AuthzVersion+1 {
		return errors.New("authddb: roles are replaced for one user, with the next version")
	}
	version := expression.Name("authz_ver")
	change := expression.
		Set(expression.Name("roles"), expression.Value(after.Roles)).
		Set(version, expression.Value(after.AuthzVersion))
	user := s.table.Update(userKey(after.ID), change).IfElse(version.Equal(expression.Value(before.AuthzVersion)), func(old ddb.Item) error {
		if old == nil {
			return auth.ErrUserNotFound
		}
		var stored userRecord
		if err := ddb.Decode(old, &stored); err != nil {
			return err
		}
		if stored.AuthzVersion == after.AuthzVersion && slices.Equal(stored.Roles, after.Roles) {
			return ddb.ErrDone
		}
		return auth.ErrChanged
	})
	return ddb.Commit(ctx, s.table.Client(), user, sessionddb.SetAuthz(s.table, after.ID, after.AuthzVersion))
}
