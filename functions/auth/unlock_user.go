package auth

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
)

type userUnlocker interface {
	Unlock(ctx context.Context, id string) error
}

// UnlockUser resets the failed attempts of a user and answers 204; 404 when there is no such user.
func UnlockUser(users userUnlocker) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := users.Unlock(r.Context(), r.PathValue("id")); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
}
