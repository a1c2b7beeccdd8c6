package jwt

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// The sizes of an RSA modulus in bits. A larger one makes tokens that fit nowhere.
const (
	minRSA = 2048
	maxRSA = 4096
)

// errMaterial is what an error says about bytes that it must not show.
var errMaterial = errors.New("the key is neither a JWK nor one PEM block of a key of its algorithm")

// parseKey reads the bytes of a key. Its errors do not show them.
func parseKey(id, alg string, raw json.RawMessage) (*key, error) {
	k := &key{id: id}
	if alg == HS256 {
		if err := k.setSecret(raw); err != nil {
			return nil, err
		}
		return k, nil
	}

	switch alg {
	case EdDSA, ES256, RS256:
	default:
		return nil, fmt.Errorf("alg must be %s, %s, %s or %s", HS256, EdDSA, ES256, RS256)
	}
	var material any
	var err error
	if text, isText := jsonText(raw); isText {
		material, err = parsePEM(text)
	} else {
		material, err = parseJWK(id, alg, raw)
	}
	if err != nil {
		return nil, err
	}
	if err := k.setPair(alg, material); err != nil {
		return nil, err
	}
	return k, nil
}

// setSecret makes it a key of HS256.
func (k *key) setSecret(raw json.RawMessage) error {
	text, ok := jsonText(raw)
	if !ok {
		return errors.New("the key must be a string")
	}
	secret := keyBytes(text)
	if len(secret) < minKey {
		return fmt.Errorf("the key is shorter than %d bytes", minKey)
	}
	k.method, k.sign, k.verify, k.seed = jwt.SigningMethodHS256, hide[any](secret), hide[any](secret), hide(secret)
	k.sigLen = encodedLen(jwt.SigningMethodHS256.Hash.Size())
	return nil
}

// setPair makes it a key of alg with material, a private or public key of the standard library.
func (k *key) setPair(alg string, material any) error {
	var got string
	switch m := material.(type) {
	case ed25519.PrivateKey:
		k.sign, k.seed, material = hide[any](m), hide(m.Seed()), m.Public()
	case *ecdsa.PrivateKey:
		if m.Curve != elliptic.P256() {
			return errors.New("ES256 needs a key on P-256")
		}
		seed, err := m.Bytes()
		if err != nil {
			return errMaterial
		}
		k.sign, k.seed, material = hide[any](m), hide(seed), &m.PublicKey
	case *rsa.PrivateKey: // validated where it was parsed
		k.sign, k.seed, material = hide[any](m), hide(m.D.Bytes()), &m.PublicKey
	}

	public := JWK{Alg: alg, KeyID: k.id, Use: useSignature}
	switch m := material.(type) {
	case ed25519.PublicKey:
		got, k.method, k.sigLen = EdDSA, jwt.SigningMethodEdDSA, encodedLen(ed25519.SignatureSize)
		public.Type, public.Curve, public.X = typeOKP, curveEd25519, base64URL(m)
	case *ecdsa.PublicKey:
		if m.Curve != elliptic.P256() {
			return errors.New("ES256 needs a key on P-256")
		}
		point, err := m.Bytes() // 4, x, y
		if err != nil {
			return errMaterial
		}
		got, k.method, k.sigLen = ES256, jwt.SigningMethodES256, encodedLen(2*sizeES256)
		public.Type, public.Curve = typeEC, curveP256
		public.X, public.Y = base64URL(point[1:1+sizeES256]), base64URL(point[1+sizeES256:])
	case *rsa.PublicKey:
		if n := m.N.BitLen(); n < minRSA || n > maxRSA || m.E < 65537 || m.E%2 == 0 {
			return fmt.Errorf("RS256 needs a modulus of %d to %d bits and an odd exponent from 65537", minRSA, maxRSA)
		}
		got, k.method, k.sigLen = RS256, jwt.SigningMethodRS256, encodedLen(m.Size())
		public.Type, public.N, public.E = typeRSA, base64URL(m.N.Bytes()), base64URL(exponent(m.E))
	}
	if got != alg {
		return fmt.Errorf("the key is not one for %s", alg)
	}
	k.verify, k.public = hide(material), &public
	return nil
}

// same reports whether both are the same key, whatever they are called.
func (k *key) same(other *key) bool {
	if k.public == nil || other.public == nil {
		return k.public == nil && other.public == nil && subtle.ConstantTimeCompare(k.seed(), other.seed()) == 1
	}
	a, b := *k.public, *other.public
	a.KeyID, b.KeyID = "", ""
	return a == b
}

// parsePEM reads a string with exactly one PEM block.
func parsePEM(text string) (any, error) {
	block, rest := pem.Decode([]byte(text))
	if block == nil || len(block.Headers) > 0 || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errMaterial
	}
	var material any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		material, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		material, err = x509.ParseECPrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		material, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "PUBLIC KEY":
		material, err = x509.ParsePKIXPublicKey(block.Bytes)
	default:
		return nil, errMaterial
	}
	if err != nil {
		return nil, errMaterial
	}
	return material, nil
}

// jsonText returns the string that raw is, and false when it is something else.
func jsonText(raw json.RawMessage) (string, bool) {
	if len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	var s string
	err := json.Unmarshal(raw, &s)
	return s, err == nil
}

// keyBytes decodes base64url, with or without padding, and takes anything else as it is. Text
// that decodes to too little counts as text.
func keyBytes(s string) []byte {
	if decoded, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "=")); err == nil && len(decoded) >= minKey {
		return decoded
	}
	return []byte(s)
}

func encodedLen(n int) int { return base64.RawURLEncoding.EncodedLen(n) }

func base64URL(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
