package bench_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/local/keys"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/jwt"
)

const first = `{"kid":"k1","alg":"HS256","status":"active","key":"0123456789abcdef0123456789abcdef"}`

var (
	tokens = jwt.Config{Issuer: "https://auth.example.com", Audience: "api"}
	alice  = identity.Identity{
		Subject: "01JD7PZC3H8Y5E2A9B6D4F7G0K", SessionID: "01JD7Q9W2V5K8N3M6P4R1S0T9X",
		Roles: []string{"customer", "catalog"}, Scopes: []string{"orders:read"}, ClientID: "web",
	}
)

func noon() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }

// pair returns a signer and a verifier with a new key for alg, of the size that `make keys` makes. The verifier's clock runs
// backwards, so that it verifies each token each time: what it remembers is from the future.
func pair(b *testing.B, alg string) (*jwt.Signer, *jwt.Verifier) {
	b.Helper()
	set, err := keys.Parse(keys.Access, []byte(first))
	must(b, err)
	must(b, set.Add(alg, noon()))
	must(b, set.Promote(true, noon()))
	secret, err := set.Secret()
	must(b, err)
	parsed, err := jwt.ParseKeys(secret)
	must(b, err)
	signer, err := jwt.NewSigner(tokens, parsed, noon)
	must(b, err)
	now := noon()
	verifier, err := jwt.NewVerifier(tokens, parsed, func() time.Time {
		now = now.Add(-1)
		return now
	})
	must(b, err)
	return signer, verifier
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func sign(signer *jwt.Signer) func() error {
	return func() error {
		_, _, err := signer.Sign(alice)
		return err
	}
}

// verify checks the token, which must be good, or must not.
func verify(verifier *jwt.Verifier, token string, good bool) func() error {
	return func() error {
		if _, err := verifier.Verify(token); (err == nil) != good {
			return errors.Join(err, fmt.Errorf("want a good token: %t", good))
		}
		return nil
	}
}

// A refused token must cost less than an accepted one, so that a flood of bad tokens is cheap.
func BenchmarkBadTokenBesideAGoodOne(b *testing.B) {
	signer, verifier := pair(b, jwt.HS256)
	token, _, err := signer.Sign(alice)
	must(b, err)
	for _, bad := range []struct{ name, token string }{
		{"BadSignature", token[:len(token)-2] + "AA"},
		{"OtherHeader", "eyJhbGciOiJub25lIn0" + token},
		{"Garbage", strings.Repeat("garbage", 100)},
		{"TwoMegabytesOfDots", strings.Repeat("a.", 1<<20)},
	} {
		b.Run(bad.name, func(b *testing.B) {
			compare(b, "x_good", verify(verifier, token, true), verify(verifier, bad.token, false))
		})
	}
}

func BenchmarkAlgorithmBesideHS256(b *testing.B) {
	signer, verifier := pair(b, jwt.HS256)
	token, _, err := signer.Sign(alice)
	must(b, err)
	for _, alg := range []string{jwt.EdDSA, jwt.ES256, jwt.RS256} {
		other, check := pair(b, alg)
		signed, _, err := other.Sign(alice)
		must(b, err)
		b.Run("Sign/"+alg, func(b *testing.B) { compare(b, "x_HS256", sign(signer), sign(other)) })
		b.Run("Verify/"+alg, func(b *testing.B) {
			compare(b, "x_HS256", verify(verifier, token, true), verify(check, signed, true))
		})
	}
}
