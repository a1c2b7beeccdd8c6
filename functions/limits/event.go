package limits

import (
	"context"

	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/logging"
)

// limitsReset is the value of the field logging.KeyLimitsEvent of a security event: an admin has reset limits, or may
// have (logging.OutcomeUnknown).
const limitsReset = "limits_reset"

// logReset logs the reset with the user or the session that it helped. It never logs an address.
func logReset(ctx context.Context, t target, err error) {
	policies := []string{}
	for _, limiter := range t.limiters {
		for _, p := range limiter.Policies() {
			policies = append(policies, p.Name)
		}
	}
	fields := []zap.Field{
		zap.String(logging.KeyLimitsEvent, limitsReset), zap.String(logging.KeyRateClass, string(t.class)),
		zap.Strings(logging.KeyRatePolicies, policies),
	}
	if t.userID != "" {
		fields = append(fields, zap.String(logging.KeySubject, t.userID))
	}
	if t.sessionID != "" {
		fields = append(fields, zap.String(logging.KeySessionID, t.sessionID))
	}
	if err != nil {
		fields = append(fields, zap.String(logging.KeyOutcome, logging.OutcomeUnknown))
	}
	if by, ok := identity.From(ctx); ok {
		fields = append(fields, zap.String(logging.KeyBy, by.Subject))
	}
	logging.From(ctx).Warn(logging.MessageSecurityEvent, fields...)
}
