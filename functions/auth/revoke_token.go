package auth

import (
	"context"
	"net/http"
	"time"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/jwt"
	"github.com/tienda-dev/tienda/shared/session"
)

type tokenRevoker interface {
	RevokeToken(ctx context.Context, tokenID string, expires time.Time, reason session.Reason) error
	RevokeRefresh(ctx context.Context, token jwt.Refresh) error
}

// verifyRefresh reads a refresh token (jwt.RefreshVerifier.Verify with newer keys looked up).
type verifyRefresh func(ctx context.Context, token string) (jwt.Refresh, error)

// RevokeToken revokes a token and answers 200 with an empty body, also for text that is unknown, expired
// or not a token at all (RFC 7009). A refresh token ends its session with all access tokens; an access
// token is revoked alone. The token itself is the credential: clients have no other here.
func RevokeToken(verify verifyToken, refresh verifyRefresh, sessions tokenRevoker) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		form, err := decodeTokenForm(r)
		if err != nil {
			return err
		}

		// The kinds have different keys, so the hint is not needed.
		if id, verifyErr := verify(r.Context(), form.Token); verifyErr == nil {
			err = sessions.RevokeToken(r.Context(), id.TokenID, id.ExpiresAt, session.Client)
		} else if token, verifyErr := refresh(r.Context(), form.Token); verifyErr == nil {
			err = sessions.RevokeRefresh(r.Context(), token)
		}
		if err != nil {
			return err
		}
		noStore(w)
		w.WriteHeader(http.StatusOK)
		return nil
	}
}
