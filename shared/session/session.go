// Package session keeps logins: it starts them, refreshes their tokens, ends them, and checks whether a
// token was revoked.
//
// Every token names its session, and the one item of the session decides about all of its tokens: which
// refresh token is the current one, until when, and whether the session is over. Refreshing and revoking
// are conditional writes of that item, so that neither can overtake the other. Nothing is looked up by the
// text of a token or its hash: one token has many texts.
package session

import "time"

// Session is one login on one device. All times have millisecond precision.
type Session struct {
	// ID is the session's id, a ULID ("sid" in its tokens).
	ID string
	// Subject is the owner of the session.
	Subject string
	// ClientID is the OAuth client that the login came through; may be empty.
	ClientID string
	// Scopes are those granted at the login; may be empty.
	Scopes []string
	// AMR is how the subject authenticated (RFC 8176: "pwd", "otp").
	AMR []string
	// Device describes the device of the session.
	Device Device
	// CreatedAt is when the login happened: tokens' auth_time, and what epochs are compared with.
	CreatedAt time.Time
	// Generation counts refreshes. The current refresh token is the one that carries it.
	Generation int64
	// RotatedAt is when the current generation began.
	RotatedAt time.Time
	// RotationID names the call that began the current generation.
	RotationID string
	// IdleUntil is when the session ends unless it is refreshed before.
	IdleUntil time.Time
	// EndsAt is when it ends however often it is refreshed.
	EndsAt time.Time
	// RevokedAt is when the session was ended, or zero.
	RevokedAt time.Time
	// Reason is why it was ended.
	Reason Reason
}

// ExpiresAt returns when the session ends if it is no longer refreshed.
func (s Session) ExpiresAt() time.Time {
	if s.EndsAt.Before(s.IdleUntil) {
		return s.EndsAt
	}
	return s.IdleUntil
}

// Over reports whether the session has ended: revoked, too long idle, or at its absolute end.
func (s Session) Over(now time.Time) bool {
	return !s.RevokedAt.IsZero() || !now.Before(s.ExpiresAt())
}

// Reason is why a session or a token was revoked.
type Reason string

// The reasons. Others are possible.
const (
	// Logout: the owner ended the session.
	Logout Reason = "logout"
	// Reuse: a refresh token was presented whose successor had been used.
	Reuse Reason = "reuse"
	// LateRetry: a refresh was repeated after the retry window.
	LateRetry Reason = "late_retry"
	// Admin: an admin ended the session.
	Admin Reason = "admin"
	// Client: the client gave the token back (RFC 7009).
	Client Reason = "client"
	// Password: the owner changed the password.
	Password Reason = "password"
	// Roles: the subject's roles have changed, so the access tokens with the old ones ended.
	Roles Reason = "roles"
)

// User is the owner of a session, as the tokens describe it.
type User struct {
	// Subject is the user's id. It stays the same for ever.
	Subject string
	// ClientID is the OAuth client that Start is for; may be empty.
	ClientID string
	// Roles go into every access token, as they are when it is minted.
	Roles []string
	// Scopes are granted by Start, for the session's whole life. Refresh does not look at them.
	Scopes []string
	// AuthzVersion counts the changes of Roles. It belongs to them: read both at once. A token
	// whose version is below the account's is no longer accepted.
	AuthzVersion int64
	// AMR is how the user has just authenticated (RFC 8176). Start keeps it.
	AMR []string
	// AuthTime is when the credentials that the user presented were read from the store; the session
	// counts as begun then, so that a change of the password or a logout everywhere that came
	// between ends it. Zero is now.
	AuthTime time.Time
	// NotBefore is what RevokeAll has returned, where a login follows it at once; the new session
	// begins after it. Zero otherwise.
	NotBefore time.Time
}

// Account is the state of a subject.
type Account struct {
	// NotBefore is the subject's epoch: sessions that began at it or before are over.
	NotBefore time.Time
	// AuthzVersion is the version of the subject's roles; tokens with a lower one are not accepted.
	AuthzVersion int64
}

// Tokens is the answer to a login or a refresh, with the names of RFC 6749 section 5.1.
type Tokens struct {
	AccessToken string `json:"access_token"`
	// TokenType is "Bearer".
	TokenType string `json:"token_type"`
	// ExpiresIn is the remaining life of the access token in seconds.
	ExpiresIn    int64  `json:"expires_in"`
	RefreshToken string `json:"refresh_token"`
	// RefreshExpiresIn is the remaining life of the refresh token in seconds.
	RefreshExpiresIn int64 `json:"refresh_expires_in"`
}
