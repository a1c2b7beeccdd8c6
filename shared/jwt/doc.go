// Package jwt mints and verifies the access tokens: compact JWS with HS256, shaped as RFC 9068
// says (which itself demands an asymmetric algorithm).
//
// We mint every token that we accept, so the verifier compares a token's header with the exact
// bytes that each of its keys produces, and checks the signature, before it parses any JSON. That
// settles algorithm confusion, "crit", "b64", "jku", "jwk", key id injection and repeated header
// members in one map lookup. github.com/golang-jwt/jwt/v5 then checks the whole token once more,
// with every option that its defaults leave open, on claims that are decoded strictly.
package jwt
