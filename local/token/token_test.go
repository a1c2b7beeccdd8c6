package token_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/local/token"
	"github.com/tienda-dev/tienda/shared/jwt"
)

func read(t *testing.T) *template.Template {
	t.Helper()
	m, err := template.ReadFile("../../template.yaml", template.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMintedTokenIsAccepted(t *testing.T) {
	t.Parallel()
	dir, m := t.TempDir(), read(t)
	if err := token.EnsureSecrets(dir, m.Secrets); err != nil {
		t.Fatal(err)
	}
	minted, err := token.Mint(m, dir, "ada", []string{"catalog", "fulfilment"}, time.Now)
	if err != nil {
		t.Fatal(err)
	}

	data, err := os.ReadFile(token.Path(dir, "TokenKeysSecret"))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := jwt.ParseKeys(data)
	if err != nil {
		t.Fatal(err)
	}
	cfg := jwt.Config{Issuer: m.Parameters["TokenIssuer"], Audience: m.Parameters["TokenAudience"]}
	verifier, err := jwt.NewVerifier(cfg, keys, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	id, err := verifier.Verify(minted)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"catalog", "fulfilment"}, id.Roles); diff != "" || id.Subject != "ada" {
		t.Errorf("got %+v", id)
	}
}

func TestSecretsAreMadeOnceAndForTheOwnerOnly(t *testing.T) {
	t.Parallel()
	dir, m := t.TempDir(), read(t)
	var made sync.WaitGroup
	for range 8 {
		made.Go(func() {
			if err := token.EnsureSecrets(dir, m.Secrets); err != nil {
				t.Error(err)
			}
		})
	}
	made.Wait()
	path := token.Path(dir, "CursorKeySecret")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}

	if err := token.EnsureSecrets(dir, m.Secrets); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(path)
	if err != nil || string(after) != string(before) {
		t.Errorf("the secret changed: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got the mode %v, %v", info.Mode(), err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "secrets", ".new-*")); err != nil || len(left) > 0 {
		t.Errorf("got %v left, %v", left, err)
	}
}

func TestMintWithoutKeysSaysWhatMakesThem(t *testing.T) {
	t.Parallel()
	_, err := token.Mint(read(t), t.TempDir(), "ada", nil, time.Now)
	if err == nil || !strings.Contains(err.Error(), "`make run` makes them") {
		t.Errorf("got %v", err)
	}
}

func TestSecretThatCannotBeUsedIsNamed(t *testing.T) {
	t.Parallel()
	const good = `"kid":"k1","alg":"HS256","status":"active","key":"` + "0123456789abcdef0123456789abcdef" + `"`
	for name, content := range map[string]string{
		"Empty":               "",
		"Blank":               "\n",
		"Truncated":           `{"kid":"k1","alg":"HS2`,
		"NotJSON":             "\x00\x01\x02",
		"Text":                `"key"`,
		"EmptyList":           `[]`,
		"EmptyObject":         `{}`,
		"WithoutAKey":         `{"kid":"k1","alg":"HS256","status":"active"}`,
		"EmptyKey":            `{"kid":"k1","alg":"HS256","status":"active","key":""}`,
		"ShortKey":            `{"kid":"k1","alg":"HS256","status":"active","key":"0123456789"}`,
		"KeyOfNumber":         `{"kid":"k1","alg":"HS256","status":"active","key":12345678901234567890123456789012}`,
		"RevokedNameless":     `[{` + good + `},{"alg":"HS256","status":"revoked"}]`,
		"RetiringWithoutAKey": `[{` + good + `},{"kid":"k2","alg":"HS256","status":"retiring"}]`,
		"SecondIsBad":         `[{` + good + `},{"kid":"k2"}]`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantUnusable(t, "TokenKeysSecret", content)
		})
	}
}

// Keys that sign no token have no algorithm.
func TestKeyOfAnotherKindThatCannotBeUsedIsNamed(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"Empty":       "",
		"EmptyList":   `[]`,
		"NoStatus":    `{"kid":"k1","key":"0123456789abcdef0123456789abcdef"}`,
		"EmptyKid":    `{"kid":"","status":"active","key":"0123456789abcdef0123456789abcdef"}`,
		"WithoutAKey": `{"kid":"k1","status":"active"}`,
		"ShortKey":    `{"kid":"k1","status":"active","key":"0123456789"}`,
		"KeyOfNumber": `{"kid":"k1","status":"active","key":12345678901234567890123456789012}`,
		"SecondIsBad": `[{"kid":"k1","status":"active","key":"0123456789abcdef0123456789abcdef"},{"kid":"k2","status":"next"}]`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantUnusable(t, "CursorKeySecret", content)
		})
	}
}

// wantUnusable checks that the error names the file and not its content, and that the file is unchanged.
func wantUnusable(t *testing.T, secret, content string) {
	t.Helper()
	dir, m := t.TempDir(), read(t)
	path := token.Path(dir, secret)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	err := token.EnsureSecrets(dir, m.Secrets)
	want := "the local secret " + path + " cannot be used: delete it, and another one is made ("
	if strings.HasPrefix(content, "[{") && strings.Contains(content, "},{") { // the good keys are worth keeping
		want = "the local secret " + path + " cannot be used: correct it, and keep its other keys ("
	}
	if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v, want one line that begins with %q", err, want)
	}
	if err != nil && strings.Contains(err.Error(), "0123456789") {
		t.Errorf("%q contains the key", err)
	}
	if kept, err := os.ReadFile(path); err != nil || string(kept) != content {
		t.Errorf("the file has changed: %q, %v", kept, err)
	}
}

func TestSecretThatWasRotatedIsLeftAlone(t *testing.T) {
	t.Parallel()
	const active = `{"kid":"k2","alg":"HS256","status":"active","key":"0123456789abcdef0123456789abcdef"}`
	for name, list := range map[string]string{
		"Retiring": `[` + active + `,{"kid":"k1","alg":"HS256","status":"retiring","key":"abcdef0123456789abcdef0123456789"}]`,
		// RFC 8037 appendix A.1.
		"JWK": `[` + active + `,{"kid":"k3","alg":"EdDSA","status":"next","key":{"kty":"OKP","crv":"Ed25519",
			"d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}]`,
		"Revoked": `[` + active + `,{"kid":"k1","alg":"HS256","status":"revoked"}]`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, m := t.TempDir(), read(t)
			if err := token.EnsureSecrets(dir, m.Secrets); err != nil {
				t.Fatal(err)
			}
			path := token.Path(dir, "TokenKeysSecret")
			if err := os.WriteFile(path, []byte(list), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := token.EnsureSecrets(dir, m.Secrets); err != nil {
				t.Fatal(err)
			}
			if _, err := token.Mint(m, dir, "ada", nil, time.Now); err != nil {
				t.Error(err)
			}
			if kept, err := os.ReadFile(path); err != nil || string(kept) != list {
				t.Errorf("the file has changed: %q, %v", kept, err)
			}
		})
	}
}
