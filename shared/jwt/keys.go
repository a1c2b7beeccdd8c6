package jwt

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

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
	// Revoked does nothing: its tokens are refused at once. It keeps its id from being used again.
	Revoked Status = "revoked"
)

// The algorithms of a key.
const (
	// HS256 is the default: whoever verifies could also sign.
	HS256 = "HS256"
	// EdDSA is Ed25519 (RFC 8037).
	EdDSA = "EdDSA"
	// ES256 is ECDSA on P-256. It is randomised, so it cannot sign refresh tokens.
	ES256 = "ES256"
	// RS256 is RSA with PKCS #1 v1.5, from 2048 to 4096 bits. RFC 9068 asks for it.
	RS256 = "RS256"
)

const (
	// The header's typ of each kind of token (RFC 9068 section 2.1; RFC 8725 section 3.11).
	typeAccess  = "at+jwt"
	typeRefresh = "rt+jwt"
	// minKey is the key length in bytes below which HS256 is not what it says (RFC 7518 3.2).
	minKey = 32
	// maxKeyID is far above any sensible key id; every token carries it.
	maxKeyID = 64
)

// ErrKeys is returned for a secret that is no usable set of keys. The errors name a key by its
// id and never show its bytes.
var ErrKeys = errors.New("jwt: not a usable set of token keys")

// Keys is a set of keys: one signs, all verify. It is immutable; its zero value has no keys.
type Keys struct {
	active *key
	usable []*key // every key that is not revoked, in the secret's order
}

// key is one algorithm with its keys, in the form that golang-jwt wants. What is secret is behind
// functions, because fmt follows pointers and does not call functions: a Keys or a Signer that is
// printed by mistake shows none of it.
type key struct {
	id     string
	method jwt.SigningMethod
	sign   func() any // nil for a key that only verifies
	verify func() any
	sigLen int // of the signature segment, in base64url characters
	// seed is the secret part as bytes, for deriving from it; nil for a key that only verifies.
	seed func() []byte
	// public is what may be published; nil for HS256.
	public *JWK
}

// ParseKeys reads a token-keys secret: a JSON list of keys, or one key,
//
//	{"kid":"2026-11","alg":"HS256","status":"active","key":"…"}
//
// where alg is HS256, EdDSA, ES256 or RS256 and status is next, active, retiring or revoked. For
// HS256, key is base64url of at least 32 bytes or, failing that, at least 32 bytes of text. For
// the others it is a string with one PEM block (PKCS #8, PKCS #1, SEC 1 or PKIX) or a JWK object
// (RFC 7517); a public key is enough where nothing is signed. A revoked key needs no bytes.
//
// ParseKeys returns ErrKeys for a weak or malformed key, one that does not fit its algorithm, a
// repeated or malformed kid, another algorithm or status, and unless exactly one key is active.
func ParseKeys(secretJSON []byte) (Keys, error) {
	specs, err := secrets.List[struct {
		ID     string          `json:"kid"`
		Alg    string          `json:"alg"`
		Status Status          `json:"status"`
		Key    json.RawMessage `json:"key"`
	}](secretJSON)
	if err != nil {
		return Keys{}, fmt.Errorf("%w: %w", ErrKeys, err)
	}

	var keys Keys
	ids := make(map[string]bool, len(specs))
	for i, spec := range specs {
		if !validKeyID(spec.ID) {
			return Keys{}, fmt.Errorf("%w: key %d: kid must be 1 to %d characters of A-Z a-z 0-9 . _ -", ErrKeys, i, maxKeyID)
		}
		if ids[spec.ID] {
			return Keys{}, fmt.Errorf("%w: kid %q appears twice", ErrKeys, spec.ID)
		}
		ids[spec.ID] = true

		switch spec.Status {
		case Active, Next, Retiring:
		case Revoked:
			continue
		default:
			return Keys{}, fmt.Errorf("%w: key %q: status must be next, active, retiring or revoked", ErrKeys, spec.ID)
		}
		k, err := parseKey(spec.ID, spec.Alg, spec.Key)
		if err != nil {
			return Keys{}, fmt.Errorf("%w: key %q: %w", ErrKeys, spec.ID, err)
		}
		keys.usable = append(keys.usable, k)
		if spec.Status != Active {
			continue
		}
		if keys.active != nil {
			return Keys{}, fmt.Errorf("%w: keys %q and %q are both active", ErrKeys, keys.active.id, spec.ID)
		}
		keys.active = k
	}
	if keys.active == nil {
		return Keys{}, fmt.Errorf("%w: no key is active", ErrKeys)
	}
	return keys, nil
}

// Separate returns an error when a key of one set is also in the other: whoever may verify access
// tokens must not be able to mint refresh tokens.
func Separate(access, refresh Keys) error {
	for _, a := range access.usable {
		for _, r := range refresh.usable {
			if a.same(r) {
				return fmt.Errorf("%w: access key %q and refresh key %q are one key; each kind of token needs its own", ErrKeys, a.id, r.id)
			}
		}
	}
	return nil
}

// byHeader returns the keys by the header segment of the tokens of kind typ that they sign.
func (k Keys) byHeader(typ string) map[string]*key {
	m := make(map[string]*key, len(k.usable))
	for _, one := range k.usable {
		m[one.header(typ)] = one
	}
	return m
}

// header returns the JOSE header of the tokens of kind typ that the key signs, as it appears in
// them, byte for byte. Algorithm, key id and kind need no escaping in JSON.
func (k *key) header(typ string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"` + k.method.Alg() + `","kid":"` + k.id + `","typ":"` + typ + `"}`))
}

// mint returns the token with the claims under the header segment of the key.
func (k *key) mint(header string, claims any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signed := header + "." + base64.RawURLEncoding.EncodeToString(payload)
	signature, err := k.method.Sign(signed, k.sign())
	if err != nil {
		return "", err
	}
	if k.method.Alg() == ES256 {
		lowS(signature)
	}
	token := signed + "." + base64.RawURLEncoding.EncodeToString(signature)
	if len(token) > MaxToken {
		return "", fmt.Errorf("a token of %d bytes is longer than %d", len(token), MaxToken)
	}
	return token, nil
}

// check verifies a signature over signed.
func (k *key) check(signed string, signature []byte) error {
	if k.method.Alg() == ES256 && !isLowS(signature) {
		return errHighS
	}
	return k.method.Verify(signed, signature, k.verify())
}

// hide puts a value where fmt does not find it.
func hide[T any](v T) func() T { return func() T { return v } }

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
