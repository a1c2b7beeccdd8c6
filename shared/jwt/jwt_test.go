package jwt_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/jwt"
)

const (
	key1 = "first-key-first-key-first-key-01"
	key2 = "second-key-second-key-second-k02"
)

var (
	cfg  = jwt.Config{Issuer: "https://id.tienda.example", Audience: "tienda-api"}
	noon = time.Date(2026, 11, 24, 12, 0, 0, 500_000_000, time.UTC)
)

func at(t time.Time) func() time.Time { return func() time.Time { return t } }

func secretOf(kid, status, key string) string {
	return fmt.Sprintf(`{"kid":%q,"alg":"HS256","status":%q,"key":%q}`, kid, status, key)
}

func parseKeys(t testing.TB, secret string) jwt.Keys {
	t.Helper()
	keys, err := jwt.ParseKeys([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func newSigner(t testing.TB, cfg jwt.Config, secret string, now time.Time) *jwt.Signer {
	t.Helper()
	s, err := jwt.NewSigner(cfg, parseKeys(t, secret), at(now))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newVerifier(t testing.TB, cfg jwt.Config, secret string, now time.Time) *jwt.Verifier {
	t.Helper()
	v, err := jwt.NewVerifier(cfg, parseKeys(t, secret), at(now))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func mint(t testing.TB, s *jwt.Signer, id identity.Identity) string {
	t.Helper()
	token, _, err := s.Sign(id)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func outcome(err error) identity.Outcome {
	if err == nil {
		return identity.OK
	}
	var refused *jwt.Error
	if !errors.As(err, &refused) {
		return "not a *jwt.Error"
	}
	return refused.Outcome()
}

func alice() identity.Identity {
	return identity.Identity{
		Subject: `alice "<ñ>" \`, SessionID: "s1", ClientID: "web", Roles: []string{"catalog", "fulfilment"},
		Scopes: []string{"read", "write"}, AuthTime: noon.Add(-time.Minute).Truncate(time.Second),
		AMR: []string{"pwd", "otp"}, AuthzVersion: 7,
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()

	for name, id := range map[string]identity.Identity{
		"Everything":  alice(),
		"OnlySubject": {Subject: "s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			secret := secretOf("a", "active", key1)
			token, expires, err := newSigner(t, cfg, secret, noon).Sign(id)
			if err != nil {
				t.Fatal(err)
			}
			if want := noon.Truncate(time.Second).Add(15 * time.Minute); !expires.Equal(want) {
				t.Errorf("expires at %v, want %v", expires, want)
			}

			got, err := newVerifier(t, cfg, secret, noon).Verify(token)
			if err != nil {
				t.Fatal(err)
			}
			want := id
			want.ExpiresAt, want.KeyID, want.IssuedAt = expires, "a", noon
			want.TokenID = got.TokenID
			if len(got.TokenID) != 26 {
				t.Errorf("token id %q", got.TokenID)
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestHeaderIsPinned(t *testing.T) {
	t.Parallel()

	token := mint(t, newSigner(t, cfg, secretOf("a", "active", key1), noon), alice())
	header, _, _ := strings.Cut(token, ".")
	decoded, err := base64.RawURLEncoding.DecodeString(header)
	if err != nil || string(decoded) != `{"alg":"HS256","kid":"a","typ":"at+jwt"}` {
		t.Errorf("header %s, %v", decoded, err)
	}
}

func TestTokenIDsDiffer(t *testing.T) {
	t.Parallel()

	s := newSigner(t, cfg, secretOf("a", "active", key1), noon)
	first, second := mint(t, s, alice()), mint(t, s, alice())
	if first == second {
		t.Error("two tokens are equal")
	}
}

func TestLifetime(t *testing.T) {
	t.Parallel()
	secret := secretOf("a", "active", key1)
	token := mint(t, newSigner(t, cfg, secret, noon), alice())
	exp := noon.Truncate(time.Second).Add(jwt.DefaultTTL)
	for name, tt := range map[string]struct {
		now  time.Time
		want identity.Outcome
	}{
		"AtOnce":                  {noon, identity.OK},
		"ClockBehindWithinLeeway": {noon.Truncate(time.Second).Add(-jwt.Leeway), identity.OK},
		"NotYetValid":             {noon.Truncate(time.Second).Add(-jwt.Leeway - 1), identity.InvalidClaims},
		"LastMoment":              {exp.Add(-1), identity.OK},
		"Expired":                 {exp, identity.TokenExpired}, // no leeway: expired for every verifier at once
		"ExpiredWithinTheLeeway":  {exp.Add(jwt.Leeway - 1), identity.TokenExpired},
		"LongExpired":             {exp.AddDate(10, 0, 0), identity.TokenExpired},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := newVerifier(t, cfg, secret, tt.now).Verify(token)
			if got := outcome(err); got != tt.want {
				t.Errorf("outcome %s (%v), want %s", got, err, tt.want)
			}
		})
	}
}

// A login right after a revocation of all sessions must be newer than the revocation, and the clock that
// wrote the revocation may be ahead. A token is never dated earlier than the time of signing.
func TestTimeOfIssue(t *testing.T) {
	t.Parallel()

	secret := secretOf("a", "active", key1)
	for name, tt := range map[string]struct{ asked, want time.Time }{
		"Unset":      {time.Time{}, noon},
		"Earlier":    {noon.Add(-time.Hour), noon},
		"Later":      {noon.Add(time.Millisecond), noon.Add(time.Millisecond)},
		"LaterByTwo": {noon.Add(2 * time.Second), noon.Add(2 * time.Second)},
		"AtTheLimit": {noon.Add(jwt.Leeway), noon.Add(jwt.Leeway)},
		"OtherZone":  {noon.Add(time.Second).In(time.FixedZone("", 3600)), noon.Add(time.Second)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			token, expires, err := newSigner(t, cfg, secret, noon).Sign(identity.Identity{Subject: "a", IssuedAt: tt.asked})
			if err != nil {
				t.Fatal(err)
			}
			got, err := newVerifier(t, cfg, secret, noon).Verify(token)
			if err != nil || !got.IssuedAt.Equal(tt.want) || got.IssuedAt.Location() != time.UTC {
				t.Errorf("issued at %v, %v; want %v", got.IssuedAt, err, tt.want)
			}
			if want := tt.want.Truncate(time.Second).Add(jwt.DefaultTTL); !expires.Equal(want) || !got.ExpiresAt.Equal(want) {
				t.Errorf("expires at %v and %v, want %v", expires, got.ExpiresAt, want)
			}
		})
	}
}

func TestTokensOfOthers(t *testing.T) {
	t.Parallel()

	verifier := newVerifier(t, cfg, secretOf("a", "active", key1), noon)
	for name, tt := range map[string]struct {
		cfg    jwt.Config
		secret string
		want   identity.Outcome
	}{
		"OtherIssuer":        {jwt.Config{Issuer: "https://evil.example", Audience: cfg.Audience}, secretOf("a", "active", key1), identity.InvalidClaims},
		"IssuerInOtherCase":  {jwt.Config{Issuer: strings.ToUpper(cfg.Issuer), Audience: cfg.Audience}, secretOf("a", "active", key1), identity.InvalidClaims},
		"OtherAudience":      {jwt.Config{Issuer: cfg.Issuer, Audience: "other"}, secretOf("a", "active", key1), identity.InvalidClaims},
		"OtherKeySameKid":    {cfg, secretOf("a", "active", key2), identity.InvalidToken},
		"SameKeyOtherKid":    {cfg, secretOf("b", "active", key1), identity.InvalidToken},
		"AllIsAsItShouldBe!": {cfg, secretOf("a", "active", key1), identity.OK},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := verifier.Verify(mint(t, newSigner(t, tt.cfg, tt.secret, noon), alice()))
			if got := outcome(err); got != tt.want {
				t.Errorf("outcome %s (%v), want %s", got, err, tt.want)
			}
		})
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()

	list := func(keys ...string) string { return "[" + strings.Join(keys, ",") + "]" }
	before := list(secretOf("a", "active", key1), secretOf("b", "next", key2))
	after := list(secretOf("a", "retiring", key1), secretOf("b", "active", key2))
	done := secretOf("b", "active", key2)

	old := mint(t, newSigner(t, cfg, before, noon), alice())
	fresh := mint(t, newSigner(t, cfg, after, noon), alice())
	for name, tt := range map[string]struct {
		secret, token string
		want          identity.Outcome
	}{
		"OldBeforePromotion":   {before, old, identity.OK},
		"FreshOnSlowVerifier":  {before, fresh, identity.OK},
		"OldAfterPromotion":    {after, old, identity.OK},
		"FreshAfterPromotion":  {after, fresh, identity.OK},
		"OldAfterTheKeyIsGone": {done, old, identity.InvalidToken},
		"FreshAtTheEnd":        {done, fresh, identity.OK},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := newVerifier(t, cfg, tt.secret, noon).Verify(tt.token)
			if got := outcome(err); got != tt.want {
				t.Errorf("outcome %s (%v), want %s", got, err, tt.want)
			}
		})
	}
}

func TestParseKeysRefuses(t *testing.T) {
	t.Parallel()

	const weak = "canary-short-key-of-31-bytes-xx"
	for name, secret := range map[string]string{
		"Empty":             ``,
		"NotJSON":           `canary`,
		"EmptyList":         `[]`,
		"ShortKey":          secretOf("a", "active", weak),
		"EmptyKey":          secretOf("a", "active", ""),
		"NoKey":             `{"kid":"a","alg":"HS256","status":"active"}`,
		"NoKid":             secretOf("", "active", key1),
		"KidWithSpace":      secretOf("a b", "active", key1),
		"KidWithQuote":      secretOf(`a"`, "active", key1),
		"LongKid":           secretOf(strings.Repeat("a", 65), "active", key1),
		"KidIsANumber":      `{"kid":1,"alg":"HS256","status":"active","key":"` + key1 + `"}`,
		"NoAlg":             `{"kid":"a","status":"active","key":"` + key1 + `"}`,
		"AlgNone":           `{"kid":"a","alg":"none","status":"active","key":"` + key1 + `"}`,
		"AlgInOtherCase":    `{"kid":"a","alg":"hs256","status":"active","key":"` + key1 + `"}`,
		"AlgRS256":          `{"kid":"a","alg":"RS256","status":"active","key":"` + key1 + `"}`,
		"UnknownStatus":     secretOf("a", "canary", key1),
		"NoneActive":        secretOf("a", "retiring", key1),
		"TwoActive":         "[" + secretOf("a", "active", key1) + "," + secretOf("b", "active", key2) + "]",
		"RepeatedKid":       "[" + secretOf("a", "active", key1) + "," + secretOf("a", "next", key2) + "]",
		"WeakRetiringKey":   "[" + secretOf("a", "active", key1) + "," + secretOf("b", "retiring", weak) + "]",
		"TrailingData":      secretOf("a", "active", key1) + "x",
		"KeyThatIsAnObject": `{"kid":"a","alg":"HS256","status":"active","key":{"canary":1}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := jwt.ParseKeys([]byte(secret))
			if !errors.Is(err, jwt.ErrKeys) {
				t.Fatalf("error = %v, want ErrKeys", err)
			}
			if strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), key1) {
				t.Errorf("error contains the secret: %v", err)
			}
		})
	}
}

func TestKeyFormsAreOneKey(t *testing.T) {
	t.Parallel()

	raw := strings.Repeat("\x01\xfe\x80", 11)
	plain := mint(t, newSigner(t, cfg, secretOf("a", "active", base64.RawURLEncoding.EncodeToString([]byte(raw))), noon), alice())
	padded := newVerifier(t, cfg, secretOf("a", "active", base64.URLEncoding.EncodeToString([]byte(raw))), noon)
	if _, err := padded.Verify(plain); err != nil {
		t.Errorf("padded and unpadded differ: %v", err)
	}
	// 32 characters of base64url are 24 bytes: they count as text.
	if _, err := jwt.ParseKeys([]byte(secretOf("a", "active", strings.Repeat("aB3_", 8)))); err != nil {
		t.Error(err)
	}
}

func TestConstructionRefused(t *testing.T) {
	t.Parallel()

	good := parseKeys(t, secretOf("a", "active", key1))
	for name, tt := range map[string]struct {
		cfg   jwt.Config
		keys  jwt.Keys
		clock func() time.Time
	}{
		"EmptyIssuer":   {jwt.Config{Audience: "a"}, good, time.Now},
		"BlankIssuer":   {jwt.Config{Issuer: " ", Audience: "a"}, good, time.Now},
		"EmptyAudience": {jwt.Config{Issuer: "i"}, good, time.Now},
		"NegativeTTL":   {jwt.Config{Issuer: "i", Audience: "a", TTL: -1}, good, time.Now},
		"LongTTL":       {jwt.Config{Issuer: "i", Audience: "a", TTL: time.Hour + time.Second}, good, time.Now},
		"FractionalTTL": {jwt.Config{Issuer: "i", Audience: "a", TTL: time.Millisecond}, good, time.Now},
		"NoKeys":        {cfg, jwt.Keys{}, time.Now},
		"NoClock":       {cfg, good, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := jwt.NewSigner(tt.cfg, tt.keys, tt.clock); err == nil {
				t.Error("a signer was made")
			}
			if _, err := jwt.NewVerifier(tt.cfg, tt.keys, tt.clock); err == nil {
				t.Error("a verifier was made")
			}
		})
	}
}

func TestSignRefuses(t *testing.T) {
	t.Parallel()

	signer := newSigner(t, cfg, secretOf("a", "active", key1), noon)
	for name, id := range map[string]identity.Identity{
		"NoSubject":         {},
		"ControlCharacter":  {Subject: "a\nb"},
		"LineSeparator":     {Subject: "a\u2028b"},
		"NotUTF8":           {Subject: "a\xff"},
		"LongSubject":       {Subject: strings.Repeat("a", 257)},
		"SessionWithCR":     {Subject: "a", SessionID: "\r"},
		"RoleWithSpace":     {Subject: "a", Roles: []string{"catalog admin"}},
		"RoleWithWideSpace": {Subject: "a", Roles: []string{"catalog\u2003admin"}},
		"EmptyRole":         {Subject: "a", Roles: []string{""}},
		"ScopeWithTab":      {Subject: "a", Scopes: []string{"a\tb"}},
		"AMRWithSpace":      {Subject: "a", AMR: []string{"pwd otp"}},
		"NegativeVersion":   {Subject: "a", AuthzVersion: -1},
		"HugeVersion":       {Subject: "a", AuthzVersion: 1 << 53},
		"FromTheFuture":     {Subject: "a", IssuedAt: noon.Add(jwt.Leeway + time.Millisecond)},
		"TooManyRoles":      {Subject: "a", Roles: strings.Fields(strings.Repeat("some-role ", 400))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if token, _, err := signer.Sign(id); err == nil {
				t.Errorf("signed %s", token)
			}
		})
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()

	secret := secretOf("a", "active", key1)
	signer, verifier := newSigner(t, cfg, secret, noon), newVerifier(t, cfg, secret, noon)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for j := range 100 {
				subject := fmt.Sprint(i, "-", j)
				token, _, err := signer.Sign(identity.Identity{Subject: subject})
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := verifier.Verify(token); err != nil || got.Subject != subject {
					t.Errorf("got %q, %v; want %q", got.Subject, err, subject)
				}
			}
		})
	}
	group.Wait()
}
