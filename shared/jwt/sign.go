package jwt

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tienda-dev/tienda/shared/identity"
)

const (
	// DefaultTTL is how long an access token lives unless Config says otherwise.
	DefaultTTL = 15 * time.Minute
	// MaxTTL is the longest life that may be configured, and that a verifier accepts.
	MaxTTL = time.Hour
	// Leeway is how far the clocks of signer and verifier may differ.
	Leeway = 5 * time.Second
	// MaxToken is the length in bytes above which a token is not looked at.
	MaxToken = 4096
)

// Config says whose tokens they are and for whom. Signer and Verifier need the same.
type Config struct {
	// Issuer is the exact "iss". Required: an empty one would switch the check off.
	Issuer string `env:"TOKEN_ISSUER,required"`
	// Audience is the exact and only "aud". Required.
	Audience string `env:"TOKEN_AUDIENCE,required"`
	// TTL is the life of a token, up to MaxTTL. 0 is DefaultTTL.
	TTL time.Duration
}

func (c Config) validate() error {
	switch {
	case strings.TrimSpace(c.Issuer) == "":
		return errors.New("jwt: TOKEN_ISSUER is empty")
	case strings.TrimSpace(c.Audience) == "":
		return errors.New("jwt: TOKEN_AUDIENCE is empty")
	case c.TTL < 0 || c.TTL > MaxTTL || c.TTL%time.Second != 0:
		return fmt.Errorf("jwt: a token's life of %v is not whole seconds up to %v", c.TTL, MaxTTL)
	}
	return nil
}

// Signer mints access tokens with the active key. It is safe for concurrent use.
type Signer struct {
	cfg   Config
	key   *key
	clock func() time.Time
}

// NewSigner returns a signer. It refuses an empty issuer or audience, a TTL out of range, keys
// that ParseKeys did not make, and a nil clock.
func NewSigner(cfg Config, keys Keys, clock func() time.Time) (*Signer, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if keys.active == nil || clock == nil {
		return nil, errors.New("jwt: a signer needs keys and a clock")
	}
	if cfg.TTL == 0 {
		cfg.TTL = DefaultTTL
	}
	return &Signer{cfg: cfg, key: keys.active, clock: clock}, nil
}

// Sign mints an access token for the caller and returns when it expires. id.ExpiresAt is not
// used. It fails for a caller without a subject, and for names that the authorizer could not hand
// on: with control characters, roles or scopes with spaces, or too many to fit MaxToken.
func (s *Signer) Sign(id identity.Identity) (token string, expires time.Time, err error) {
	if err := checkIdentity(id); err != nil {
		return "", time.Time{}, fmt.Errorf("jwt: sign: %w", err)
	}

	now := s.clock()
	expires = now.Truncate(time.Second).Add(s.cfg.TTL).UTC()
	c := &claims{
		Issuer:    s.cfg.Issuer,
		Subject:   id.Subject,
		Audience:  []string{s.cfg.Audience},
		ClientID:  id.ClientID,
		IssuedAt:  now.Unix(),
		NotBefore: now.Unix(),
		ExpiresAt: expires.Unix(),
		ID:        rand.Text(), // 130 random bits
		SessionID: id.SessionID,
		Scope:     strings.Join(id.Scopes, " "),
		Roles:     id.Roles,
	}
	if !id.AuthTime.IsZero() {
		c.AuthTime = id.AuthTime.Unix()
	}

	unsigned := jwt.NewWithClaims(s.key.method, c)
	unsigned.Header = s.key.header(typeAccess)
	token, err = unsigned.SignedString(s.key.sign)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("jwt: sign: %w", err)
	}
	if len(token) > MaxToken {
		return "", time.Time{}, fmt.Errorf("jwt: sign: a token of %d bytes is longer than %d", len(token), MaxToken)
	}
	return token, expires, nil
}
