package jwt

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tienda-dev/tienda/shared/clock"
	"github.com/tienda-dev/tienda/shared/identity"
)

const (
	// DefaultTTL is how long an access token lives unless Config says otherwise.
	DefaultTTL = 15 * time.Minute
	// MaxTTL is the longest life that may be configured, and that a verifier accepts.
	MaxTTL = time.Hour
	// Leeway is how far the signer's clock may be ahead of the verifier's: a token is accepted that
	// long before its "iat" and "nbf". Its "exp" has none, so that every reader means the same by it.
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
	// TTL is the life of a token in whole seconds, up to MaxTTL. 0 is DefaultTTL. Only a Signer
	// uses it.
	TTL time.Duration `env:"TOKEN_TTL"`
}

func (c Config) validate() error {
	switch {
	case strings.TrimSpace(c.Issuer) == "":
		return errors.New("jwt: TOKEN_ISSUER is empty")
	case strings.TrimSpace(c.Audience) == "":
		return errors.New("jwt: TOKEN_AUDIENCE is empty")
	case c.TTL < 0 || c.TTL > MaxTTL || c.TTL%time.Second != 0:
		return fmt.Errorf("jwt: TOKEN_TTL of %v is not whole seconds up to %v", c.TTL, MaxTTL)
	}
	return nil
}

// Signer mints access tokens with the active key. It is safe for concurrent use.
type Signer struct {
	cfg    Config
	key    *key
	header string
	clock  func() time.Time
}

// NewSigner returns a signer. It refuses an empty issuer or audience, a TTL out of range, keys
// that ParseKeys did not make or whose active key is a public one, and a nil clock.
func NewSigner(cfg Config, keys Keys, now func() time.Time) (*Signer, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if err := canSign(keys); err != nil {
		return nil, err
	}
	if now == nil {
		return nil, errors.New("jwt: a signer needs a clock")
	}
	if cfg.TTL == 0 {
		cfg.TTL = DefaultTTL
	}
	return &Signer{cfg: cfg, key: keys.active, header: keys.active.header(typeAccess), clock: clock.Wall(now)}, nil
}

// canSign returns an error unless the active key can.
func canSign(keys Keys) error {
	switch {
	case keys.active == nil:
		return errors.New("jwt: a signer needs keys")
	case keys.active.sign == nil:
		return fmt.Errorf("%w: the active key %q is a public key, which verifies and cannot sign", ErrKeys, keys.active.id)
	}
	return nil
}

// Sign mints an access token for the caller and returns when it expires. It fills in token id,
// key id, time of issue and expiry itself; of id it takes the time of issue only where that is
// later than the clock, by Leeway at most: a login that follows a logout everywhere must be
// younger than it, also when another machine's clock is ahead.
//
// It fails for a caller without a subject, and for names that the authorizer could not hand on:
// with control characters, roles or scopes with spaces, or too many to fit MaxToken.
func (s *Signer) Sign(id identity.Identity) (token string, expires time.Time, err error) {
	if err := checkIdentity(id); err != nil {
		return "", time.Time{}, fmt.Errorf("jwt: sign: %w", err)
	}
	now := s.clock()
	if id.IssuedAt.After(now) {
		if id.IssuedAt.Sub(now) > Leeway {
			return "", time.Time{}, fmt.Errorf("jwt: sign: a time of issue that is more than %v ahead", Leeway)
		}
		now = id.IssuedAt
	}

	expires = now.Truncate(time.Second).Add(s.cfg.TTL).UTC()
	c := &claims{
		registered: registered{
			Issuer:    s.cfg.Issuer,
			Subject:   id.Subject,
			Audience:  []string{s.cfg.Audience},
			IssuedAt:  now.Unix(),
			NotBefore: now.Unix(),
			ExpiresAt: expires.Unix(),
			ID:        rand.Text(), // 130 random bits
			SessionID: id.SessionID,
		},
		ClientID:     id.ClientID,
		Scope:        strings.Join(id.Scopes, " "),
		Roles:        id.Roles,
		AuthzVersion: id.AuthzVersion,
		AMR:          id.AMR,
		IssuedAtMS:   now.UnixMilli(),
	}
	if !id.AuthTime.IsZero() {
		c.AuthTime = id.AuthTime.Unix()
	}
	token, err = s.key.mint(s.header, c)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("jwt: sign: %w", err)
	}
	return token, expires, nil
}
