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
	// ExpiresAt is when the token stops being valid. Zero means that it was not told.
	ExpiresAt time.Time
}

// HasAnyRole reports whether the identity holds at least one of roles.
func (id Identity) HasAnyRole(roles ...string) bool {
	return slices.ContainsFunc(roles, func(role string) bool { return slices.Contains(id.Roles, role) })
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
