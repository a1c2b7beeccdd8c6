package jwt

import (
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tienda-dev/tienda/shared/identity"
)

// Error says why a token was refused. Its text is for the log.
type Error struct {
	outcome identity.Outcome
	cause   error
}

// Outcome returns identity.TokenExpired, InvalidToken (not ours, or altered) or InvalidClaims
// (signed with our key, but not for us or not as we mint).
func (e *Error) Outcome() identity.Outcome { return e.outcome }

// Error returns the outcome and the cause. It shows no part of the token.
func (e *Error) Error() string { return "jwt: " + string(e.outcome) + ": " + e.cause.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// The refusals that come before any JSON is parsed.
var (
	errLength    = &Error{identity.InvalidToken, errors.New("too long")}
	errHeader    = &Error{identity.InvalidToken, errors.New("not a header of ours")}
	errSegments  = &Error{identity.InvalidToken, errors.New("not three segments of base64url")}
	errSignature = &Error{identity.InvalidToken, errors.New("signature")}
)

// Verifier checks access tokens. It is safe for concurrent use.
type Verifier struct {
	keys   map[string]*key
	parser *jwt.Parser
}

// NewVerifier returns a verifier that accepts the tokens of every key, whatever its status. It
// refuses an empty issuer or audience, keys that ParseKeys did not make, and a nil clock.
func NewVerifier(cfg Config, keys Keys, clock func() time.Time) (*Verifier, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if len(keys.byHeader) == 0 || clock == nil {
		return nil, errors.New("jwt: a verifier needs keys and a clock")
	}
	return &Verifier{
		keys: keys.byHeader,
		parser: jwt.NewParser(
			jwt.WithValidMethods([]string{algHS256}),
			jwt.WithExpirationRequired(),
			jwt.WithNotBeforeRequired(),
			jwt.WithIssuedAt(),
			jwt.WithIssuer(cfg.Issuer),
			jwt.WithAudience(cfg.Audience),
			jwt.WithStrictDecoding(),
			jwt.WithLeeway(Leeway),
			jwt.WithTimeFunc(clock),
		),
	}, nil
}

// Verify returns the caller that the token names. Every error is an *Error.
func (v *Verifier) Verify(token string) (identity.Identity, error) {
	if len(token) > MaxToken {
		return identity.Identity{}, errLength
	}
	header, rest, _ := strings.Cut(token, ".")
	k, ok := v.keys[header]
	if !ok {
		return identity.Identity{}, errHeader
	}
	payload, signature, _ := strings.Cut(rest, ".")
	// The decoder skips line ends; the exact length leaves no room for any.
	if len(signature) != k.sigLen || !allBase64URL(payload) {
		return identity.Identity{}, errSegments
	}
	decoded, err := base64.RawURLEncoding.Strict().DecodeString(signature)
	if err != nil {
		return identity.Identity{}, errSegments
	}
	if k.method.Verify(token[:len(header)+1+len(payload)], decoded, k.verify) != nil {
		return identity.Identity{}, errSignature
	}

	var c claims
	if _, err := v.parser.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return k.verify, nil }); err != nil {
		return identity.Identity{}, &Error{outcomeOf(err), err}
	}
	return c.identity(), nil
}

// outcomeOf classifies an error of golang-jwt about a token whose signature is good. A token that
// is expired and something else too is the other thing: a fresh one would not help.
func outcomeOf(err error) identity.Outcome {
	if !errors.Is(err, jwt.ErrTokenExpired) {
		return identity.InvalidClaims
	}
	for _, other := range [...]error{
		errClaims, jwt.ErrTokenInvalidIssuer, jwt.ErrTokenInvalidAudience, jwt.ErrTokenRequiredClaimMissing,
		jwt.ErrTokenNotValidYet, jwt.ErrTokenUsedBeforeIssued,
	} {
		if errors.Is(err, other) {
			return identity.InvalidClaims
		}
	}
	return identity.TokenExpired
}

func allBase64URL(s string) bool {
	for i := range len(s) {
		if !isBase64URL(s[i]) {
			return false
		}
	}
	return s != ""
}
