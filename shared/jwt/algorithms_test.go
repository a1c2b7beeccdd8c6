package jwt_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"math/big"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/jwt"
)

// pair is a private key with its public one, for one algorithm.
type pair struct {
	alg             string
	private, public any
	jwk             map[string]string // with the private members
	secret          []string          // those members' names
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// pairs are made once, because RSA keys are slow to make.
var pairs = sync.OnceValue(func() map[string]pair {
	edPublic, edPrivate, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	ec := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	point := must(ec.PublicKey.Bytes())
	rs := must(rsa.GenerateKey(rand.Reader, 2048))
	return map[string]pair{
		jwt.EdDSA: {jwt.EdDSA, edPrivate, edPublic, map[string]string{
			"kty": "OKP", "crv": "Ed25519", "x": b64(edPublic), "d": b64(edPrivate.Seed()),
		}, []string{"d"}},
		jwt.ES256: {jwt.ES256, ec, &ec.PublicKey, map[string]string{
			"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:]), "d": b64(must(ec.Bytes())),
		}, []string{"d"}},
		jwt.RS256: {jwt.RS256, rs, &rs.PublicKey, map[string]string{
			"kty": "RSA", "n": b64(rs.N.Bytes()), "e": "AQAB", "d": b64(rs.D.Bytes()), "p": b64(rs.Primes[0].Bytes()), "q": b64(rs.Primes[1].Bytes()),
		}, []string{"d", "p", "q"}},
	}
})

func pemOf(typ string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: der}))
}

// spec is a key of a secret; material is a string, or a JWK.
func spec(kid, alg, status string, material any) string {
	return string(must(json.Marshal(map[string]any{"kid": kid, "alg": alg, "status": status, "key": material})))
}

