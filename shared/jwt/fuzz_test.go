package jwt_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/jwt"
)

// Tokens issued at noon, each signed with its own key, all keys in one set. They are constants because
// the fuzzer's workers are separate processes, which need the same tokens.
const (
	minted = "eyJhbGciOiJIUzI1NiIsImtpZCI6ImEiLCJ0eXAiOiJhdCtqd3QifQ.eyJpc3MiOiJodHRwczovL2lkLnRpZW5kYS5leGFtcGxlIiwic3" +
		"ViIjoiYWxpY2UgXCJcdTAwM2PDsVx1MDAzZVwiIFxcIiwiYXVkIjpbInRpZW5kYS1hcGkiXSwiY2xpZW50X2lkIjoid2ViIiwiaWF0Ijo" +
		"xNzk1NTIxNjAwLCJuYmYiOjE3OTU1MjE2MDAsImV4cCI6MTc5NTUyMjUwMCwianRpIjoiVURHSFJKWURNUUxMWExBSFFUSlBRRzdONk0i" +
		"LCJzaWQiOiJzMSIsInNjb3BlIjoicmVhZCB3cml0ZSIsInJvbGVzIjpbImNhdGFsb2ciLCJmdWxmaWxtZW50Il0sImF1dGhfdGltZSI6M" +
		"Tc5NTUyMTU0MH0.Wrt5jDaqx788LZY9am1d_QtzloY62RCAviZHFe1aexk"
	mintedEdDSA = "eyJhbGciOiJFZERTQSIsImtpZCI6ImQiLCJ0eXAiOiJhdCtqd3QifQ.eyJpc3MiOiJodHRwczovL2lkLnRpZW5kYS5leGFtcGxlIiwic3" +
		"ViIjoiYWxpY2UiLCJhdWQiOlsidGllbmRhLWFwaSJdLCJpYXQiOjE3OTU1MjE2MDAsIm5iZiI6MTc5NTUyMTYwMCwiZXhwIjoxNzk1NTI" +
		"yNTAwLCJqdGkiOiJCTUVPREhONDRJVUZBQVJCWTMyTVJGRlVCSiIsImlhdF9tcyI6MTc5NTUyMTYwMDUwMH0.bZ-iSCyv7Pq8_yCx7a2c" +
		"Ilfnm5LbNr-Gku-RWMG1YXPK8dFGCybivelHMkgBKm_CaL2RseLsSTjhLNfycLyPCA"
	mintedES256 = "eyJhbGciOiJFUzI1NiIsImtpZCI6ImUiLCJ0eXAiOiJhdCtqd3QifQ.eyJpc3MiOiJodHRwczovL2lkLnRpZW5kYS5leGFtcGxlIiwic3" +
		"ViIjoiYWxpY2UiLCJhdWQiOlsidGllbmRhLWFwaSJdLCJpYXQiOjE3OTU1MjE2MDAsIm5iZiI6MTc5NTUyMTYwMCwiZXhwIjoxNzk1NTI" +
		"yNTAwLCJqdGkiOiJTUloyTVhENFdJSkgyRk5QVUxSWFYzTVM2NCIsImlhdF9tcyI6MTc5NTUyMTYwMDUwMH0.yrVKo_YQ4BzeoBcLvIMr" +
		"d2JQeSKhi1LL_goVQhhdAcY1lD7BiIgEUXSUdHONB1sGYH7YC8FuhP7sNAqvj0NyaA"
)

// fuzzKeys is the set that signed the tokens, without the private keys of the last two.
func fuzzKeys() string {
	return "[" + secretOf("a", "active", key1) + "," +
		spec("d", jwt.EdDSA, "next", map[string]string{"kty": "OKP", "crv": "Ed25519", "x": "se1fS5Rw-v6xMI7ugZOyOKRHkeVZi8Nz16s9qaVOmpk"}) + "," +
		spec("e", jwt.ES256, "retiring", map[string]string{
			"kty": "EC", "crv": "P-256", "x": "Br8n9ILVPNeIsFD4mgea8hokG4_rDlnt79tlPez6yY4", "y": "5J2Npl2FdplRNfKZpZEbee-FNpKM5sbLqeb20A_yrVo",
		}) + "]"
}

