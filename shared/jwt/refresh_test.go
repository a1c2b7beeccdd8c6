package jwt_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/jwt"
)

var refreshCfg = jwt.RefreshConfig{Issuer: "https://id.tienda.example", Audience: "https://id.tienda.example/token"}

func newRefreshSigner(t testing.TB, cfg jwt.RefreshConfig, secret string) *jwt.RefreshSigner {
	t.Helper()
	s, err := jwt.NewRefreshSigner(cfg, parseKeys(t, secret))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newRefreshVerifier(t testing.TB, secret string, now time.Time) *jwt.RefreshVerifier {
	t.Helper()
	v, err := jwt.NewRefreshVerifier(refreshCfg, parseKeys(t, secret), at(now))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func mintRefresh(t testing.TB, s *jwt.RefreshSigner, r jwt.Refresh) string {
	t.Helper()
	token, err := s.Sign(r)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func step() jwt.Refresh {
	issued := noon.Truncate(time.Second)
	return jwt.Refresh{Subject: "alice", SessionID: "s1", Generation: 3, IssuedAt: issued, ExpiresAt: issued.Add(7 * 24 * time.Hour)}
}

func payloadOf(t testing.TB, token string) map[string]any {
	t.Helper()
	decoded, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(decoded, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// deterministic are the secrets with an active key that may sign refresh tokens.
func deterministic() map[string]string {
	return map[string]string{
		jwt.HS256: secretOf("r", "active", key1),
		jwt.EdDSA: spec("r", jwt.EdDSA, "active", pairs()[jwt.EdDSA].pkcs8()),
		jwt.RS256: spec("r", jwt.RS256, "active", pairs()[jwt.RS256].jwk),
	}
}

func TestRefreshRoundTrip(t *testing.T) {
	t.Parallel()

	for alg, secret := range deterministic() {
		t.Run(alg, func(t *testing.T) {
			t.Parallel()
			verifier := newRefreshVerifier(t, secret, noon)
			first := step()
			first.Generation = 0
			for _, want := range []jwt.Refresh{step(), first} {
				token := mintRefresh(t, newRefreshSigner(t, refreshCfg, secret), want)
				// A second signer plays another process.
				if again := mintRefresh(t, newRefreshSigner(t, refreshCfg, secret), want); again != token {
					t.Errorf("equal input gave two tokens:\n%s\n%s", token, again)
				}
				got, err := verifier.Verify(token)
				if diff := cmp.Diff(want, got); err != nil || diff != "" {
					t.Errorf("%v (-want +got):\n%s", err, diff)
				}
			}
		})
	}
}

func TestRefreshFractionsOfASecondDoNotMatter(t *testing.T) {
	t.Parallel()

	s := newRefreshSigner(t, refreshCfg, secretOf("r", "active", key1))
	later := step()
	later.IssuedAt, later.ExpiresAt = later.IssuedAt.Add(999*time.Millisecond), later.ExpiresAt.Add(time.Millisecond).In(time.FixedZone("", 3600))
	if mintRefresh(t, s, step()) != mintRefresh(t, s, later) {
		t.Error("the tokens differ")
	}
}

func TestRefreshClaims(t *testing.T) {
	t.Parallel()

	s := newRefreshSigner(t, refreshCfg, secretOf("r", "active", key1))
	token := mintRefresh(t, s, step())
	header, _ := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[0])
	if string(header) != `{"alg":"HS256","kid":"r","typ":"rt+jwt"}` {
		t.Errorf("header %s", header)
	}
	got := payloadOf(t, token)
	id, _ := got["jti"].(string)
	delete(got, "jti")
	want := map[string]any{
		"iss": refreshCfg.Issuer, "aud": []any{refreshCfg.Audience}, "sub": "alice", "sid": "s1", "gen": 3.0,
		"iat": float64(step().IssuedAt.Unix()), "exp": float64(step().ExpiresAt.Unix()),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if decoded, err := base64.RawURLEncoding.DecodeString(id); err != nil || len(decoded) < 16 {
		t.Errorf("jti %q is shorter than 128 bits", id)
	}
}

func TestRefreshTokenIDDependsOnSessionGenerationAndKey(t *testing.T) {
	t.Parallel()

	seen := map[any]string{}
	for _, key := range []string{key1, key2} {
		s := newRefreshSigner(t, refreshCfg, secretOf("r", "active", key))
		for _, session := range []string{"s1", "s2", "s10"} {
			for gen := range int64(20) {
				r := step()
				r.SessionID, r.Generation = session, gen
				id := payloadOf(t, mintRefresh(t, s, r))["jti"]
				if seen[id] != "" {
					t.Errorf("%s and %s %d have one id", seen[id], session, gen)
				}
				seen[id] = session
			}
		}
	}
}

// A holder of the key for one kind of token cannot sign the other kind, and each verifier refuses the
// other kind even when both share a key.
func TestVerifiersRefuseTheOtherKindOfToken(t *testing.T) {
	t.Parallel()

	secret := secretOf("a", "active", key1)
	same := jwt.RefreshConfig{Issuer: cfg.Issuer, Audience: cfg.Audience}
	access := mint(t, newSigner(t, cfg, secret, noon), identity.Identity{Subject: "alice", SessionID: "s1"})
	short := step()
	short.ExpiresAt = short.IssuedAt.Add(time.Minute)
	refresh := mintRefresh(t, newRefreshSigner(t, same, secret), short)

	refreshVerifier, err := jwt.NewRefreshVerifier(same, parseKeys(t, secret), at(noon))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := refreshVerifier.Verify(access); outcome(err) != identity.InvalidToken {
		t.Errorf("an access token as a refresh token: %s", outcome(err))
	}
	if _, err := newVerifier(t, cfg, secret, noon).Verify(refresh); outcome(err) != identity.InvalidToken {
		t.Errorf("a refresh token as an access token: %s", outcome(err))
	}
}

func TestRefreshVerifierRefuses(t *testing.T) {
	t.Parallel()

	secret := secretOf("r", "active", key1)
	token := mintRefresh(t, newRefreshSigner(t, refreshCfg, secret), step())
	other := func(cfg jwt.RefreshConfig, secret string) string {
		return mintRefresh(t, newRefreshSigner(t, cfg, secret), step())
	}
	for name, tt := range map[string]struct {
		token string
		now   time.Time
		want  identity.Outcome
	}{
		"OK":              {token, noon, identity.OK},
		"LastMoment":      {token, step().ExpiresAt.Add(-1), identity.OK},
		"Expired":         {token, step().ExpiresAt, identity.TokenExpired},
		"ExpiredALittle":  {token, step().ExpiresAt.Add(jwt.Leeway - 1), identity.TokenExpired},
		"ExpiredLongAgo":  {token, step().ExpiresAt.Add(jwt.Leeway), identity.TokenExpired},
		"FromTheFuture":   {token, step().IssuedAt.Add(-jwt.Leeway - 1), identity.InvalidClaims},
		"OtherIssuer":     {other(jwt.RefreshConfig{Issuer: "x", Audience: refreshCfg.Audience}, secret), noon, identity.InvalidClaims},
		"OtherAudience":   {other(jwt.RefreshConfig{Issuer: refreshCfg.Issuer, Audience: cfg.Audience}, secret), noon, identity.InvalidClaims},
		"OtherKey":        {other(refreshCfg, secretOf("r", "active", key2)), noon, identity.InvalidToken},
		"OtherKid":        {other(refreshCfg, secretOf("q", "active", key1)), noon, identity.InvalidToken},
		"LineEndAfter":    {token + "\n", noon, identity.InvalidToken},
		"SpaceBefore":     {" " + token, noon, identity.InvalidToken},
		"Empty":           {"", noon, identity.InvalidToken},
		"AMebibyte":       {strings.Repeat("a", 1<<20), noon, identity.InvalidToken},
		"AMebibyteOfDots": {strings.Repeat(".", 1<<20), noon, identity.InvalidToken},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := newRefreshVerifier(t, secret, tt.now).Verify(tt.token)
			if got := outcome(err); got != tt.want {
				t.Errorf("outcome %s (%v), want %s", got, err, tt.want)
			}
		})
	}
}

func TestRefreshSignRefuses(t *testing.T) {
	t.Parallel()

	s := newRefreshSigner(t, refreshCfg, secretOf("r", "active", key1))
	for name, change := range map[string]func(*jwt.Refresh){
		"NoSubject":          func(r *jwt.Refresh) { r.Subject = "" },
		"NoSession":          func(r *jwt.Refresh) { r.SessionID = "" },
		"SessionWithNewline": func(r *jwt.Refresh) { r.SessionID = "a\nb" },
		"LongSession":        func(r *jwt.Refresh) { r.SessionID = strings.Repeat("a", 257) },
		"NegativeGeneration": func(r *jwt.Refresh) { r.Generation = -1 },
		"HugeGeneration":     func(r *jwt.Refresh) { r.Generation = 1 << 60 },
		"NoLife":             func(r *jwt.Refresh) { r.ExpiresAt = r.IssuedAt.Add(999 * time.Millisecond) },
		"ExpiresBefore":      func(r *jwt.Refresh) { r.ExpiresAt = r.IssuedAt.Add(-time.Hour) },
		"NoTimes":            func(r *jwt.Refresh) { r.IssuedAt, r.ExpiresAt = time.Time{}, time.Time{} },
		"TwoYears":           func(r *jwt.Refresh) { r.ExpiresAt = r.IssuedAt.AddDate(2, 0, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := step()
			change(&r)
			if token, err := s.Sign(r); err == nil {
				t.Errorf("signed %s", token)
			}
		})
	}
}

func TestRefreshConstructionRefused(t *testing.T) {
	t.Parallel()

	good := parseKeys(t, secretOf("r", "active", key1))
	for name, tt := range map[string]struct {
		cfg  jwt.RefreshConfig
		keys jwt.Keys
	}{
		"EmptyIssuer":   {jwt.RefreshConfig{Audience: "a"}, good},
		"BlankIssuer":   {jwt.RefreshConfig{Issuer: " ", Audience: "a"}, good},
		"EmptyAudience": {jwt.RefreshConfig{Issuer: "i"}, good},
		"NoKeys":        {refreshCfg, jwt.Keys{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := jwt.NewRefreshSigner(tt.cfg, tt.keys); err == nil {
				t.Error("a signer was made")
			}
			if _, err := jwt.NewRefreshVerifier(tt.cfg, tt.keys, time.Now); err == nil {
				t.Error("a verifier was made")
			}
		})
	}
	if _, err := jwt.NewRefreshVerifier(refreshCfg, good, nil); err == nil {
		t.Error("a verifier was made without a clock")
	}

	randomised := parseKeys(t, spec("es", jwt.ES256, "active", pairs()[jwt.ES256].pkcs8()))
	_, err := jwt.NewRefreshSigner(refreshCfg, randomised)
	if !errors.Is(err, jwt.ErrKeys) || !strings.Contains(err.Error(), `"es" is for ES256, which signs differently each time`) {
		t.Errorf("ES256: %v", err)
	}
}

func TestRefreshRoundTripOfAnyStep(t *testing.T) {
	t.Parallel()

	secret := secretOf("r", "active", key1)
	s := newRefreshSigner(t, refreshCfg, secret)
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[\x20-\x7e\x{a1}-\x{2000}]{1,60}`)
		want := jwt.Refresh{
			Subject: word.Draw(t, "sub"), SessionID: word.Draw(t, "sid"), Generation: rapid.Int64Range(0, 1<<53-1).Draw(t, "gen"),
			IssuedAt: time.Unix(rapid.Int64Range(1, 1<<33).Draw(t, "iat"), 0).UTC(),
		}
		want.ExpiresAt = want.IssuedAt.Add(time.Duration(rapid.Int64Range(1, int64(jwt.MaxRefreshTTL/time.Second)).Draw(t, "life")) * time.Second)
		token, err := s.Sign(want)
		if err != nil {
			t.Fatal(err)
		}
		v, err := jwt.NewRefreshVerifier(refreshCfg, must(jwt.ParseKeys([]byte(secret))), at(want.IssuedAt))
		if err != nil {
			t.Fatal(err)
		}
		got, err := v.Verify(token)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	})
}

// FuzzRefresh searches for an accepted refresh token that was not signed.
func FuzzRefresh(f *testing.F) {
	secret := secretOf("r", "active", key1)
	token := mintRefresh(f, newRefreshSigner(f, refreshCfg, secret), step()) // the same in every worker
	verifier := newRefreshVerifier(f, secret, noon)
	for _, seed := range []string{
		token, token + ".", token + "=", token + "\n", "", "...", token[:len(token)-1], minted,
		mintRefresh(f, newRefreshSigner(f, refreshCfg, secretOf("r", "active", key2)), step()),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		r, err := verifier.Verify(in)
		if err == nil && in != token {
			t.Errorf("accepted %q as %+v", in, r)
		}
		if err != nil && outcome(err) != identity.InvalidToken {
			t.Errorf("%q: outcome %s without our signature", in, outcome(err))
		}
	})
}

func BenchmarkRefresh(b *testing.B) {
	secret := secretOf("r", "active", key1)
	s, v := newRefreshSigner(b, refreshCfg, secret), newRefreshVerifier(b, secret, noon)
	token := mintRefresh(b, s, step())
	b.Run("Sign", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			mintRefresh(b, s, step())
		}
	})
	b.Run("Verify", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := v.Verify(token); err != nil {
				b.Fatal(err)
			}
		}
	})
}