func (p pair) pkcs8() string {
	return pemOf("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(p.private)))
}

func (p pair) pkix() string { return pemOf("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(p.public))) }

// jwkWith returns the private JWK with members changed, or removed where the value is empty.
func (p pair) jwkWith(changes map[string]string) map[string]string {
	w := maps.Clone(p.jwk)
	maps.Copy(w, changes)
	maps.DeleteFunc(w, func(_, value string) bool { return value == "" })
	return w
}

func (p pair) publicJWK() map[string]string {
	changes := map[string]string{}
	for _, name := range p.secret {
		changes[name] = ""
	}
	return p.jwkWith(changes)
}

func TestPublicKeyAlgorithms(t *testing.T) {
	t.Parallel()

	for alg, p := range pairs() {
		privates := map[string]any{"PKCS8": p.pkcs8(), "JWK": p.jwk}
		switch private := p.private.(type) {
		case *ecdsa.PrivateKey:
			privates["SEC1"] = pemOf("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(private)))
		case *rsa.PrivateKey:
			privates["PKCS1"] = pemOf("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(private))
		}
		publics := map[string]any{"Private": p.pkcs8(), "PKIX": p.pkix(), "PublicJWK": p.publicJWK()}

		for signedBy, private := range privates {
			for verifiedBy, public := range publics {
				t.Run(alg+"/"+signedBy+"/"+verifiedBy, func(t *testing.T) {
					t.Parallel()
					token := mint(t, newSigner(t, cfg, spec("a", alg, "active", private), noon), alice())
					header, _, _ := strings.Cut(token, ".")
					if decoded, _ := base64.RawURLEncoding.DecodeString(header); string(decoded) != `{"alg":"`+alg+`","kid":"a","typ":"at+jwt"}` {
						t.Errorf("header %s", decoded)
					}
					verifier := newVerifier(t, cfg, spec("a", alg, "active", public), noon)
					id, err := verifier.Verify(token)
					if err != nil || id.Subject != alice().Subject || id.KeyID != "a" {
						t.Errorf("got %+v, %v", id, err)
					}
					last := token[len(token)-10]
					for _, altered := range []string{
						token[:len(token)-10] + string(last^1) + token[len(token)-9:],
						token[:len(header)+10] + string(token[len(header)+10]^1) + token[len(header)+11:],
						token + "A", token[:len(token)-1], token + "=", token[:len(token)-5] + "\n" + token[len(token)-4:],
					} {
						if _, err := verifier.Verify(altered); outcome(err) != identity.InvalidToken {
							t.Errorf("an altered token is %s: %v", outcome(err), err)
						}
					}
				})
			}
		}
	}
}

// An attacker may sign with the public key as an HS256 secret: algorithm confusion.
func TestPublicKeyIsNotASecret(t *testing.T) {
	t.Parallel()

	for alg, p := range pairs() {
		verifier := newVerifier(t, cfg, spec("a", alg, "active", p.pkix()), noon)
		token := mint(t, newSigner(t, cfg, spec("a", jwt.HS256, "active", p.pkix()), noon), alice())
		if _, err := verifier.Verify(token); outcome(err) != identity.InvalidToken {
			t.Errorf("%s: %s", alg, outcome(err))
		}
		// With the header of the public key, the signature has the wrong length or is missing.
		_, signed, _ := strings.Cut(token, ".")
		good, _, _ := strings.Cut(mint(t, newSigner(t, cfg, spec("a", alg, "active", p.pkcs8()), noon), alice()), ".")
		if _, err := verifier.Verify(good + "." + signed); outcome(err) != identity.InvalidToken {
			t.Errorf("%s under the good header: %s", alg, outcome(err))
		}
	}
}

// Rotating from HS256 to a public-key algorithm does not change the token format.
func TestRotationToAnotherAlgorithm(t *testing.T) {
	t.Parallel()

	p := pairs()[jwt.EdDSA]
	before := "[" + secretOf("a", "active", key1) + "," + spec("b", jwt.EdDSA, "next", p.pkcs8()) + "]"
	after := "[" + secretOf("a", "retiring", key1) + "," + spec("b", jwt.EdDSA, "active", p.pkcs8()) + "]"
	old, fresh := mint(t, newSigner(t, cfg, before, noon), alice()), mint(t, newSigner(t, cfg, after, noon), alice())
	for _, secret := range []string{before, after} {
		for _, token := range []string{old, fresh} {
			if _, err := newVerifier(t, cfg, secret, noon).Verify(token); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestRevokedKeyIsRefusedAtOnce(t *testing.T) {
	t.Parallel()

	token := mint(t, newSigner(t, cfg, secretOf("a", "active", key1), noon), alice())
	for name, revoked := range map[string]string{
		"WithItsBytes": secretOf("a", "revoked", key1),
		"Emptied":      `{"kid":"a","status":"revoked"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			secret := "[" + revoked + "," + secretOf("b", "active", key2) + "]"
			if _, err := newVerifier(t, cfg, secret, noon).Verify(token); outcome(err) != identity.InvalidToken {
				t.Errorf("got %s", outcome(err))
			}
			if _, err := jwt.ParseKeys([]byte("[" + revoked + "," + secretOf("a", "active", key2) + "]")); !errors.Is(err, jwt.ErrKeys) {
				t.Errorf("its id cannot be used again: %v", err)
			}
			if _, err := jwt.ParseKeys([]byte(revoked)); !errors.Is(err, jwt.ErrKeys) {
				t.Errorf("a set without an active key: %v", err)
			}
		})
	}
}

func TestJWKS(t *testing.T) {
	t.Parallel()

	encode := func(secret string) string {
		return string(must(json.Marshal(jwt.PublicKeys(parseKeys(t, secret)))))
	}
	if got := encode(secretOf("a", "active", key1)); got != `{"keys":[]}` {
		t.Errorf("HS256: %s", got)
	}
	if got := string(must(json.Marshal(jwt.PublicKeys(jwt.Keys{})))); got != `{"keys":[]}` {
		t.Errorf("no keys: %s", got)
	}

	all := pairs()
	set := jwt.PublicKeys(parseKeys(t, "["+strings.Join([]string{
		spec("ed", jwt.EdDSA, "active", all[jwt.EdDSA].pkcs8()),
		secretOf("hs", "retiring", key1),
		spec("ec", jwt.ES256, "next", all[jwt.ES256].jwk),
		spec("rs", jwt.RS256, "retiring", all[jwt.RS256].pkix()),
		spec("gone", jwt.EdDSA, "revoked", all[jwt.EdDSA].pkcs8()),
	}, ",")+"]"))
	want := []map[string]string{}
	for _, k := range []struct{ kid, alg string }{{"ed", jwt.EdDSA}, {"ec", jwt.ES256}, {"rs", jwt.RS256}} {
		w := all[k.alg].publicJWK()
		w["kid"], w["alg"], w["use"] = k.kid, k.alg, "sig"
		want = append(want, w)
	}
	var got struct{ Keys []map[string]string }
	if err := json.Unmarshal(must(json.Marshal(set)), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.Keys); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	// The published keys verify the signed tokens.
	for i, alg := range []string{jwt.EdDSA, jwt.ES256, jwt.RS256} {
		kid := set.Keys[i].KeyID
		token := mint(t, newSigner(t, cfg, spec(kid, alg, "active", all[alg].pkcs8()), noon), alice())
		if _, err := newVerifier(t, cfg, spec(kid, alg, "active", set.Keys[i]), noon).Verify(token); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
	}
}

func TestPublicKeyCannotSign(t *testing.T) {
	t.Parallel()

	for alg, p := range pairs() {
		keys := parseKeys(t, spec("only-public", alg, "active", p.pkix()))
		if _, err := jwt.NewSigner(cfg, keys, at(noon)); !errors.Is(err, jwt.ErrKeys) || !strings.Contains(err.Error(), `"only-public" is a public key`) {
			t.Errorf("%s: %v", alg, err)
		}
		if _, err := jwt.NewRefreshSigner(refreshCfg, keys); !errors.Is(err, jwt.ErrKeys) {
			t.Errorf("%s: refresh: %v", alg, err)
		}
	}
}

func TestParseKeysRefusesMaterial(t *testing.T) {
	t.Parallel()

	all := pairs()
	ed, ec, rs := all[jwt.EdDSA], all[jwt.ES256], all[jwt.RS256]
	otherEd, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p384 := must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	point := must(p384.PublicKey.Bytes())
	p384JWK := map[string]string{"kty": "EC", "crv": "P-384", "x": b64(point[1:49]), "y": b64(point[49:])}
	weak := weakRSA()
	flip := func(s string) string { // changes the first byte of a number
		b := must(base64.RawURLEncoding.DecodeString(s))
		b[0] ^= 1
		return b64(b)
	}

	for name, tt := range map[string]struct {
		alg      string
		material any
	}{
		"NoMaterial":              {jwt.EdDSA, nil},
		"Number":                  {jwt.EdDSA, 1},
		"EmptyText":               {jwt.EdDSA, ""},
		"SecretTextForEdDSA":      {jwt.EdDSA, key1},
		"HS256FromAJWK":           {jwt.HS256, map[string]string{"kty": "oct", "k": b64([]byte(key1))}},
		"SecretJWKForEdDSA":       {jwt.EdDSA, map[string]string{"kty": "oct", "k": b64([]byte(key1))}},
		"ES256KeyForEdDSA":        {jwt.EdDSA, ec.pkcs8()},
		"EdDSAKeyForES256":        {jwt.ES256, ed.pkcs8()},
		"RS256KeyForES256":        {jwt.ES256, rs.pkix()},
		"ES256KeyForRS256":        {jwt.RS256, ec.jwk},
		"PS256":                   {"PS256", rs.pkcs8()},
		"RS512":                   {"RS512", rs.pkcs8()},
		"ES384":                   {"ES384", pemOf("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(p384)))},
		"P384ForES256":            {jwt.ES256, pemOf("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(p384)))},
		"PublicP384ForES256":      {jwt.ES256, pemOf("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(&p384.PublicKey)))},
		"JWKOfP384ForES256":       {jwt.ES256, p384JWK},
		"RSA1024":                 {jwt.RS256, pemOf("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(weak)))},
		"JWKOfRSA1024":            {jwt.RS256, map[string]string{"kty": "RSA", "n": b64(weak.N.Bytes()), "e": "AQAB"}},
		"RSAExponent3":            {jwt.RS256, rs.jwkWith(map[string]string{"d": "", "p": "", "q": "", "e": "Aw"})},
		"RSAEvenExponent":         {jwt.RS256, rs.jwkWith(map[string]string{"d": "", "p": "", "q": "", "e": "AQAC"})},
		"RSAHugeExponent":         {jwt.RS256, rs.jwkWith(map[string]string{"d": "", "p": "", "q": "", "e": "AQAAAAAB"})},
		"RSAWithoutPrimes":        {jwt.RS256, rs.jwkWith(map[string]string{"p": "", "q": ""})},
		"RSAOtherPrime":           {jwt.RS256, rs.jwkWith(map[string]string{"p": flip(rs.jwk["p"])})},
		"RSAOtherPrivateExponent": {jwt.RS256, rs.jwkWith(map[string]string{"d": flip(rs.jwk["d"])})},
		"UseEnc":                  {jwt.RS256, rs.jwkWith(map[string]string{"use": "enc"})},
		"JWKWithOtherAlg":         {jwt.RS256, rs.jwkWith(map[string]string{"alg": "PS256"})},
		"JWKWithOtherKid":         {jwt.EdDSA, ed.jwkWith(map[string]string{"kid": "b"})},
		"KeyOpsEncrypt":           {jwt.EdDSA, map[string]any{"kty": "OKP", "crv": "Ed25519", "x": ed.jwk["x"], "key_ops": []string{"encrypt"}}},
		"PrivateAndOtherPublicEd": {jwt.EdDSA, ed.jwkWith(map[string]string{"x": b64(otherEd)})},
		"ShortPointEd":            {jwt.EdDSA, ed.jwkWith(map[string]string{"x": "AAAA", "d": ""})},
		"ShortSeedEd":             {jwt.EdDSA, ed.jwkWith(map[string]string{"d": "AAAA"})},
		"X25519":                  {jwt.EdDSA, ed.jwkWith(map[string]string{"crv": "X25519"})},
		"PointOffTheCurve":        {jwt.ES256, ec.jwkWith(map[string]string{"y": flip(ec.jwk["y"]), "d": ""})},
		"PrivateAndOtherPublicEC": {jwt.ES256, ec.jwkWith(map[string]string{"d": b64([]byte(key1))})},
		"ZeroPrivateEC":           {jwt.ES256, ec.jwkWith(map[string]string{"d": b64(make([]byte, 32))})},
		"PaddedNumber":            {jwt.EdDSA, ed.jwkWith(map[string]string{"x": ed.jwk["x"] + "="})},
		"TwoPEMBlocks":            {jwt.EdDSA, ed.pkcs8() + ed.pkcs8()},
		"PEMAndText":              {jwt.EdDSA, ed.pkcs8() + "canary"},
		"PEMOfACertificate":       {jwt.EdDSA, pemOf("CERTIFICATE", []byte("canary"))},
		"PEMWithHeaders":          {jwt.RS256, pemWithHeaders(rs)},
		"PEMOfOtherRSAPrime":      {jwt.RS256, rs.pkcs1(func(k *pkcs1Key) { k.P = new(big.Int).Sub(k.P, big.NewInt(2)) })},
		"PEMOfOtherRSAExponent":   {jwt.RS256, rs.pkcs1(func(k *pkcs1Key) { k.D = new(big.Int).Sub(k.D, big.NewInt(2)) })},
		"PKCS8OfOtherRSAExponent": {jwt.RS256, rs.pkcs8With(func(k *pkcs1Key) { k.D = new(big.Int).Sub(k.D, big.NewInt(2)) })},
		"PEMOfNothing":            {jwt.EdDSA, pemOf("PRIVATE KEY", []byte("canary"))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := jwt.ParseKeys([]byte(spec("a", tt.alg, "active", tt.material)))
			if !errors.Is(err, jwt.ErrKeys) || !strings.Contains(err.Error(), `key "a"`) {
				t.Fatalf("error = %v, want ErrKeys that names the key", err)
			}
			for _, secret := range []string{"canary", key1, ed.jwk["d"], ec.jwk["d"], rs.jwk["d"], "BEGIN"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error contains the secret: %v", err)
				}
			}
		})
	}
}

// weakRSA is a public key of 1024 bits, which crypto/rsa refuses to make.
func weakRSA() *rsa.PublicKey {
	n := new(big.Int).Lsh(big.NewInt(1), 1023)
	return &rsa.PublicKey{N: n.Add(n, big.NewInt(1)), E: 65537}
}

func BenchmarkAlgorithms(b *testing.B) {
	for alg, p := range pairs() {
		secret := spec("a", alg, "active", p.pkcs8())
		signer, verifier := newSigner(b, cfg, secret, noon), newVerifier(b, cfg, secret, noon)
		token := mint(b, signer, alice())
		b.Run(alg+"/Sign", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				mint(b, signer, alice())
			}
		})
		b.Run(alg+"/Verify", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := verifier.Verify(token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
