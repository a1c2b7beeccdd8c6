package auth

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/session"
)

type ownSessionEnder interface {
	RevokeOwn(ctx context.Context, subject, sessionID string) error
}

// RevokeSession ends one of the caller's sessions and answers 204, also the second time; 404 for a session
// that is not the caller's.
func RevokeSession(sessions ownSessionEnder) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, ok := api.ULID(r.PathValue("id"))
		if !ok {
			return session.ErrNotFound
		}
		if err := sessions.RevokeOwn(r.Context(), identity.MustUserID(r.Context()), id); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
}
