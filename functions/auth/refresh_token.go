package auth

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/problem"
	"github.com/tienda-dev/tienda/shared/session"
)

type tokenRefresher interface {
	Refresh(ctx context.Context, refreshToken string, lookup session.UserLookup) (session.Tokens, error)
}

type refreshTokenRequest struct {
	RefreshToken string `json:"refresh_token"`
}

// Validate implements api.Validator.
func (in refreshTokenRequest) Validate() []problem.FieldError {
	var r rules
	r.required("/refresh_token", in.RefreshToken)
	return r.broken
}

// RefreshToken exchanges a refresh token and answers 200 with new tokens; 400 invalid_grant for one that
// is not accepted. The old token is then used up: within the retry window it gets the same successor again, as long as
// that is unused; any other use ends the session.
func RefreshToken(sessions tokenRefresher, users session.UserLookup) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		in, err := api.Decode[refreshTokenRequest](r)
		if err != nil {
			return err
		}

		tokens, err := sessions.Refresh(r.Context(), in.RefreshToken, users)
		if err != nil {
			return err
		}
		return writeTokens(w, tokens)
	}
}
