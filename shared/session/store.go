package session

import (
	"context"
	"time"
)

// Store keeps sessions. Every method may be called again after a failure whose outcome is unknown,
// and every write happens once however often its response is lost. Errors: ErrUnavailable where
// none other is named.
type Store interface {
	Reader

	// Create adds a session.
	Create(ctx context.Context, s Session) error
	// Rotate begins the next generation, in one conditional write: the session exists, is the
	// subject's, is not revoked, has the generation that was presented, and neither its idle nor
	// its absolute end has come. It returns the session as it is after that and true; when the
	// condition does not hold, as it is without it and false, and the zero Session when there is
	// none. A write that finds its own earlier effect returns true.
	Rotate(ctx context.Context, r Rotation) (Session, bool, error)
	// Revoke ends a session; one that has ended keeps its first reason. With a subject it does so
	// only when the session is the subject's. It reports whether there is such a session.
	Revoke(ctx context.Context, r Ending) (bool, error)
	// RevokeSubject moves the subject's epoch to at, and never back.
	RevokeSubject(ctx context.Context, subject string, at time.Time) error
	// RevokeEverybody moves the global epoch to at, and never back.
	RevokeEverybody(ctx context.Context, at time.Time) error
	// RevokeToken remembers the id of one access token until it expires.
	RevokeToken(ctx context.Context, t TokenRevocation) error
	// RaiseAuthz moves the version of the subject's roles to version, and never back.
	RaiseAuthz(ctx context.Context, subject string, version int64) error
	// List returns the newest limit of the subject's sessions that were not revoked, newest first, and
	// whether there are more; others that have ended may be among them.
	// It may be some milliseconds old: nothing is decided on it.
	List(ctx context.Context, subject string, limit int) (list []Session, more bool, err error)
}

// Reader reads the state that a check of access tokens needs.
type Reader interface {
	// State reads the state of a token in one round trip. A part without an answer is ErrUnavailable,
	// never "absent".
	State(ctx context.Context, q Query) (State, error)
}

// Query says what to read. Empty parts are not read.
type Query struct {
	SessionID, Subject, TokenID string
	// Everybody reads the global epoch too.
	Everybody bool
	// Strong sees every write that was answered before.
	Strong bool
}

// State is the stored state of a token.
type State struct {
	// Session is the token's session with the fields that decide: subject and times. HasSession says
	// whether there is one.
	Session    Session
	HasSession bool
	// Account is the subject's; zero when there is none.
	Account Account
	// TokenRevoked: the token's id was revoked.
	TokenRevoked bool
	// NotBefore is the global epoch, zero when there was none or it was not asked for.
	NotBefore time.Time
}

// Rotation is the next generation of a session.
type Rotation struct {
	SessionID, Subject string
	// Presented is the generation of the refresh token.
	Presented int64
	// ID is unique to this call.
	ID string
	// At is now, and IdleUntil the new idle end.
	At, IdleUntil time.Time
}

// Ending is the end of one session.
type Ending struct {
	SessionID string
	// Subject, unless empty, must be the owner of the session.
	Subject string
	Reason  Reason
	At      time.Time
}

// TokenRevocation revokes one access token.
type TokenRevocation struct {
	// TokenID is the token's jti.
	TokenID string
	// ExpiresAt is when the token expires, from the token itself.
	ExpiresAt time.Time
	Reason    Reason
}
