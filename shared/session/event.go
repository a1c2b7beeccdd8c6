package session

// EventKind is what happened.
type EventKind string

// The events.
const (
	// Started: a login.
	Started EventKind = "session_started"
	// Refreshed: the next generation of tokens.
	Refreshed EventKind = "session_refreshed"
	// Retried: a refresh token that had just been replaced got the same successor again.
	Retried EventKind = "session_refresh_retried"
	// Late: a refresh was repeated after the retry window, and its successor was never used: most likely by a
	// client whose answer was lost. The session ends, because it may have been a thief.
	Late EventKind = "session_refresh_late"
	// Reused: a refresh token was presented after its successor had been used, by its owner or a thief; the
	// session ends. There is one event per presentation, whether or not the write gets its answer.
	Reused EventKind = "session_refresh_reused"
	// Forged: a well-signed refresh token from a generation that never was, or of another
	// subject. The signing key has leaked, or the table was restored from a backup.
	Forged EventKind = "session_refresh_forged"
	// Revoked: a session was ended.
	Revoked EventKind = "session_revoked"
	// AllRevoked: all sessions of a subject were ended; with an empty subject, all there are.
	AllRevoked EventKind = "session_all_revoked"
	// TokenRevoked: one access token was taken back.
	TokenRevoked EventKind = "session_token_revoked"
)

// Security reports whether such an event should be investigated.
func (k EventKind) Security() bool { return k == Reused || k == Forged }

// Event is something that happened to a session. It carries no token.
type Event struct {
	Kind EventKind
	// SessionID and Subject say to what; either may be empty.
	SessionID, Subject string
	// Reason is why something was revoked.
	Reason Reason
	// Presented is the generation of the refresh token, Current the session's. Of refreshes only.
	Presented, Current int64
}
