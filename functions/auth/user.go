// Package auth registers users, logs them in and out, and sets their roles. It holds the rules, the
// handlers of its routes and the Store interface; it knows no database. Sessions and their tokens are in
// package shared/session.
package auth

import (
	"slices"
	"time"

	"github.com/tienda-dev/tienda/internal/policy"
)

// User is an account.
type User struct {
	// ID is a ULID: the subject of the user's tokens.
	ID string
	// Identifier is the identifier of the e-mail address that the user logs in with (see Identifier).
	Identifier string
	// Roles are the names of policy.Roles, sorted, each once.
	Roles []string
	// AuthzVersion counts the changes of Roles, from 1. Access tokens carry it.
	AuthzVersion int64
	// CreatedAt is in UTC, to the millisecond.
	CreatedAt time.Time
}

// Credentials are a user with the hash of the password.
type Credentials struct {
	User User
	// PasswordHash is a hash of package password.
	PasswordHash string
	// PasswordChangedAt is when the user chose the password, in UTC, to the millisecond.
	PasswordChangedAt time.Time
}

// Registration is a new user with the fields of the profile, which package customers keeps.
type Registration struct {
	Credentials

	// Email is the address as the user wrote it.
	Email string
	// Name is the person's display name.
	Name string
}

// normalRoles returns the roles sorted, each once.
func normalRoles(roles []string) []string {
	sorted := append([]string{}, roles...)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}

func isRole(name string) bool { return slices.Contains(policy.Roles(), name) }
