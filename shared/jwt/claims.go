package jwt

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tienda-dev/tienda/shared/identity"
)

// errClaims is the cause of every refusal of claims that golang-jwt would let pass.
var errClaims = errors.New("claims are not as we mint them")

// claims is the claim set of an access token (RFC 9068 section 2.2). Times are seconds since the
// epoch; zero is absent.
type claims struct {
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"`
	Audience  []string `json:"aud"`
	ClientID  string   `json:"client_id,omitempty"`
	IssuedAt  int64    `json:"iat"`
	NotBefore int64    `json:"nbf"`
	ExpiresAt int64    `json:"exp"`
	ID        string   `json:"jti"`
	SessionID string   `json:"sid,omitempty"`
	Scope     string   `json:"scope,omitempty"`
	Roles     []string `json:"roles,omitempty"`
	AuthTime  int64    `json:"auth_time,omitempty"`
}

// target returns where the claim is decoded to and a bit of its own, or nil for a name that is
// none of ours.
func (c *claims) target(name []byte) (dst any, bit uint16) {
	switch string(name) {
	case "iss":
		return &c.Issuer, 1 << 0
	case "sub":
		return &c.Subject, 1 << 1
	case "aud":
		return &c.Audience, 1 << 2
	case "client_id":
		return &c.ClientID, 1 << 3
	case "iat":
		return &c.IssuedAt, 1 << 4
	case "nbf":
		return &c.NotBefore, 1 << 5
	case "exp":
		return &c.ExpiresAt, 1 << 6
	case "jti":
		return &c.ID, 1 << 7
	case "sid":
		return &c.SessionID, 1 << 8
	case "scope":
		return &c.Scope, 1 << 9
	case "roles":
		return &c.Roles, 1 << 10
	case "auth_time":
		return &c.AuthTime, 1 << 11
	default:
		return nil, 0
	}
}

// maxOtherClaims bounds the work on names that we do not know.
const maxOtherClaims = 32

// UnmarshalJSON decodes strictly where encoding/json guesses: a name must be spelled exactly
// ("EXP" and "roleſ" are not other spellings of a claim), stand once, and have a value of its own
// type; times are whole seconds. Claims with other names are skipped: a newer signer may add
// some.
func (c *claims) UnmarshalJSON(data []byte) error {
	var seen uint16
	var others []string
	return members(data, func(name, value []byte) error {
		dst, bit := c.target(name)
		if dst == nil {
			if slices.Contains(others, string(name)) || len(others) == maxOtherClaims || c.almost(name) {
				return fmt.Errorf("%w: a name that is repeated or almost one of ours, or too many names", errClaims)
			}
			others = append(others, string(name))
			return nil
		}
		if seen&bit != 0 {
			return fmt.Errorf("%w: %s stands twice", errClaims, name)
		}
		seen |= bit

		var err error
		switch dst := dst.(type) {
		case *string:
			*dst, err = text(value)
		case *[]string:
			*dst, err = texts(value)
		case *int64:
			*dst, err = seconds(value)
		}
		if err != nil {
			return fmt.Errorf("%w: %s", err, name)
		}
		return nil
	})
}

// almost reports whether a decoder that ignores case would take the name for one of ours.
func (c *claims) almost(name []byte) bool {
	folded := strings.Map(fold, string(name))
	dst, _ := c.target([]byte(folded))
	return dst != nil
}

// fold maps every rune to the lower-case ASCII letter that it equals under simple folding, as
// encoding/json compares names.
func fold(r rune) rune {
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		if next >= 'a' && next <= 'z' {
			return next
		}
	}
	return r
}

// Validate implements jwt.ClaimsValidator: what golang-jwt does not know to ask for.
func (c *claims) Validate() error {
	switch lifetime := c.ExpiresAt - c.IssuedAt; {
	case c.ID == "":
		return fmt.Errorf("%w: no jti", errClaims)
	case len(c.Audience) != 1:
		return fmt.Errorf("%w: aud must be one", errClaims)
	// Without an iat this is a lifetime of decades.
	case lifetime <= 0 || lifetime > int64(MaxTTL/time.Second):
		return fmt.Errorf("%w: lifetime", errClaims)
	}
	return checkIdentity(c.identity())
}

