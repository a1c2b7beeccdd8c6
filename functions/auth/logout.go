package auth

import (
	"context"
	"net/http"
	"time"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/session"
)

type sessionEnder interface {
	Revoke(ctx context.Context, sessionID string, reason session.Reason) error
	RevokeToken(ctx context.Context, tokenID string, expires time.Time, reason session.Reason) error
}

// Logout ends the session of the access token and answers 204: its refresh token and its access tokens
// are no longer valid. A machine's token has no session, and is revoked alone.
func Logout(sessions sessionEnder) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		caller, _ := identity.From(r.Context())
		var err error
		if caller.SessionID != "" {
			err = sessions.Revoke(r.Context(), caller.SessionID, session.Logout)
		} else {
			err = sessions.RevokeToken(r.Context(), caller.TokenID, caller.ExpiresAt, session.Logout)
		}
		if err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
}
