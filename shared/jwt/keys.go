package jwt

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tienda-dev/tienda/shared/secrets"
)

// Status is a key's place in its rotation: next, then active, then retiring.
type Status string

// The statuses. A key is published as next to every verifier before it becomes active, and stays
// as retiring until the last token that it signed has expired.
const (
	// Next verifies and does not sign yet.
	Next Status = "next"
	// Active signs and verifies. Exactly one key is active.
	Active Status = "active"
	// Retiring verifies and does not sign any more.
	Retiring Status = "retiring"
)

const (
	algHS256 = "HS256"
	// typeAccess is the header's typ (RFC 9068 section 2.1). Another kind of token gets another.
	typeAccess = "at+jwt"
	// minKey is the key length in bytes below which HS256 is not what it says (RFC 7518 3.2).
	minKey = 32
	// maxKeyID is far above any sensible key id; it stands in every token.
	maxKeyID = 64
)

// ErrKeys is returned for a secret that is no usable set of keys. The errors name a key by its
// id and never show its bytes.
var ErrKeys = errors.New("jwt: not a usable set of token keys")

// Keys is a set of keys: one signs, all verify. It is immutable; its zero value has no keys.
type Keys struct {
	active   *key
	byHeader map[string]*key // by the base64url header segment of the tokens it signs
}

// key is one algorithm with its keys, in the form that golang-jwt wants.
type key struct {
	id     string
	method jwt.SigningMethod
	sign   any
	verify any
	sigLen int // of the signature segment, in base64url characters
}

// ParseKeys reads a token-keys secret: a JSON list of keys, or one key,
//
//	{"kid":"2026-11","alg":"HS256","status":"active","key":"…"}
//
// where key is base64url of at least 32 bytes or, failing that, at least 32 bytes of text. It
// returns ErrKeys for a weak key, a repeated or malformed kid, another algorithm or status, and
// unless exactly one key is active.
func ParseKeys(secretJSON []byte) (Keys, error) {
	specs, err := secrets.List[struct {
		ID     string `json:"kid"`
		Alg    string `json:"alg"`
		Status Status `json:"status"`
		Key    string `json:"key"`
	}](secretJSON)
	if err != nil {
		return Keys{}, fmt.Errorf("%w: %w", ErrKeys, err)
	}

	keys := Keys{byHeader: make(map[string]*key, len(specs))}
	for i, spec := range specs {
		if !validKeyID(spec.ID) {
			return Keys{}, fmt.Errorf("%w: key %d: kid must be 1 to %d characters of A-Z a-z 0-9 . _ -", ErrKeys, i, maxKeyID)
		}
		if spec.Alg != algHS256 {
			return Keys{}, fmt.Errorf("%w: key %q: alg must be %s", ErrKeys, spec.ID, algHS256)
		}
		secret := keyBytes(spec.Key)
		if len(secret) < minKey {
			return Keys{}, fmt.Errorf("%w: key %q is shorter than %d bytes", ErrKeys, spec.ID, minKey)
		}

		k := &key{
			id:     spec.ID,
			method: jwt.SigningMethodHS256,
			sign:   secret,
			verify: secret,
			sigLen: base64.RawURLEncoding.EncodedLen(jwt.SigningMethodHS256.Hash.Size()),
		}
		segment, err := k.headerSegment(typeAccess)
		if err != nil {
			return Keys{}, fmt.Errorf("%w: key %q: %w", ErrKeys, spec.ID, err)
		}
		if _, repeated := keys.byHeader[segment]; repeated {
			return Keys{}, fmt.Errorf("%w: kid %q stands twice", ErrKeys, spec.ID)
		}
		keys.byHeader[segment] = k

		switch spec.Status {
		case Active:
			if keys.active != nil {
				return Keys{}, fmt.Errorf("%w: keys %q and %q are both active", ErrKeys, keys.active.id, spec.ID)
			}
			keys.active = k
		case Next, Retiring:
		default:
			return Keys{}, fmt.Errorf("%w: key %q: status must be next, active or retiring", ErrKeys, spec.ID)
		}
	}
	if keys.active == nil {
		return Keys{}, fmt.Errorf("%w: no key is active", ErrKeys)
	}
	return keys, nil
}

// header returns the JOSE header of the tokens of kind typ that the key signs.
func (k *key) header(typ string) map[string]any {
	return map[string]any{"alg": k.method.Alg(), "kid": k.id, "typ": typ}
}

// headerSegment returns the header as it stands in the token, byte for byte.
func (k *key) headerSegment(typ string) (string, error) {
	data, err := json.Marshal(k.header(typ))
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(data), nil
}

// keyBytes decodes base64url, with or without padding, and takes anything else as it is. Text
// that decodes to too little counts as text.
func keyBytes(s string) []byte {
	if decoded, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "=")); err == nil && len(decoded) >= minKey {
		return decoded
	}
	return []byte(s)
}

func validKeyID(id string) bool {
	if id == "" || len(id) > maxKeyID {
		return false
	}
	for i := range len(id) {
		if c := id[i]; !isBase64URL(c) && c != '.' {
			return false
		}
	}
	return true
}

func isBase64URL(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}
