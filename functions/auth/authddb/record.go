package authddb

import (
	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/session/sessionddb"
)

// userRecord is a user's part of the account item, which session checks read. That item may exist
// without a user, with an epoch alone: then it has no id. Times are in milliseconds since 1970.
type userRecord struct {
	sessionddb.Account

	ID         string   `dynamodbav:"id"`
	Identifier string   `dynamodbav:"identifier"`
	Roles      []string `dynamodbav:"roles"`
	CreatedAt  int64    `dynamodbav:"created_at"`
}

func userKey(id string) ddb.Key { return sessionddb.AccountKey(id) }

func newUserRecord(u auth.User) userRecord {
	return userRecord{
		Account: sessionddb.Account{Key: userKey(u.ID), AuthzVersion: u.AuthzVersion},
		ID:      u.ID, Identifier: u.Identifier, Roles: append([]string{}, u.Roles...), CreatedAt: u.CreatedAt.UnixMilli(),
	}
}

func (r userRecord) isUser() bool { return r.ID != "" }

func (r userRecord) user() auth.User {
	return auth.User{
		ID: r.ID, Identifier: r.Identifier, Roles: append([]string{}, r.Roles...),
		AuthzVersion: r.AuthzVersion, CreatedAt: ddb.FromMillis(r.CreatedAt),
	}
}

// passwordRecord is apart from the user's item, which every check of a token reads.
type passwordRecord struct {
	ddb.Key

	Hash string `dynamodbav:"hash"`
	// ChangedAt is in milliseconds since 1970.
	ChangedAt int64 `dynamodbav:"changed_at"`
}

func passwordKey(id string) ddb.Key { return ddb.Key{PK: userKey(id).PK, SK: "P"} }

func newPasswordRecord(c auth.Credentials) passwordRecord {
	return passwordRecord{Key: passwordKey(c.User.ID), Hash: c.PasswordHash, ChangedAt: c.PasswordChangedAt.UnixMilli()}
}

// identifierRecord holds the id of the user with an identifier.
type identifierRecord struct {
	ddb.Key

	UserID string `dynamodbav:"user_id"`
}

func identifierKey(identifier string) ddb.Key { return ddb.Key{PK: "EM#" + identifier, SK: "E"} }

// attemptsRecord are the attempts of a name.
type attemptsRecord struct {
	ddb.Key

	Count int64 `dynamodbav:"attempts"`
	// LastAt is in milliseconds since 1970.
	LastAt int64 `dynamodbav:"last_at"`
	// LastID is the attempt that was counted last.
	LastID string `dynamodbav:"last_id"`
}

func attemptsKey(name string) ddb.Key { return ddb.Key{PK: "L#" + name, SK: "L"} }

func (r attemptsRecord) failures() auth.Failures {
	return auth.Failures{Count: r.Count, LastAt: ddb.FromMillis(r.LastAt)}
}
