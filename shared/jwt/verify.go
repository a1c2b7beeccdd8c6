package jwt

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tienda-dev/tienda/shared/clock"
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
//
// It remembers who a token named for VerifiedFor at most, so that the requests of one client do not verify one token
// again and again. The token's times hold for each of them. Keys never change within a Verifier: who makes another one
// for other keys, as for a revocation, starts without a memory.
type Verifier struct {
	tokens   *tokens
	verified verifiedTokens
}

// NewVerifier returns a verifier that accepts the tokens of every key that is not revoked. It
// refuses an empty issuer or audience, keys that ParseKeys did not make, and a nil clock.
func NewVerifier(cfg Config, keys Keys, clock func() time.Time) (*Verifier, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	t, err := newTokens(typeAccess, keys, clock, jwt.WithIssuer(cfg.Issuer), jwt.WithAudience(cfg.Audience), jwt.WithNotBeforeRequired())
	if err != nil {
		return nil, err
	}
	return &Verifier{tokens: t}, nil
}

// Verify returns the caller that the token names. Every error is an *Error.
func (v *Verifier) Verify(token string) (identity.Identity, error) {
	if len(token) > MaxToken {
		return identity.Identity{}, errLength
	}
	hash := tokenHash(sha256.Sum256([]byte(token)))
	if id, ok := v.verified.find(hash, v.tokens.clock()); ok {
		return id, nil
	}
	var c claims
	kid, err := v.tokens.verify(token, &c)
	if err != nil {
		return identity.Identity{}, err
	}
	id := c.identity()
	id.KeyID = kid
	v.verified.add(hash, id, v.tokens.clock())
	return id, nil
}

// tokens checks the tokens of one kind.
type tokens struct {
	keys      map[string]*key // by header segment
	validator *jwt.Validator
	clock     func() time.Time
}

func newTokens(typ string, keys Keys, now func() time.Time, options ...jwt.ParserOption) (*tokens, error) {
	if len(keys.usable) == 0 || now == nil {
		return nil, errors.New("jwt: a verifier needs keys and a clock")
	}
	wall := clock.Wall(now)
	options = append(options,
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(Leeway),
		jwt.WithTimeFunc(wall),
	)
	return &tokens{keys: keys.byHeader(typ), validator: jwt.NewValidator(options...), clock: wall}, nil
}

// verify decodes the token into claims and returns the id of the key that signed it. It reads no claim
// before it has checked the signature.
func (t *tokens) verify(token string, claims jwt.Claims) (kid string, err error) {
	if len(token) > MaxToken {
		return "", errLength
	}
	header, rest, _ := strings.Cut(token, ".")
	k, ok := t.keys[header]
	if !ok {
		return "", errHeader
	}
	payload, signature, _ := strings.Cut(rest, ".")
	// The decoder skips line ends. In a signature of exact length there is no room for any.
	if len(signature) != k.sigLen || payload == "" || strings.IndexByte(payload, '\n') >= 0 || strings.IndexByte(payload, '\r') >= 0 {
		return "", errSegments
	}
	decoded, err := base64.RawURLEncoding.Strict().DecodeString(signature)
	if err != nil {
		return "", errSegments
	}
	if k.check(token[:len(header)+1+len(payload)], decoded) != nil {
		return "", errSignature
	}

	// golang-jwt's ParseWithClaims would check the signature again and decode the header, which is known
	// byte for byte. These are its other steps.
	text, err := base64.RawURLEncoding.Strict().DecodeString(payload)
	if err == nil {
		err = decode(text, claims)
	}
	if err == nil {
		err = t.validator.Validate(claims)
	}
	if err == nil {
		err = t.unexpired(claims)
	}
	if err != nil {
		return "", &Error{outcomeOf(err), err}
	}
	return k.id, nil
}

// unexpired compares the expiry without the leeway, which golang-jwt applies to all times.
func (t *tokens) unexpired(claims jwt.Claims) error {
	end, err := claims.GetExpirationTime()
	if err == nil && !t.clock().Before(end.Time) { // it is there: golang-jwt has required it
		err = jwt.ErrTokenExpired
	}
	return err
}

// outcomeOf classifies an error about a token whose signature is good. A token that is expired and has
// another fault gets the outcome of the other fault: a fresh token would not help.
func outcomeOf(err error) identity.Outcome {
	if !errors.Is(err, jwt.ErrTokenExpired) {
		return identity.InvalidClaims
	}
	for _, other := range [...]error{
		errClaims, // among others when it was issued after it expired
		jwt.ErrTokenInvalidIssuer, jwt.ErrTokenInvalidAudience, jwt.ErrTokenRequiredClaimMissing, jwt.ErrTokenNotValidYet,
	} {
		if errors.Is(err, other) {
			return identity.InvalidClaims
		}
	}
	return identity.TokenExpired
}
