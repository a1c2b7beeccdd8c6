package auth

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/jwt"
)

// jwksMaxAge is how long clients may cache the keys: shorter than a key is "next" before it signs.
const jwksMaxAge = "public, max-age=300"

// GetJwks answers 200 with the public keys of access tokens (RFC 7517); none of them with HS256.
func GetJwks(keys func(context.Context) jwt.JWKS) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Cache-Control", jwksMaxAge)
		return api.Write(w, http.StatusOK, keys(r.Context()))
	}
}
