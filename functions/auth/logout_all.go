package auth

import (
	"context"
	"net/http"
	"time"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/session"
)

type allSessionsEnder interface {
	RevokeAll(ctx context.Context, subject string, reason session.Reason) (time.Time, error)
}

// LogoutAll ends every session of the caller, this one too, and answers 204.
func LogoutAll(sessions allSessionsEnder) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if _, err := sessions.RevokeAll(r.Context(), identity.MustUserID(r.Context()), session.Logout); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
}
