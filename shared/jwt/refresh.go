package jwt

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// MaxRefreshTTL is the longest life of a refresh token that is minted or accepted.
const MaxRefreshTTL = 365 * 24 * time.Hour

// RefreshConfig says whose refresh tokens they are and for whom: the token endpoint, which is the
// only one to read them.
type RefreshConfig struct {
	// Issuer is the exact "iss". Required.
	Issuer string `env:"TOKEN_ISSUER,required"`
	// Audience is the exact and only "aud". Required, and not the access tokens'.
	Audience string `env:"REFRESH_AUDIENCE,required"`
}

func (c RefreshConfig) validate() error {
	switch {
	case strings.TrimSpace(c.Issuer) == "":
		return errors.New("jwt: TOKEN_ISSUER is empty")
	case strings.TrimSpace(c.Audience) == "":
		return errors.New("jwt: REFRESH_AUDIENCE is empty")
	}
	return nil
}

// Refresh is what a refresh token says: which step of which session it is.
type Refresh struct {
	// Subject is the user ("sub").
	Subject string
	// SessionID is the session ("sid").
	SessionID string
	// Generation counts the rotations of the session's refresh token, from 0.
	Generation int64
	// IssuedAt and ExpiresAt bound its life, in whole seconds; fractions are cut off.
	IssuedAt, ExpiresAt time.Time
}

// refreshClaims is the claim set of a refresh token.
type refreshClaims struct {
	registered

	Generation int64 `json:"gen"`
}

// noGeneration marks a claim set without gen.
const noGeneration = -1

// Validate implements jwt.ClaimsValidator.
func (c *refreshClaims) Validate() error {
	if err := c.validate(MaxRefreshTTL); err != nil {
		return err
	}
	return c.refresh().validate()
}

func (c *refreshClaims) refresh() Refresh {
	return Refresh{
		Subject:    c.Subject,
		SessionID:  c.SessionID,
		Generation: c.Generation,
		IssuedAt:   date(c.IssuedAt),
		ExpiresAt:  date(c.ExpiresAt),
	}
}

func (r Refresh) validate() error {
	switch {
	case r.Subject == "" || r.SessionID == "" || !names(r.Subject, r.SessionID):
		return fmt.Errorf("%w: sub and sid must be there, printable and at most %d bytes", errClaims, maxName)
	case r.Generation < 0 || r.Generation > maxNumber:
		return fmt.Errorf("%w: gen", errClaims)
	}
	return nil
}

// RefreshSigner mints refresh tokens with the active key. Equal input gives the same token, byte
// for byte: a client that lost an answer gets that answer again, and no second one beside it. It
// is safe for concurrent use.
type RefreshSigner struct {
	cfg    RefreshConfig
	key    *key
	header string
	idKey  func() []byte // see hide
}

// NewRefreshSigner returns a signer. It refuses an empty issuer or audience, keys that ParseKeys
// did not make or whose active key is a public one, and an active key of ES256, which never signs
// twice alike.
func NewRefreshSigner(cfg RefreshConfig, keys Keys) (*RefreshSigner, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if err := canSign(keys); err != nil {
		return nil, err
	}
	k := keys.active
	if k.method.Alg() == ES256 {
		return nil, fmt.Errorf("%w: the active refresh key %q is for %s, which signs differently each time: a repeated refresh must give the same token, so use %s, %s or %s",
			ErrKeys, k.id, ES256, HS256, EdDSA, RS256)
	}
	derive := hmac.New(sha256.New, k.seed())
	derive.Write([]byte("tienda refresh token id"))
	return &RefreshSigner{cfg: cfg, key: k, header: k.header(typeRefresh), idKey: hide(derive.Sum(nil))}, nil
}

// Sign mints the refresh token. It fails without subject or session, for a negative generation,
// and for a life that is not positive or longer than MaxRefreshTTL.
func (s *RefreshSigner) Sign(r Refresh) (string, error) {
	if err := r.validate(); err != nil {
		return "", fmt.Errorf("jwt: sign refresh token: %w", err)
	}
	c := &refreshClaims{
		registered: registered{
			Issuer:    s.cfg.Issuer,
			Subject:   r.Subject,
			Audience:  []string{s.cfg.Audience},
			IssuedAt:  r.IssuedAt.Unix(),
			ExpiresAt: r.ExpiresAt.Unix(),
			ID:        s.id(r.SessionID, r.Generation),
			SessionID: r.SessionID,
		},
		Generation: r.Generation,
	}
	if err := c.Validate(); err != nil {
		return "", fmt.Errorf("jwt: sign refresh token: %w", err)
	}
	token, err := s.key.mint(s.header, c)
	if err != nil {
		return "", fmt.Errorf("jwt: sign refresh token: %w", err)
	}
	return token, nil
}

// id returns the token's "jti": of its place in the session, and not to be guessed from it.
func (s *RefreshSigner) id(session string, generation int64) string {
	const bytes = 18 // 144 bits, without a rest in base64
	mac := hmac.New(sha256.New, s.idKey())
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(generation)))
	mac.Write([]byte(session))
	return base64URL(mac.Sum(nil)[:bytes])
}

// RefreshVerifier checks refresh tokens. It is safe for concurrent use.
type RefreshVerifier struct{ tokens *tokens }

// NewRefreshVerifier returns a verifier that accepts the tokens of every key that is not revoked.
// It refuses an empty issuer or audience, keys that ParseKeys did not make, and a nil clock.
func NewRefreshVerifier(cfg RefreshConfig, keys Keys, clock func() time.Time) (*RefreshVerifier, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	t, err := newTokens(typeRefresh, keys, clock, jwt.WithIssuer(cfg.Issuer), jwt.WithAudience(cfg.Audience))
	if err != nil {
		return nil, err
	}
	return &RefreshVerifier{tokens: t}, nil
}

// Verify returns what the token says. It does not check the session. Every
// error is an *Error.
func (v *RefreshVerifier) Verify(token string) (Refresh, error) {
	c := refreshClaims{Generation: noGeneration}
	if _, err := v.tokens.verify(token, &c); err != nil {
		return Refresh{}, err
	}
	return c.refresh(), nil
}
