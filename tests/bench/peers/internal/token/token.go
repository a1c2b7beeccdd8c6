// Package token verifies access tokens with golang-jwt.
package token

import (
	"errors"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// Verifier verifies access tokens of HS256. It is safe for concurrent use.
type Verifier struct {
	parser *jwt.Parser
	key    any
}

// New returns a verifier with the key's bytes, and the issuer and audience that a token must have. It refuses an empty
// one of the three.
func New(key, issuer, audience string) (*Verifier, error) {
	if key == "" || issuer == "" || audience == "" {
		return nil, errors.New("token: JWT_SECRET, TOKEN_ISSUER and TOKEN_AUDIENCE must be set")
	}
	return &Verifier{
		// https://pkg.go.dev/github.com/golang-jwt/jwt/v5#ParserOption
		parser: jwt.NewParser(
			jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
			jwt.WithIssuer(issuer), jwt.WithAudience(audience), jwt.WithExpirationRequired(),
		),
		key: []byte(key), // https://pkg.go.dev/github.com/golang-jwt/jwt/v5#SigningMethodHMAC
	}, nil
}

// Verify returns the claims of the token in the value of an Authorization header.
func (v *Verifier) Verify(authorization string) (jwt.RegisteredClaims, error) {
	text, ok := strings.CutPrefix(authorization, "Bearer ")
	if !ok {
		return jwt.RegisteredClaims{}, errors.New("token: not a bearer token")
	}
	var claims jwt.RegisteredClaims
	// https://pkg.go.dev/github.com/golang-jwt/jwt/v5#example-ParseWithClaims-ValidationOptions
	_, err := v.parser.ParseWithClaims(text, &claims, func(*jwt.Token) (any, error) { return v.key, nil })
	return claims, err
}
