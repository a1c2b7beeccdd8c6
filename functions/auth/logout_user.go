package auth

import (
	"context"
	"net/http"

	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/session"
)

type userFinder interface {
	User(ctx context.Context, id string) (User, error)
}

// LogoutUser ends every session of a user and answers 204, also the second time; 404 when there is no
// such user.
func LogoutUser(users userFinder, sessions allSessionsEnder) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		u, err := users.User(r.Context(), r.PathValue("id"))
		if err != nil {
			return err
		}
		if _, err := sessions.RevokeAll(r.Context(), u.ID, session.Admin); err != nil {
			return err
		}
		logEvent(r.Context(), loggedOut, zap.String(logging.KeySubject, u.ID))
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
}
