package jwt

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"slices"
)

// JWKS is a JWK set (RFC 7517 section 5), as others fetch it to verify access tokens.
type JWKS struct {
	// Keys are the public keys; may be empty.
	//
	// It is never nil in what PublicKeys returns.
	Keys []JWK `json:"keys"`
}

// JWK is a public key of a JWKS (RFC 7517 section 4, RFC 7518 section 6, RFC 8037). Numbers are
// base64url.
type JWK struct {
	// Type is OKP, EC or RSA.
	Type string `json:"kty"`
	// Use is the purpose of the key: sig.
	Use string `json:"use"`
	// Alg is the one algorithm that the key is for.
	Alg string `json:"alg"`
	// KeyID is the "kid" in the header of the tokens.
	KeyID string `json:"kid"`
	// Curve is Ed25519 or P-256.
	Curve string `json:"crv,omitempty"`
	// X and Y are the point.
	X string `json:"x,omitempty"`
	// Y is absent for Ed25519.
	Y string `json:"y,omitempty"`
	// N and E are RSA's modulus and exponent.
	N string `json:"n,omitempty"`
	// E is RSA's exponent.
	E string `json:"e,omitempty"`
}

const (
	useSignature = "sig"
	typeOKP      = "OKP"
	typeEC       = "EC"
	typeRSA      = "RSA"
	curveEd25519 = "Ed25519"
	curveP256    = "P-256"
)

// PublicKeys returns what others need to verify the tokens: the public part of every key that is
// next, active or retiring. Keys of HS256 have none, so with them alone the set is empty.
func PublicKeys(keys Keys) JWKS {
	set := JWKS{Keys: []JWK{}}
	for _, k := range keys.usable {
		if k.public != nil {
			set.Keys = append(set.Keys, *k.public)
		}
	}
	return set
}

// parseJWK reads a private or public JWK. What it says about itself must agree with what the
// secret says: kid, alg, and that it is for signatures.
func parseJWK(id, alg string, raw json.RawMessage) (any, error) {
	var w struct {
		JWK

		KeyOps []string `json:"key_ops"`
		D      string   `json:"d"`
		P      string   `json:"p"`
		Q      string   `json:"q"`
	}
	if len(raw) == 0 || raw[0] != '{' || json.Unmarshal(raw, &w) != nil {
		return nil, errMaterial
	}
	switch {
	case w.KeyID != "" && w.KeyID != id:
		return nil, errors.New("the JWK has another kid")
	case w.Alg != "" && w.Alg != alg:
		return nil, errors.New("the JWK has another alg")
	case w.Use != "" && w.Use != useSignature:
		return nil, errors.New("the JWK is not for signatures")
	case w.KeyOps != nil && !slices.Contains(w.KeyOps, "sign") && !slices.Contains(w.KeyOps, "verify"):
		return nil, errors.New("the JWK is not for signatures")
	}

	var n numbers
	x, y, d := n.read(w.X), n.read(w.Y), n.read(w.D)
	modulus, e, p, q := n.read(w.N), n.read(w.E), n.read(w.P), n.read(w.Q)
	if n.bad {
		return nil, errMaterial
	}
	switch {
	case w.Type == typeOKP && w.Curve == curveEd25519:
		return edKey(x, d)
	case w.Type == typeEC && w.Curve == curveP256:
		return ecKey(x, y, d)
	case w.Type == typeRSA:
		return rsaKey(modulus, e, d, p, q)
	default:
		return nil, errMaterial
	}
}

// numbers decodes base64url strictly and remembers whether one was not.
type numbers struct{ bad bool }

func (n *numbers) read(s string) []byte {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	n.bad = n.bad || err != nil
	return b
}

func edKey(x, d []byte) (any, error) {
	if len(x) != ed25519.PublicKeySize {
		return nil, errMaterial
	}
	if len(d) == 0 {
		return ed25519.PublicKey(x), nil
	}
	if len(d) != ed25519.SeedSize {
		return nil, errMaterial
	}
	private := ed25519.NewKeyFromSeed(d)
	if !ed25519.PublicKey(x).Equal(private.Public()) {
		return nil, errMaterial
	}
	return private, nil
}

func ecKey(x, y, d []byte) (any, error) {
	if len(x) != sizeES256 || len(y) != sizeES256 {
		return nil, errMaterial
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, x, y))
	if err != nil {
		return nil, errMaterial
	}
	if len(d) == 0 {
		return public, nil
	}
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d)
	if err != nil || !public.Equal(&private.PublicKey) {
		return nil, errMaterial
	}
	return private, nil
}

func rsaKey(n, e, d, p, q []byte) (any, error) {
	if len(n) == 0 || len(n) > maxRSA/8 || len(e) == 0 || len(e) > 4 {
		return nil, errMaterial
	}
	public := rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
	if len(d) == 0 {
		return &public, nil
	}
	if len(d) > len(n) || len(p) == 0 || len(p) > len(n) || len(q) == 0 || len(q) > len(n) {
		return nil, errMaterial
	}
	private := &rsa.PrivateKey{
		PublicKey: public,
		D:         new(big.Int).SetBytes(d),
		Primes:    []*big.Int{new(big.Int).SetBytes(p), new(big.Int).SetBytes(q)},
	}
	if private.Validate() != nil {
		return nil, errMaterial
	}
	private.Precompute()
	return private, nil
}

// exponent returns e without leading zeros (RFC 7518 section 2, Base64urlUInt).
func exponent(e int) []byte { return big.NewInt(int64(e)).Bytes() }
