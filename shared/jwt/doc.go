// Package jwt mints and verifies the tokens: compact JWS. Access tokens are shaped as RFC 9068
// says (which itself demands that RS256 be one of the algorithms); refresh tokens are for the token
// endpoint only. Each kind has its own header type, audience and keys. Keys are of HS256 by
// default; EdDSA, ES256 and RS256 are a matter of the keys' configuration, and PublicKeys publishes
// them.
//
// We mint every token that we accept, so a verifier compares a token's header with the exact
// bytes that each of its keys produces, and checks the signature, before it parses any JSON. That
// settles algorithm confusion, "crit", "b64", "jku", "jwk", key id injection and repeated header
// members in one map lookup. github.com/golang-jwt/jwt/v5 then decodes the payload strictly and
// validates it, on claims of our own decoding, with every option that its defaults leave open but
// WithValidMethods: only its ParseWithClaims reads that, and the exact header bytes stand in for it. A
// token has one spelling: no other text with the same meaning is accepted.
package jwt
