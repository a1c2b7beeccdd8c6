package middleware

import (
	"errors"
	"net/http"
	"time"

	"github.com/tienda-dev/tienda/shared/identity"
)

// JWTAuthenticator takes the caller from the claims that API Gateway's JWT authorizer has verified, and from nowhere
// else. read turns the claims of a provider into a caller; with an error, or without a subject, the token is refused.
// It checks the token's expiry (exp) again. A request that carries credentials which no authorizer looked at is an
// error: the route is wired wrong. now is the clock.
func JWTAuthenticator(read func(identity.Claims) (identity.Identity, error), now func() time.Time) Authenticator {
	return func(r *http.Request) (identity.Annotation, error) {
		claims, ok := identity.ClaimsFrom(r.Context())
		if !ok {
			if r.Header.Get("Authorization") != "" {
				return identity.Annotation{}, errors.New("credentials were sent to a route without a JWT authorizer")
			}
			return identity.Annotation{Outcome: identity.Anonymous}, nil
		}
		if !now().Round(0).Before(claims.Time("exp")) {
			return identity.Annotation{Outcome: identity.TokenExpired}, nil
		}
		caller, err := read(claims)
		if err != nil || caller.Subject == "" {
			return identity.Annotation{Outcome: identity.InvalidClaims}, nil //nolint:nilerr // the caller's fault
		}
		return identity.Annotation{Outcome: identity.OK, Identity: caller}, nil
	}
}