// FuzzVerify searches for an accepted token that was not signed. Every accepted token must be a seed,
// byte for byte.
func FuzzVerify(f *testing.F) {
	verifier := newVerifier(f, cfg, fuzzKeys(), noon)
	ours := map[string]bool{minted: true, mintedEdDSA: true, mintedES256: true}
	for token := range ours {
		if _, err := verifier.Verify(token); err != nil {
			f.Fatalf("a seed is refused: %v", err)
		}
		header, rest, _ := strings.Cut(token, ".")
		payload, signature, _ := strings.Cut(rest, ".")
		for _, seed := range []string{
			token, token + ".", token + "=", " " + token, token + "\n", strings.ToUpper(token),
			header + ".." + signature, header + "." + payload + ".", "eyJhbGciOiJub25lIn0." + payload + ".",
			header + "." + payload + "." + strings.Repeat("A", len(signature)),
		} {
			f.Add(seed)
		}
	}
	other := mint(f, newSigner(f, cfg, secretOf("a", "active", key2), noon), alice())
	for _, seed := range []string{other, "", ".", "..", "..."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		id, err := verifier.Verify(in)
		if err == nil && !ours[in] {
			t.Errorf("accepted %q as %q", in, id.Subject)
		}
		if err != nil && outcome(err) != identity.InvalidToken {
			t.Errorf("%q: outcome %s without our signature", in, outcome(err))
		}
	})
}

// FuzzParseKeys parses any text that a secret could hold.
func FuzzParseKeys(f *testing.F) {
	f.Add([]byte(fuzzKeys()))
	f.Add([]byte(secretOf("a", "active", key1)))
	f.Add([]byte(spec("a", jwt.EdDSA, "active", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")))
	f.Add([]byte(spec("a", jwt.RS256, "active", map[string]string{"kty": "RSA", "n": "AQAB", "e": "AQAB", "d": "AQ", "p": "Aw", "q": "BQ"})))
	f.Fuzz(func(t *testing.T, secret []byte) {
		keys, err := jwt.ParseKeys(secret)
		if err != nil {
			return
		}
		_ = jwt.PublicKeys(keys)
		if _, err := jwt.NewVerifier(cfg, keys, at(noon)); err != nil {
			t.Errorf("%s parses and makes no verifier: %v", secret, err)
		}
	})
}

// FuzzBearer searches for a header that yields a token other than one of its words.
func FuzzBearer(f *testing.F) {
	for _, seed := range []string{"Bearer a.b.c", "bearer  x==", "Bearer", "Basic x", "Bearer a,Bearer b", "Bearer a b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		token, outcome := jwt.Bearer([]string{header})
		if outcome == identity.OK && (strings.ContainsAny(token, " ,\t\r\n\"") || !strings.HasSuffix(strings.TrimRight(header, " \t"), token)) {
			t.Errorf("%q gave %q", header, token)
		}
		if outcome != identity.OK && (token != "" || outcome != identity.InvalidRequest && outcome != identity.UnsupportedScheme) {
			t.Errorf("%q gave %q, %s", header, token, outcome)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	secret := secretOf("a", "active", key1)
	token := mint(b, newSigner(b, cfg, secret, noon), alice())
	verifier := newVerifier(b, cfg, secret, noon)
	flipped := token[:len(token)-2] + "AA"
	for name, tt := range map[string]struct {
		token string
		want  identity.Outcome
	}{
		"Good":         {token, identity.OK},
		"Garbage":      {strings.Repeat("garbage", 80), identity.InvalidToken},
		"Huge":         {strings.Repeat("a.", 1<<20), identity.InvalidToken},
		"OtherHeader":  {"eyJhbGciOiJub25lIn0" + token, identity.InvalidToken},
		"BadSignature": {flipped, identity.InvalidToken},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := verifier.Verify(tt.token); outcome(err) != tt.want {
					b.Fatal(err)
				}
			}
		})
	}
}

// A token that is verified for the first time: the clock runs backwards, so that what the verifier knows is of no use.
func BenchmarkVerifyFirst(b *testing.B) {
	secret, now := secretOf("a", "active", key1), noon
	token := mint(b, newSigner(b, cfg, secret, noon), alice())
	verifier, err := jwt.NewVerifier(cfg, parseKeys(b, secret), func() time.Time {
		now = now.Add(-1)
		return now
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := verifier.Verify(token); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSign(b *testing.B) {
	signer := newSigner(b, cfg, secretOf("a", "active", key1), noon)
	b.ReportAllocs()
	for b.Loop() {
		mint(b, signer, alice())
	}
}
