package authddb

import (
	"time"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/shared/ddb"
)

// userRecord is a user's part of the item that sessionddb keeps the user's epoch in. That item may be
// there without a user: then it has no id. Times are in milliseconds since 1970.
type userRecord struct {
	ddb.Key

	ID           string   `dynamodbav:"id"`
	Identifier   string   `dynamodbav:"identifier"`
	Roles        []string `dynamodbav:"roles"`
	AuthzVersion int64    `dynamodbav:"authz_ver"`
	CreatedAt    int64    `dynamodbav:"created_at"`
}

func userKey(id string) ddb.Key { return ddb.Key{PK: "U#" + id, SK: "A"} }

func newUserRecord(u auth.User) userRecord {
	return userRecord{
		Key: userKey(u.ID), ID: u.ID, Identifier: u.Identifier, Roles: append([]string{}, u.Roles...),
		AuthzVersion: u.AuthzVersion, CreatedAt: u.CreatedAt.UnixMilli(),
	}
}

func (r userRecord) isUser() bool { return r.ID != "" }

func (r userRecord) user() auth.User {
	return auth.User{
		ID: r.ID, Identifier: r.Identifier, Roles: append([]string{}, r.Roles...),
		AuthzVersion: r.AuthzVersion, CreatedAt: fromMillis(r.CreatedAt),
	}
}

// passwordRecord is apart from the user's item, which every check of a token reads.
type passwordRecord struct {
	ddb.Key

	Hash string `dynamodbav:"hash"`
	// ChangedAt is in milliseconds since 1970.
	ChangedAt int64 `dynamodbav:"changed_at"`
}

func passwordKey(id string) ddb.Key { return ddb.Key{PK: "U#" + id, SK: "P"} }

func newPasswordRecord(c auth.Credentials) passwordRecord {
	return passwordRecord{Key: passwordKey(c.User.ID), Hash: c.PasswordHash, ChangedAt: c.PasswordChangedAt.UnixMilli()}
}

// identifierRecord says which user has an identifier.
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
	return auth.Failures{Count: r.Count, LastAt: fromMillis(r.LastAt)}
}

func fromMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
