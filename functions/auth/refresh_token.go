package auth

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/jwt"
	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/shared/problem"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimithttp"
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

// RefreshToken exchanges a refresh token and answers 200 with new tokens; 400 invalid_grant for one that is not
// accepted. The old token is then used up: within the retry window it gets the same successor again, as long as that
// is unused; any other use ends the session.
//
// It answers 429 for a session that is refreshed too often, before the token is used up. read verifies a refresh
// token; limit counts sessions.
func RefreshToken(sessions tokenRefresher, users session.UserLookup, read func(context.Context, string) (jwt.Refresh, error), limit ratelimit.Limiter) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		in, err := api.Decode[refreshTokenRequest](r)
		if err != nil {
			return err
		}

		// A token that is not valid costs its session nothing, and is refused below.
		if token, err := read(r.Context(), in.RefreshToken); err == nil {
			counted, err := limit.Take(r.Context(), ratelimit.NewSubject(string(policy.BySession), token.SessionID), 1)
			if err == nil {
				err = ratelimithttp.Deny(counted)
			}
			if err != nil {
				return err
			}
		}

		tokens, err := sessions.Refresh(r.Context(), in.RefreshToken, users)
		if err != nil {
			return err
		}
		metrics.From(r.Context()).TokenIssued(r.Context(), "refresh")
		return writeTokens(w, tokens)
	}
}
