package jwt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tienda-dev/tienda/shared/identity"
)

// errClaims is the cause of every refusal of claims that golang-jwt would accept.
var errClaims = errors.New("claims are not as we mint them")

// decode decodes a claim set, and refuses what encoding/json would guess at: a name in another spelling
// ("EXP", "roleſ", "\u0072oles"), a repeated one, null, and bytes that are not UTF-8. Claims with other
// names are ignored: a newer signer may add some.
func decode(payload []byte, claims jwt.Claims) error {
	if !utf8.Valid(payload) || json.Unmarshal(payload, claims) != nil || payload[0] != '{' {
		return fmt.Errorf("%w: JSON", errClaims)
	}
	return checkNames(payload)
}

// checkNames checks the names and the nulls of a JSON object. Its members are at depth 1, where an n outside
// a string begins a null. text is valid JSON.
func checkNames(text []byte) error {
	var seen [][]byte
	depth, atName := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '{' || c == '[':
			depth++
			atName = c == '{'
		case c == '}' || c == ']':
			depth--
		case c == ',':
			atName = true
		case c == 'n' && depth == 1:
			return fmt.Errorf("%w: null", errClaims)
		case c == '"':
			start := i + 1
			for i = start; text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
			if depth != 1 || !atName {
				continue
			}
			name := text[start:i]
			if len(bytes.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_")) > 0 ||
				slices.ContainsFunc(seen, func(other []byte) bool { return bytes.Equal(name, other) }) {
				return fmt.Errorf("%w: the name of a claim", errClaims)
			}
			seen, atName = append(seen, name), false
		}
	}
	return nil
}

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

// validate checks the rules that golang-jwt has no option for.
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

// checkIdentity refuses text that the authorizer could not pass on in its flat strings.
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

const (
	// maxName bounds a subject, session, client, role, scope or id, in bytes.
	maxName = 256
	// maxNumber is the largest integer that every JSON decoder reads exactly (RFC 8259 section 6).
	maxNumber = 1<<53 - 1
)

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

// word reports whether s has nothing but visible ASCII: a list of such words can be joined with spaces
// and split again.
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
