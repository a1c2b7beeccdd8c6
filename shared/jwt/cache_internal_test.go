package jwt

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/identity"
)

const cachedKey = `{"kid":"a","alg":"HS256","status":"active","key":"first-key-first-key-first-key-01"}`

// cached returns a verifier, a token that it accepts, which is valid for 15 minutes, and its clock.
func cached(t *testing.T) (v *Verifier, token string, now *time.Time) {
	t.Helper()
	start := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	now = &start
	clock := func() time.Time { return *now }
	keys, err := ParseKeys([]byte(cachedKey))
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Issuer: "https://id.tienda.example", Audience: "api"}
	signer, err := NewSigner(cfg, keys, clock)
	if err != nil {
		t.Fatal(err)
	}
	if token, _, err = signer.Sign(identity.Identity{Subject: "alice", Roles: []string{"customer"}, Scopes: []string{"read"}, AMR: []string{"pwd"}}); err != nil {
		t.Fatal(err)
	}
	if v, err = NewVerifier(cfg, keys, clock); err != nil {
		t.Fatal(err)
	}
	return v, token, now
}

// forgetKeys takes the keys away: what the verifier accepts from now on, it remembers.
func forgetKeys(v *Verifier) { v.tokens.keys = nil }

func TestATokenIsVerifiedOnceAMinute(t *testing.T) {
	t.Parallel()
	for after, remembered := range map[time.Duration]bool{
		0: true, VerifiedFor - 1: true, VerifiedFor: false, -1: false, -2 * time.Minute: false,
	} {
		v, token, now := cached(t)
		if _, err := v.Verify(token); err != nil {
			t.Fatal(err)
		}
		forgetKeys(v)
		*now = now.Add(after)
		id, err := v.Verify(token)
		if (err == nil) != remembered || remembered && id.Subject != "alice" {
			t.Errorf("after %v: %+v, %v; want remembered %t", after, id, err, remembered)
		}
	}
}

// The last moments of a token: it is remembered, and expires all the same.
func TestARememberedTokenExpires(t *testing.T) {
	t.Parallel()
	v, token, now := cached(t)
	id, err := v.Verify(token)
	if err != nil {
		t.Fatal(err)
	}
	*now = id.ExpiresAt.Add(-time.Second)
	if _, err := v.Verify(token); err != nil {
		t.Fatal(err)
	}
	*now = id.ExpiresAt
	if _, err := v.Verify(token); err == nil || !strings.Contains(err.Error(), string(identity.TokenExpired)) {
		t.Errorf("got %v, want an expired token", err)
	}
}

// A clock that is set back behind the token's beginning, beyond the leeway.
func TestARememberedTokenIsNotValidBeforeItsTime(t *testing.T) {
	t.Parallel()
	v, token, now := cached(t)
	if _, err := v.Verify(token); err != nil {
		t.Fatal(err)
	}
	*now = now.Add(-Leeway - time.Second)
	if _, err := v.Verify(token); err == nil || !strings.Contains(err.Error(), string(identity.InvalidClaims)) {
		t.Errorf("got %v, want a token that is not valid yet", err)
	}
}

func TestRefusedTokensAreNotRemembered(t *testing.T) {
	t.Parallel()
	v, token, now := cached(t)
	*now = now.Add(-time.Hour)
	for _, refused := range []string{token, "", "a.b.c", token + "x", strings.Repeat("x", MaxToken+1)} {
		if _, err := v.Verify(refused); err == nil {
			t.Errorf("%.20q was accepted", refused)
		}
	}
	if n := len(v.verified.young) + len(v.verified.old); n != 0 {
		t.Errorf("%d tokens are remembered, want none", n)
	}
}

func TestACallerCannotChangeWhatIsRemembered(t *testing.T) {
	t.Parallel()
	v, token, _ := cached(t)
	for range 3 {
		id, err := v.Verify(token)
		if err != nil || id.Roles[0] != "customer" || id.Scopes[0] != "read" || id.AMR[0] != "pwd" || len(id.Roles) != 1 {
			t.Fatalf("got %+v, %v", id, err)
		}
		id.Roles[0], id.Scopes[0], id.AMR[0] = "admin", "write", "otp"
		_ = append(id.Roles, "admin")
	}
}

func TestTheMemoryIsBoundedAndKeepsTheLatest(t *testing.T) {
	t.Parallel()
	var v verifiedTokens
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	id := identity.Identity{Subject: "alice", ExpiresAt: now.Add(time.Hour)}
	hash := func(i int) (h tokenHash) {
		binary.BigEndian.PutUint64(h[:], uint64(i))
		return h
	}
	const many = 5 * maxVerified
	for i := range many {
		v.add(hash(i), id, now)
		if n := len(v.young) + len(v.old); n > maxVerified {
			t.Fatalf("%d tokens are remembered after %d", n, i+1)
		}
	}
	for i := many - maxVerified/2; i < many; i++ {
		if _, ok := v.find(hash(i), now); !ok {
			t.Fatalf("the token %d of %d is forgotten", i, many)
		}
	}
	if _, ok := v.find(hash(0), now); ok {
		t.Error("the first token is still there")
	}
}

// Whoever prints a verifier, or reads its memory, finds no token.
func TestTheMemoryHoldsNoToken(t *testing.T) {
	t.Parallel()
	v, token, _ := cached(t)
	if _, err := v.Verify(token); err != nil {
		t.Fatal(err)
	}
	if text := fmt.Appendf(nil, "%+v %+v", v, v.verified.young); bytes.Contains(text, []byte(token)) || bytes.Contains(text, []byte(token[len(token)-43:])) {
		t.Errorf("the token is in %s", text)
	}
}

func TestVerifyIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	v, token, _ := cached(t)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for n := range 200 {
				id, err := v.Verify(token)
				if err != nil || id.Roles[0] != "customer" {
					t.Errorf("got %+v, %v", id, err)
					return
				}
				id.Roles[0] = "changed"
				var h tokenHash
				binary.BigEndian.PutUint64(h[:], uint64(i*1000+n))
				v.verified.add(h, id, time.Now())
			}
		})
	}
	group.Wait()
}
