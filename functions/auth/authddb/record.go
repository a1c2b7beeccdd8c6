package authddb

import (
	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/shared/ddb"
)

// Roles and passwords have partitions of their own: IAM tells items apart by their partition key alone, so
// that a role may end sessions and read neither.

// userRecord is a user. Times are in milliseconds since 1970.
type userRecord struct {
	ddb.Key

	ID         string   `dynamodbav:"id"`
	Identifier string   `dynamodbav:"identifier"`
	Roles      []string `dynamodbav:"roles"`
	// AuthzVersion is the version of the roles. The account that session checks read has it too.
	AuthzVersion int64 `dynamodbav:"authz_ver"`
	CreatedAt    int64 `dynamodbav:"created_at"`
}

func userKey(id string) ddb.Key { return ddb.Key{PK: "USER#" + id, SK: "U"} }

func newUserRecord(u auth.User) userRecord {
	return userRecord{
		Key: userKey(u.ID), ID: u.ID, Identifier: u.Identifier, Roles: append([]string{}, u.Roles...),
		AuthzVersion: u.AuthzVersion, CreatedAt: u.CreatedAt.UnixMilli(),
	}
}

func (r userRecord) user() auth.User {
	return auth.User{
		ID: r.ID, Identifier: r.Identifier, Roles: append([]string{}, r.Roles...),
		AuthzVersion: r.AuthzVersion, CreatedAt: ddb.FromMillis(r.CreatedAt),
	}
}

// passwordRecord is the password of a user.
type passwordRecord struct {
	ddb.Key

	Hash string `dynamodbav:"hash"`
	// ChangedAt is in milliseconds since 1970.
	ChangedAt int64 `dynamodbav:"changed_at"`
}

func passwordKey(id string) ddb.Key { return ddb.Key{PK: "PW#" + id, SK: "P"} }

func newPasswordRecord(c auth.Credentials) passwordRecord {
	return passwordRecord{Key: passwordKey(c.User.ID), Hash: c.PasswordHash, ChangedAt: c.PasswordChangedAt.UnixMilli()}
}

// identifierRecord holds the id of the user with an identifier.
type identifierRecord struct {
	ddb.Key

	UserID string `dynamodbav:"user_id"`
}

func identifierKey(identifier string) ddb.Key { return ddb.Key{PK: "EM#" + identifier, SK: "E"} }
