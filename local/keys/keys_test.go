package keys_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/local/keys"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/jwt"
)

const (
	// first is the secret that Secrets Manager generates for a first deploy, with an extra member.
	first  = `{"kid":"k1","alg":"HS256","status":"active","key":"canary-canary-canary-canary-canary","owner":"ops"}`
	canary = "canary"
)

var (
	noon       = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	accessCfg  = jwt.Config{Issuer: "iss", Audience: "api"}
	refreshCfg = jwt.RefreshConfig{Issuer: "iss", Audience: "token"}
)

func parse(t *testing.T, kind keys.Kind, secret string) *keys.Set {
	t.Helper()
	set, err := keys.Parse(kind, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// secretOf returns the JSON, which functions must accept.
func secretOf(t *testing.T, set *keys.Set) string {
	t.Helper()
	secret, err := set.Secret()
	if err != nil {
		t.Fatal(err)
	}
	return string(secret)
}

func parseKeys(t *testing.T, secret string) jwt.Keys {
	t.Helper()
	k, err := jwt.ParseKeys([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// statuses returns "kid status" of every key.
func statuses(set *keys.Set) []string {
	var list []string
	for _, line := range set.Lines() {
		list = append(list, line.ID+" "+string(line.Status))
	}
	return list
}

func mint(t *testing.T, secret string, now time.Time) string {
	t.Helper()
	s, err := jwt.NewSigner(accessCfg, parseKeys(t, secret), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := s.Sign(identity.Identity{Subject: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func accepts(t *testing.T, secret, token string, now time.Time) bool {
	t.Helper()
	v, err := jwt.NewVerifier(accessCfg, parseKeys(t, secret), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	_, err = v.Verify(token)
	return err == nil
}

// A whole rotation: at every step, functions with the secret of before and of after accept each
// other's tokens.
func TestRotation(t *testing.T) {
	t.Parallel()

	for _, alg := range []string{"", jwt.HS256, jwt.EdDSA, jwt.ES256, jwt.RS256} {
		t.Run("To"+alg, func(t *testing.T) {
			t.Parallel()
			secrets := []string{first}
			step := func(change func(*keys.Set) error, want ...string) {
				t.Helper()
				set := parse(t, keys.Access, secrets[len(secrets)-1])
				if err := change(set); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, statuses(set)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				secrets = append(secrets, secretOf(t, set))
			}
			step(func(s *keys.Set) error { return s.Add(alg, noon) }, "k1 active", "2026-11-24 next")
			promoted := noon.Add(10 * time.Minute)
			step(func(s *keys.Set) error { return s.Promote(false, promoted) }, "k1 retiring", "2026-11-24 active")

			for _, signer := range secrets {
				token := mint(t, signer, noon)
				for _, verifier := range secrets[1:] {
					if !accepts(t, verifier, token, noon) {
						t.Errorf("a token of %s is refused by %s", signer, verifier)
					}
				}
			}
			last := promoted.Add(10*time.Minute + jwt.MaxTTL + jwt.Leeway)
			step(func(s *keys.Set) error { return s.Remove(jwt.MaxTTL, false, last) }, "2026-11-24 active")
			if strings.Contains(secrets[3], canary) {
				t.Error("the removed key is still there")
			}
			if !strings.Contains(secrets[2], `"owner": "ops"`) {
				t.Error("a member that we do not know is lost")
			}
		})
	}
}

func TestStepsWait(t *testing.T) {
	t.Parallel()

	added := parse(t, keys.Access, first)
	if err := added.Add("", noon); err != nil {
		t.Fatal(err)
	}
	promoted := parse(t, keys.Access, secretOf(t, added))
	if err := promoted.Promote(true, noon); err != nil {
		t.Fatal(err)
	}
	foreign := strings.NewReplacer(`"added_at"`, `"x"`, `"retired_at"`, `"y"`)

	for name, tt := range map[string]struct {
		secret string
		kind   keys.Kind
		step   func(*keys.Set) error
		want   string // in the error; empty for none
	}{
		"PromoteTooEarly": {secretOf(t, added), keys.Access, func(s *keys.Set) error { return s.Promote(false, noon.Add(10*time.Minute-1)) }, "must wait until 2026-11-24T12:10:00Z"},
		"PromoteInTime":   {secretOf(t, added), keys.Access, func(s *keys.Set) error { return s.Promote(false, noon.Add(10*time.Minute)) }, ""},
		"PromoteForced":   {secretOf(t, added), keys.Access, func(s *keys.Set) error { return s.Promote(true, noon) }, ""},
		"PromoteUndated":  {foreign.Replace(secretOf(t, added)), keys.Access, func(s *keys.Set) error { return s.Promote(false, noon.AddDate(1, 0, 0)) }, "has no added_at"},
		"RemoveTooEarly":  {secretOf(t, promoted), keys.Access, func(s *keys.Set) error { return s.Remove(jwt.MaxTTL, false, noon.Add(time.Hour)) }, "must wait until 2026-11-24T13:10:05Z"},
		"RemoveInTime":    {secretOf(t, promoted), keys.Access, func(s *keys.Set) error { return s.Remove(jwt.MaxTTL, false, noon.Add(time.Hour+11*time.Minute)) }, ""},
		"RemoveForced":    {secretOf(t, promoted), keys.Access, func(s *keys.Set) error { return s.Remove(jwt.MaxTTL, true, noon) }, ""},
		"RemoveRefresh":   {secretOf(t, promoted), keys.Refresh, func(s *keys.Set) error { return s.Remove(7*24*time.Hour, false, noon.AddDate(0, 0, 7)) }, "must wait until 2026-12-01T12:10:05Z"},
		"RemoveLonger":    {secretOf(t, promoted), keys.Refresh, func(s *keys.Set) error { return s.Remove(720*time.Hour, false, noon.AddDate(0, 0, 30)) }, "must wait until 2026-12-24T12:10:05Z"},
		"RemoveUndated":   {foreign.Replace(secretOf(t, promoted)), keys.Access, func(s *keys.Set) error { return s.Remove(jwt.MaxTTL, false, noon.AddDate(1, 0, 0)) }, "has no retired_at"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := tt.step(parse(t, tt.kind, tt.secret))
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestStepsRefuse(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		kind keys.Kind
		step func(*keys.Set) error
		want string
	}{
		"UnknownAlgorithm":  {keys.Access, func(s *keys.Set) error { return s.Add("none", noon) }, `unknown algorithm "none"`},
		"NothingToPromote":  {keys.Access, func(s *keys.Set) error { return s.Promote(true, noon) }, "no key is next"},
		"NothingToRemove":   {keys.Access, func(s *keys.Set) error { return s.Remove(jwt.MaxTTL, true, noon) }, "no key is retiring"},
		"NothingToRevoke":   {keys.Access, func(s *keys.Set) error { return s.Revoke("k2", noon) }, `no key "k2"`},
		"RandomisedRefresh": {keys.Refresh, func(s *keys.Set) error { return s.Add(jwt.ES256, noon) }, "ES256 signs differently each time"},
		"PublicFormOfHS256": {keys.Access, func(s *keys.Set) error { _, err := s.Public(); return err }, "which has no public key"},
		"SecondNext": {keys.Access, func(s *keys.Set) error {
			if err := s.Add("", noon); err != nil {
				return err
			}
			return s.Add("", noon)
		}, `"2026-11-24" is next already`},
		"RevokedTwice": {keys.Access, func(s *keys.Set) error {
			if err := s.Revoke("k1", noon); err != nil {
				return err
			}
			return s.Revoke("k1", noon)
		}, `no key "k1"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := tt.step(parse(t, tt.kind, first))
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), canary) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	if _, err := keys.Parse(keys.Access, []byte(`{"kid":"k1"}`)); err == nil {
		t.Error("an unusable secret was read")
	}
}

func TestRevoke(t *testing.T) {
	t.Parallel()

	token := mint(t, first, noon)
	t.Run("ActiveWithoutANext", func(t *testing.T) {
		t.Parallel()
		set := parse(t, keys.Access, first)
		if err := set.Revoke("k1", noon); err != nil {
			t.Fatal(err)
		}
		secret := secretOf(t, set)
		if diff := cmp.Diff([]string{"k1 revoked", "2026-11-24 active"}, statuses(set)); diff != "" {
			t.Error(diff)
		}
		if accepts(t, secret, token, noon) || strings.Contains(secret, canary) {
			t.Errorf("the revoked key lives on: %s", secret)
		}
		if !accepts(t, secret, mint(t, secret, noon), noon) {
			t.Error("nothing signs now")
		}
	})
	t.Run("ActiveWithANext", func(t *testing.T) {
		t.Parallel()
		set := parse(t, keys.Access, first)
		if err := set.Add(jwt.EdDSA, noon); err != nil {
			t.Fatal(err)
		}
		if err := set.Revoke("k1", noon); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"k1 revoked", "2026-11-24 active"}, statuses(set)); diff != "" {
			t.Error(diff)
		}
		if got := set.Lines()[1]; got.Alg != jwt.EdDSA || !got.Since.Equal(noon) {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("Next", func(t *testing.T) {
		t.Parallel()
		set := parse(t, keys.Refresh, first)
		if err := set.Add("", noon); err != nil {
			t.Fatal(err)
		}
		if err := set.Revoke("2026-11-24", noon); err != nil {
			t.Fatal(err)
		}
		if err := set.Add("", noon); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"k1 active", "2026-11-24 revoked", "2026-11-24.2 next"}, statuses(set)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestRefreshSecretsKeepSigningAlike(t *testing.T) {
	t.Parallel()

	set := parse(t, keys.Refresh, first)
	if err := set.Add(jwt.EdDSA, noon); err != nil {
		t.Fatal(err)
	}
	if err := set.Promote(true, noon); err != nil {
		t.Fatal(err)
	}
	if _, err := jwt.NewRefreshSigner(refreshCfg, parseKeys(t, secretOf(t, set))); err != nil {
		t.Error(err)
	}

	// A secret from another author is not printed either.
	randomised := parse(t, keys.Access, first)
	if err := randomised.Add(jwt.ES256, noon); err != nil {
		t.Fatal(err)
	}
	if err := randomised.Promote(true, noon); err != nil {
		t.Fatal(err)
	}
	if _, err := parse(t, keys.Refresh, secretOf(t, randomised)).Secret(); err == nil {
		t.Error("ES256 may sign refresh tokens")
	}
}

func TestPublicSecretVerifiesOnly(t *testing.T) {
	t.Parallel()

	for _, alg := range []string{jwt.EdDSA, jwt.ES256, jwt.RS256} {
		set := parse(t, keys.Access, first)
		if err := set.Add(alg, noon); err != nil {
			t.Fatal(err)
		}
		if err := set.Promote(true, noon); err != nil {
			t.Fatal(err)
		}
		if err := set.Revoke("k1", noon); err != nil {
			t.Fatal(err)
		}
		private := secretOf(t, set)
		public, err := set.Public()
		if err != nil {
			t.Fatal(err)
		}
		if !accepts(t, string(public), mint(t, private, noon), noon) {
			t.Errorf("%s: the public secret does not verify", alg)
		}
		if _, err := jwt.NewSigner(accessCfg, parseKeys(t, string(public)), time.Now); err == nil {
			t.Errorf("%s: the public secret signs", alg)
		}
		var list []struct {
			Key map[string]string
		}
		if err := json.Unmarshal(public, &list); err != nil {
			t.Fatal(err)
		}
		for _, k := range list {
			if k.Key["d"] != "" || k.Key["p"] != "" {
				t.Errorf("%s: a private member is in the public secret", alg)
			}
		}
		if strings.Contains(string(public), "PRIVATE") {
			t.Errorf("%s: a private key is in the public secret", alg)
		}
	}
}
