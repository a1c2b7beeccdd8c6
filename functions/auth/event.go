package auth

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/logging"
)

// What is told of accounts, in the field logging.KeyAccountEvent of a security event. No line carries an
// address or a secret.
const (
	// rolesSet: the roles of a user are other ones, or may be (logging.OutcomeUnknown).
	rolesSet = "account_roles_set"
	// loggedOut: an admin has ended the sessions of a user.
	loggedOut = "account_logged_out"
	// unlocked: an admin has let a user try again at once.
	unlocked = "account_unlocked"
	// lockedOut: after a failed attempt the next one must wait.
	lockedOut = "account_locked"
)

// tell writes a line of its own for whoever watches over accounts, with the subject of the access token
// that brought it about, if one did.
func tell(ctx context.Context, event string, fields ...zap.Field) {
	fields = append([]zap.Field{zap.String(logging.KeyAccountEvent, event)}, fields...)
	if by, ok := identity.From(ctx); ok {
		fields = append(fields, zap.String(logging.KeyBy, by.Subject))
	}
	logging.From(ctx).Warn(logging.MessageSecurityEvent, fields...)
}

// tellLocked tells of a failure that makes the next attempt wait, and who is about to wait. Attempts
// during the wait tell nothing, so that the lines are as few as the waits.
func tellLocked(ctx context.Context, f Failures, who zap.Field) {
	if wait := Wait(f.Count); wait > 0 {
		tell(ctx, lockedOut, who, zap.Int64(logging.KeyFailures, f.Count), zap.Int64(logging.KeyWaitSeconds, int64(wait/time.Second)))
	}
}
