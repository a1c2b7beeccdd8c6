package auth

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/session"
)

// verifyToken checks an access token by itself (jwt.Verifier.Verify with newer keys looked up).
type verifyToken func(ctx context.Context, token string) (identity.Identity, error)

type revocationChecker interface {
	Check(ctx context.Context, id identity.Identity, class identity.Revocation) error
}

// introspection is RFC 7662's answer for a valid token. Times are seconds since the epoch.
type introspection struct {
	Active    bool     `json:"active"`
	Scope     string   `json:"scope,omitempty"`
	ClientID  string   `json:"client_id,omitempty"`
	TokenType string   `json:"token_type"`
	Subject   string   `json:"sub"`
	TokenID   string   `json:"jti"`
	SessionID string   `json:"sid,omitempty"`
	Roles     []string `json:"roles"`
	IssuedAt  int64    `json:"iat"`
	ExpiresAt int64    `json:"exp"`
}

// inactive is the answer for any other token.
type inactive struct {
	Active bool `json:"active"`
}

// IntrospectToken answers 200 with the claims of an access token that a consistent read finds valid, and
// with {"active":false} for everything else (RFC 7662). Refresh tokens are for the token endpoint only
// and are not active here.
func IntrospectToken(verify verifyToken, sessions revocationChecker) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		form, err := decodeTokenForm(r)
		if err != nil {
			return err
		}

		noStore(w)
		id, err := verify(r.Context(), form.Token)
		if err != nil {
			return api.Write(w, http.StatusOK, inactive{})
		}
		switch err := sessions.Check(r.Context(), id, identity.Strict); {
		case errors.Is(err, session.ErrRevoked):
			return api.Write(w, http.StatusOK, inactive{})
		case err != nil:
			return err
		}
		return api.Write(w, http.StatusOK, introspection{
			Active: true, Scope: strings.Join(id.Scopes, " "), ClientID: id.ClientID, TokenType: "Bearer",
			Subject: id.Subject, TokenID: id.TokenID, SessionID: id.SessionID, Roles: append([]string{}, id.Roles...),
			IssuedAt: id.IssuedAt.Unix(), ExpiresAt: id.ExpiresAt.Unix(),
		})
	}
}
