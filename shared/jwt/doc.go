// Package jwt mints and verifies tokens: compact JWS. Access tokens have the form of RFC 9068 (which
// requires RS256 among the algorithms); refresh tokens are for the token endpoint only. Each kind has its
// own header type, audience and keys. Keys are of HS256 by default; EdDSA, ES256 and RS256 are configured
// with the keys, and PublicKeys publishes them.
//
// We mint every token that we accept, so a verifier compares a token's header with the exact
// bytes that each of its keys produces, and checks the signature, before it parses any JSON. That
// settles algorithm confusion, "crit", "b64", "jku", "jwk", key id injection and repeated header
// members in one map lookup. github.com/golang-jwt/jwt/v5 then validates the claims with every option that
// its defaults leave open. The signature has one spelling, and so have the names of the claims.
package jwt
