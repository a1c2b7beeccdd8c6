package auth

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/logging"
)

// The values of the field logging.KeyAccountEvent of a security event. No line carries an address or a
// secret.
const (
	// rolesSet: the roles of a user have changed, or may have (logging.OutcomeUnknown).
	rolesSet = "account_roles_set"
	// loggedOut: an admin has ended the sessions of a user.
	loggedOut = "account_logged_out"
	// unlocked: an admin has reset the failed attempts of a user, or may have (logging.OutcomeUnknown).
	unlocked = "account_unlocked"
	// lockedOut: after a failed attempt the next one must wait.
	lockedOut = "account_locked"
)

// logEvent writes a security event, with the subject of the request's access token, if there is one.
func logEvent(ctx context.Context, event string, fields ...zap.Field) {
	fields = append([]zap.Field{zap.String(logging.KeyAccountEvent, event)}, fields...)
	if by, ok := identity.From(ctx); ok {
		fields = append(fields, zap.String(logging.KeyBy, by.Subject))
	}
	logging.From(ctx).Warn(logging.MessageSecurityEvent, fields...)
}

// logLocked logs a failure that makes the next attempt wait, and who must wait. Attempts during the wait
// are not logged, so that there is one line per wait.
func logLocked(ctx context.Context, f Failures, who zap.Field) {
	if wait := Wait(f.Count); wait > 0 {
		logEvent(ctx, lockedOut, who, zap.Int64(logging.KeyFailures, f.Count), zap.Int64(logging.KeyWaitSeconds, int64(wait/time.Second)))
	}
}
