package jwt

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tienda-dev/tienda/shared/identity"
)

// errClaims is the cause of every refusal of claims that golang-jwt would let pass.
var errClaims = errors.New("claims are not as we mint them")

// registered are the claims of every token that we mint. Times are seconds since the epoch; zero
// is absent. It implements jwt.Claims.
type registered struct {
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"`
	Audience  []string `json:"aud"`
	IssuedAt  int64    `json:"iat"`
	NotBefore int64    `json:"nbf,omitempty"`
	ExpiresAt int64    `json:"exp"`
	ID        string   `json:"jti"`
	SessionID string   `json:"sid,omitempty"`
}

// target returns where the claim is decoded to and a bit of its own, or nil for a name that is
// none of these.
func (c *registered) target(name []byte) (dst any, bit uint32) {
	switch string(name) {
	case "iss":
		return &c.Issuer, 1 << 0
	case "sub":
		return &c.Subject, 1 << 1
	case "aud":
		return &c.Audience, 1 << 2
	case "iat":
		return (*seconds)(&c.IssuedAt), 1 << 3
	case "nbf":
		return (*seconds)(&c.NotBefore), 1 << 4
	case "exp":
		return (*seconds)(&c.ExpiresAt), 1 << 5
	case "jti":
		return &c.ID, 1 << 6
	case "sid":
		return &c.SessionID, 1 << 7
	default:
		return nil, 0
	}
}

// validate checks what golang-jwt does not know to ask for.
func (c *registered) validate(maxLife time.Duration) error {
	switch life := c.ExpiresAt - c.IssuedAt; {
	case c.ID == "" || len(c.ID) > maxName || !word(c.ID):
		return fmt.Errorf("%w: jti", errClaims)
	case len(c.Audience) != 1:
		return fmt.Errorf("%w: aud must be one", errClaims)
	// Without an iat this is a life of decades.
	case life <= 0 || life > int64(maxLife/time.Second):
		return fmt.Errorf("%w: lifetime", errClaims)
	}
	return nil
}

// The methods of jwt.Claims; golang-jwt takes a nil date as absent.

// GetExpirationTime implements jwt.Claims.
func (c *registered) GetExpirationTime() (*jwt.NumericDate, error) {
	return numericDate(c.ExpiresAt), nil
}

// GetIssuedAt implements jwt.Claims.
func (c *registered) GetIssuedAt() (*jwt.NumericDate, error) { return numericDate(c.IssuedAt), nil }

// GetNotBefore implements jwt.Claims.
func (c *registered) GetNotBefore() (*jwt.NumericDate, error) { return numericDate(c.NotBefore), nil }

// GetIssuer implements jwt.Claims.
func (c *registered) GetIssuer() (string, error) { return c.Issuer, nil }

// GetSubject implements jwt.Claims.
func (c *registered) GetSubject() (string, error) { return c.Subject, nil }

// GetAudience implements jwt.Claims.
func (c *registered) GetAudience() (jwt.ClaimStrings, error) { return c.Audience, nil }

func numericDate(sec int64) *jwt.NumericDate {
	if sec == 0 {
		return nil
	}
	return &jwt.NumericDate{Time: time.Unix(sec, 0)}
}

// claims is the claim set of an access token (RFC 9068 section 2.2).
type claims struct {
	registered

	ClientID string   `json:"client_id,omitempty"`
	Scope    string   `json:"scope,omitempty"`
	Roles    []string `json:"roles,omitempty"`
	// AuthzVersion counts the changes of the subject's roles; a claim of ours.
	AuthzVersion int64    `json:"authz_ver,omitempty"`
	AuthTime     int64    `json:"auth_time,omitempty"`
	AMR          []string `json:"amr,omitempty"`
	// IssuedAtMS is iat in milliseconds; a claim of ours.
	IssuedAtMS int64 `json:"iat_ms,omitempty"`
}

func (c *claims) target(name []byte) (dst any, bit uint32) {
	switch string(name) {
	case "client_id":
		return &c.ClientID, 1 << 8
	case "scope":
		return &c.Scope, 1 << 9
	case "roles":
		return &c.Roles, 1 << 10
	case "authz_ver":
		return (*number)(&c.AuthzVersion), 1 << 11
	case "auth_time":
		return (*seconds)(&c.AuthTime), 1 << 12
	case "amr":
		return &c.AMR, 1 << 13
	case "iat_ms":
		return (*number)(&c.IssuedAtMS), 1 << 14
	default:
		return c.registered.target(name)
	}
}

// UnmarshalJSON implements json.Unmarshaler; see decode.
func (c *claims) UnmarshalJSON(data []byte) error { return decode(data, c.target) }

// Validate implements jwt.ClaimsValidator.
func (c *claims) Validate() error {
	if err := c.validate(MaxTTL); err != nil {
		return err
	}
	if c.IssuedAtMS != 0 && c.IssuedAtMS/1000 != c.IssuedAt {
		return fmt.Errorf("%w: iat_ms is not iat", errClaims)
	}
	return checkIdentity(c.identity())
}

func (c *claims) identity() identity.Identity {
	issued := date(c.IssuedAt)
	if c.IssuedAtMS != 0 {
		issued = time.UnixMilli(c.IssuedAtMS).UTC()
	}
	return identity.Identity{
		Subject:      c.Subject,
		SessionID:    c.SessionID,
		ClientID:     c.ClientID,
		Roles:        c.Roles,
		Scopes:       strings.Fields(c.Scope),
		AuthTime:     date(c.AuthTime),
		AMR:          c.AMR,
		TokenID:      c.ID,
		IssuedAt:     issued,
		AuthzVersion: c.AuthzVersion,
		ExpiresAt:    date(c.ExpiresAt),
	}
}

// checkIdentity refuses what could not be handed on as the authorizer's flat strings.
func checkIdentity(id identity.Identity) error {
	if id.Subject == "" {
		return fmt.Errorf("%w: no sub", errClaims)
	}
	if !names(id.Subject, id.SessionID, id.ClientID) {
		return fmt.Errorf("%w: sub, sid and client_id must be printable and at most %d bytes", errClaims, maxName)
	}
	for _, words := range [...][]string{id.Roles, id.Scopes, id.AMR} {
		for _, s := range words {
			if s == "" || len(s) > maxName || !word(s) {
				return fmt.Errorf("%w: roles, scopes and amr must be words of ASCII, at most %d bytes", errClaims, maxName)
			}
		}
	}
	if id.AuthzVersion < 0 || id.AuthzVersion > maxNumber {
		return fmt.Errorf("%w: authz_ver", errClaims)
	}
	return nil
}

// maxName bounds a subject, session, client, role, scope or id, in bytes.
const maxName = 256

// names reports whether each of list is short enough, valid UTF-8 and without control characters
// and line separators.
func names(list ...string) bool {
	for _, s := range list {
		if len(s) > maxName || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool {
			return r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029'
		}) {
			return false
		}
	}
	return true
}

// word reports whether s has nothing but visible ASCII: a list of such words survives being
// joined with spaces and split again.
func word(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

func date(sec int64) time.Time {
	if sec == 0 {
		return time.Time{}
	}
	return time.Unix(sec, 0).UTC()
}
