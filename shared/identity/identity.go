// Package identity says who is calling: the authenticated subject, what it may do and how the
// Lambda authorizer hands that over to a function. It knows no token format and no transport.
package identity

import (
	"context"
	"slices"
	"time"
)

// Identity is an authenticated caller. The zero value is nobody.
type Identity struct {
	// Subject identifies the user or client (RFC 7519 "sub"). Never empty for a caller that
	// was authenticated.
	Subject string
	// SessionID names the login that the token belongs to ("sid"); empty for machine tokens.
	SessionID string
	// ClientID names the OAuth client (RFC 9068 "client_id"); may be empty.
	ClientID string
	// Roles are the role names granted to the subject.
	Roles []string
	// Scopes are the OAuth scopes of the token (RFC 6749 section 3.3).
	Scopes []string
	// AuthTime is when the subject last presented credentials; zero when unknown.
	AuthTime time.Time
	// AMR names how the subject authenticated then, "pwd" or "otp" (RFC 8176).
	AMR []string
	// TokenID names the token itself ("jti"), for revoking it alone.
	TokenID string
	// KeyID names the key that signed the token ("kid"), for following a rotation of keys.
	KeyID string
	// IssuedAt is when the token was minted, to the millisecond: a revocation of all tokens of a
	// subject covers those that are not younger than it.
	IssuedAt time.Time
	// AuthzVersion counts the changes of what the subject may do. A token with an older number
	// than the subject has now was minted before the last change.
	AuthzVersion int64
	// ExpiresAt is when the token stops being valid; zero when unknown.
	ExpiresAt time.Time
}

// HasAnyRole reports whether the identity holds at least one of roles.
func (id Identity) HasAnyRole(roles ...string) bool {
	return slices.ContainsFunc(roles, func(role string) bool { return slices.Contains(id.Roles, role) })
}

// HasScopes reports whether the identity holds every one of scopes.
func (id Identity) HasScopes(scopes ...string) bool {
	return !slices.ContainsFunc(scopes, func(scope string) bool { return !slices.Contains(id.Scopes, scope) })
}

type contextKey struct{}

// With returns a context that carries the authenticated caller.
func With(ctx context.Context, id Identity) context.Context {
	return context.WithValue(ctx, contextKey{}, id)
}

// From returns the authenticated caller, and false when the request is anonymous.
func From(ctx context.Context) (Identity, bool) {
	id, ok := ctx.Value(contextKey{}).(Identity)
	return id, ok
}

// UserID returns the caller's subject, and false when the request is anonymous.
func UserID(ctx context.Context) (string, bool) {
	id, ok := From(ctx)
	return id.Subject, ok
}

// MustUserID returns the caller's subject. It panics when the request is anonymous, which is a
// route declared without Required authentication: a programming error.
func MustUserID(ctx context.Context) string {
	subject, ok := UserID(ctx)
	if !ok {
		panic("identity: MustUserID on a request without an authenticated caller")
	}
	return subject
}

// Revocation is how soon a route notices that a token, its session or its user was revoked.
type Revocation int

// Both read the session, the user and the token's own entry for every request.
const (
	// Default reads eventually consistent: a revoked token is refused within about a second.
	Default Revocation = iota
	// Strict reads strongly consistent, at twice the price: the next request is refused. It is for
	// routes that move money or rights.
	Strict
)

// String returns the name in lower case.
func (r Revocation) String() string {
	switch r {
	case Default:
		return "default"
	case Strict:
		return "strict"
	default:
		return "unknown"
	}
}