func (c *claims) identity() identity.Identity {
	return identity.Identity{
		Subject:   c.Subject,
		SessionID: c.SessionID,
		ClientID:  c.ClientID,
		Roles:     c.Roles,
		Scopes:    strings.Fields(c.Scope),
		AuthTime:  date(c.AuthTime),
		ExpiresAt: date(c.ExpiresAt),
	}
}

// checkIdentity refuses what could not be handed on as the authorizer's flat strings.
func checkIdentity(id identity.Identity) error {
	if id.Subject == "" {
		return fmt.Errorf("%w: no sub", errClaims)
	}
	for _, s := range [...]string{id.Subject, id.SessionID, id.ClientID} {
		if len(s) > maxName || !printable(s) {
			return fmt.Errorf("%w: sub, sid and client_id must be printable and at most %d bytes", errClaims, maxName)
		}
	}
	for _, names := range [...][]string{id.Roles, id.Scopes} {
		for _, s := range names {
			if s == "" || len(s) > maxName || !word(s) {
				return fmt.Errorf("%w: roles and scopes must be words of ASCII, at most %d bytes", errClaims, maxName)
			}
		}
	}
	return nil
}

// maxName bounds a subject, session, client, role or scope, in bytes.
const maxName = 256

// printable reports whether s is valid UTF-8 without control characters and line separators.
func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029'
	})
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

// The methods of jwt.Claims; golang-jwt takes a nil date as absent.

// GetExpirationTime implements jwt.Claims.
func (c *claims) GetExpirationTime() (*jwt.NumericDate, error) { return numericDate(c.ExpiresAt), nil }

// GetIssuedAt implements jwt.Claims.
func (c *claims) GetIssuedAt() (*jwt.NumericDate, error) { return numericDate(c.IssuedAt), nil }

// GetNotBefore implements jwt.Claims.
func (c *claims) GetNotBefore() (*jwt.NumericDate, error) { return numericDate(c.NotBefore), nil }

// GetIssuer implements jwt.Claims.
func (c *claims) GetIssuer() (string, error) { return c.Issuer, nil }

// GetSubject implements jwt.Claims.
func (c *claims) GetSubject() (string, error) { return c.Subject, nil }

// GetAudience implements jwt.Claims.
func (c *claims) GetAudience() (jwt.ClaimStrings, error) { return c.Audience, nil }

func numericDate(sec int64) *jwt.NumericDate {
	if sec == 0 {
		return nil
	}
	return &jwt.NumericDate{Time: time.Unix(sec, 0)}
}

// text decodes a JSON string.
func text(value []byte) (string, error) {
	if len(value) < 2 || value[0] != '"' || !utf8.Valid(value) {
		return "", fmt.Errorf("%w: not a string", errClaims)
	}
	inner := value[1 : len(value)-1]
	if !slices.Contains(inner, '\\') {
		return string(inner), nil
	}
	var s string
	if err := json.Unmarshal(value, &s); err != nil {
		return "", fmt.Errorf("%w: not a string", errClaims)
	}
	return s, nil
}

// texts decodes a JSON list of strings.
func texts(value []byte) ([]string, error) {
	list := []string{}
	err := elements(value, func(element []byte) error {
		s, err := text(element)
		list = append(list, s)
		return err
	})
	return list, err
}

// seconds decodes a JSON number of whole seconds since the epoch, of at most eleven digits.
func seconds(value []byte) (int64, error) {
	var n int64
	for _, c := range value {
		if c < '0' || c > '9' {
			n = 0
			break
		}
		n = n*10 + int64(c-'0')
	}
	if n == 0 || len(value) > 11 || value[0] == '0' {
		return 0, fmt.Errorf("%w: not a number of seconds", errClaims)
	}
	return n, nil
}
