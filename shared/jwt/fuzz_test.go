package jwt_test

import (
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/shared/identity"
)

// minted is alice's token at noon under key1. It is written down because the fuzzer's workers are
// processes of their own, and must agree on it.
const minted = "eyJhbGciOiJIUzI1NiIsImtpZCI6ImEiLCJ0eXAiOiJhdCtqd3QifQ.eyJpc3MiOiJodHRwczovL2lkLnRpZW5kYS5leGFtcGxlI" +
	"iwic3ViIjoiYWxpY2UgXCJcdTAwM2PDsVx1MDAzZVwiIFxcIiwiYXVkIjpbInRpZW5kYS1hcGkiXSwiY2xpZW50X2lkIjoid2ViI" +
	"iwiaWF0IjoxNzk1NTIxNjAwLCJuYmYiOjE3OTU1MjE2MDAsImV4cCI6MTc5NTUyMjUwMCwianRpIjoiVURHSFJKWURNUUxMWExBS" +
	"FFUSlBRRzdONk0iLCJzaWQiOiJzMSIsInNjb3BlIjoicmVhZCB3cml0ZSIsInJvbGVzIjpbImNhdGFsb2ciLCJmdWxmaWxtZW50I" +
	"l0sImF1dGhfdGltZSI6MTc5NTUyMTU0MH0.Wrt5jDaqx788LZY9am1d_QtzloY62RCAviZHFe1aexk"

// FuzzVerify looks for a token that is accepted and was not minted. Every accepted one must be
// the seed, byte for byte.
func FuzzVerify(f *testing.F) {
	secret := secretOf("a", "active", key1)
	token := minted
	other := mint(f, newSigner(f, cfg, secretOf("a", "active", key2), noon), alice())
	verifier := newVerifier(f, cfg, secret, noon)
	if _, err := verifier.Verify(token); err != nil {
		f.Fatalf("the seed is refused: %v", err)
	}
	header, rest, _ := strings.Cut(token, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	for _, seed := range []string{
		token, other, token + ".", token + "=", " " + token, token + "\n", "", ".", "..", "...",
		header + ".." + signature, header + "." + payload + ".", strings.ToUpper(token),
		"eyJhbGciOiJub25lIn0." + payload + ".", header + "." + payload + "." + strings.Repeat("A", 43),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		id, err := verifier.Verify(in)
		if err == nil && in != token {
			t.Errorf("accepted %q as %q", in, id.Subject)
		}
		if err != nil && outcome(err) != identity.InvalidToken {
			t.Errorf("%q: outcome %s without our signature", in, outcome(err))
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

func BenchmarkSign(b *testing.B) {
	signer := newSigner(b, cfg, secretOf("a", "active", key1), noon)
	b.ReportAllocs()
	for b.Loop() {
		mint(b, signer, alice())
	}
}
