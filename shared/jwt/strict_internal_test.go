package jwt

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/tienda-dev/tienda/shared/identity"
)

// If (r, s) is a valid signature, so is (r, n-s). The library accepts both.
func TestES256HasOneSignature(t *testing.T) {
	t.Parallel()

	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	k := &key{id: "a"}
	if err := k.setPair(ES256, private); err != nil {
		t.Fatal(err)
	}
	keys := Keys{active: k, usable: []*key{k}}
	cfg := Config{Issuer: "iss", Audience: "api"}
	signer, err := NewSigner(cfg, keys, forgeNow)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := NewVerifier(cfg, keys, forgeNow)
	if err != nil {
		t.Fatal(err)
	}

	for range 50 { // about half of the signatures of crypto/ecdsa have the larger s
		token, _, err := signer.Sign(identity.Identity{Subject: "alice"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := verifier.Verify(token); err != nil {
			t.Fatal(err)
		}
		dot := strings.LastIndexByte(token, '.')
		signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
		if err != nil {
			t.Fatal(err)
		}
		n := elliptic.P256().Params().N
		s := new(big.Int).SetBytes(signature[32:])
		new(big.Int).Sub(n, s).FillBytes(signature[32:])
		twin := token[:dot+1] + base64.RawURLEncoding.EncodeToString(signature)

		_, err = jwt.ParseWithClaims(twin, &naiveClaims{}, func(*jwt.Token) (any, error) { return &private.PublicKey, nil },
			jwt.WithTimeFunc(forgeNow), jwt.WithStrictDecoding())
		if err != nil {
			t.Fatalf("the library refuses it too, so the case proves nothing: %v", err)
		}
		if _, err := verifier.Verify(twin); !errors.Is(err, errSignature) {
			t.Fatalf("the twin: %v", err)
		}
	}
}

// s + L is another form of the same Ed25519 signature, which the standard library refuses.
func TestEdDSAHasOneSignature(t *testing.T) {
	t.Parallel()

	k := &key{id: "a"}
	if err := k.setPair(EdDSA, ed25519.NewKeyFromSeed([]byte(forgeKey))); err != nil {
		t.Fatal(err)
	}
	signature, err := k.method.Sign("text", k.sign())
	if err != nil || k.check("text", signature) != nil {
		t.Fatalf("the signature is refused: %v", err)
	}
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	s := signature[32:] // little-endian
	slices.Reverse(s)
	new(big.Int).Add(new(big.Int).SetBytes(s), order).FillBytes(s)
	slices.Reverse(s)
	if k.check("text", signature) == nil {
		t.Error("s + L is accepted")
	}
}

// A signature plus the modulus is congruent to the signature. The standard library refuses it. If the
// modulus is near the top of its range, the sum is too long and there is nothing to test.
func TestRS256HasOneSignature(t *testing.T) {
	t.Parallel()

	private, err := rsa.GenerateKey(rand.Reader, minRSA)
	if err != nil {
		t.Fatal(err)
	}
	k := &key{id: "a"}
	if err := k.setPair(RS256, private); err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		text := "text" + strings.Repeat("!", i)
		signature, err := k.method.Sign(text, k.sign())
		if err != nil || k.check(text, signature) != nil {
			t.Fatalf("the signature is refused: %v", err)
		}
		sum := new(big.Int).Add(new(big.Int).SetBytes(signature), private.N)
		if sum.BitLen() > minRSA {
			continue
		}
		if k.check(text, sum.FillBytes(signature)) == nil {
			t.Error("s + n is accepted")
		}
		return
	}
}

// Each case is a claim set that a forged or a future signer could write.
func TestRefreshClaimsAreStrict(t *testing.T) {
	t.Parallel()

	keys, err := ParseKeys([]byte(`{"kid":"a","alg":"HS256","status":"active","key":"` + forgeKey + `"}`))
	if err != nil {
		t.Fatal(err)
	}
	v, err := NewRefreshVerifier(RefreshConfig{Issuer: "iss", Audience: "token"}, keys, forgeNow)
	if err != nil {
		t.Fatal(err)
	}
	const good = `{"iss":"iss","sub":"alice","aud":["token"],"iat":1795521600,"exp":1795522500,"jti":"j","sid":"s","gen":0}`
	for name, tt := range map[string]struct {
		old, new string
		want     identity.Outcome
	}{
		"OK":                 {"", "", identity.OK},
		"OKNewClaim":         {`"gen":0`, `"gen":0,"jkt":"x"`, identity.OK},
		"NoGeneration":       {`,"gen":0`, ``, identity.InvalidClaims},
		"GenerationTwice":    {`"gen":0`, `"gen":0,"gen":1`, identity.InvalidClaims},
		"GenerationAsText":   {`"gen":0`, `"gen":"0"`, identity.InvalidClaims},
		"GenerationNegative": {`"gen":0`, `"gen":-1`, identity.InvalidClaims},
		"GenerationFraction": {`"gen":0`, `"gen":0.5`, identity.InvalidClaims},
		"GenerationExponent": {`"gen":0`, `"gen":1e0`, identity.InvalidClaims},
		"GenerationOctal":    {`"gen":0`, `"gen":00`, identity.InvalidClaims},
		"GenerationNull":     {`"gen":0`, `"gen":null`, identity.InvalidClaims},
		"GenerationInCaps":   {`"gen":0`, `"gen":0,"GEN":7`, identity.InvalidClaims},
		"NoSession":          {`,"sid":"s"`, ``, identity.InvalidClaims},
		"NoSubject":          {`"sub":"alice",`, ``, identity.InvalidClaims},
		"NoTokenID":          {`"jti":"j",`, ``, identity.InvalidClaims},
		"NoExpiry":           {`"exp":1795522500,`, ``, identity.InvalidClaims},
		"NoTimeOfIssue":      {`"iat":1795521600,`, ``, identity.InvalidClaims},
		"TwoYears":           {`"exp":1795522500`, `"exp":1858593600`, identity.InvalidClaims},
		"TwoAudiences":       {`["token"]`, `["token","api"]`, identity.InvalidClaims},
		"AudienceAsText":     {`["token"]`, `"token"`, identity.InvalidClaims},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			token := forge(`{"alg":"HS256","kid":"a","typ":"rt+jwt"}`, strings.Replace(good, tt.old, tt.new, 1))
			r, err := v.Verify(token)
			var refused *Error
			switch {
			case tt.want == identity.OK && (err != nil || r.SessionID != "s"):
				t.Errorf("refused: %v", err)
			case tt.want != identity.OK && (!errors.As(err, &refused) || refused.Outcome() != tt.want):
				t.Errorf("got %+v, %v; want %s", r, err, tt.want)
			}
		})
	}
}

// FuzzClaims decodes arbitrary text that our key has signed.
func FuzzClaims(f *testing.F) {
	f.Add(with(""))
	f.Add(with(`,"roles":["a"],"x":{"y":["\"]"]}`))
	f.Add(`{"exp":1,"EXP":2}`)
	f.Fuzz(func(t *testing.T, payload string) {
		var c claims
		if err := decode([]byte(payload), &c); err == nil {
			if !json.Valid([]byte(payload)) {
				t.Errorf("decoded %q, which is not JSON", payload)
			}
			_ = c.Validate()
		}
		_ = decode([]byte(payload), &refreshClaims{})
	})
}
