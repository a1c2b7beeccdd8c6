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
