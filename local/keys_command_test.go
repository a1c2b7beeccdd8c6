package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/local/token"
	"github.com/tienda-dev/tienda/shared/jwt"
)

// rootWithTemplate returns a folder that holds the repository's template and nothing else.
func rootWithTemplate(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	text, err := os.ReadFile("../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "template.yaml"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	return root
}

func TestKeysAreMadeRotatedAndNeverShown(t *testing.T) {
	t.Parallel()
	root := rootWithTemplate(t)
	path := token.Path(filepath.Join(root, ".cache"), "TokenKeysSecret")
	keys := func(args ...string) string {
		t.Helper()
		var out bytes.Buffer
		if err := run(t.Context(), append([]string{"keys", "-root", root}, args...), environment(nil), &out); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := jwt.ParseKeys(data); err != nil {
			t.Fatalf("after %q: %v", args, err)
		}
		if strings.Contains(out.String(), "key") || len(out.String()) > 400 {
			t.Errorf("more than statuses is shown: %s", out.String())
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("got the mode %v, %v", info.Mode(), err)
		}
		return out.String()
	}

	if got := keys(); got != "k1  HS256  active\n" {
		t.Errorf("at first: %q", got)
	}
	if got := keys("-alg", "EdDSA", "add"); !strings.Contains(got, "EdDSA  next") {
		t.Errorf("after add: %q", got)
	}
	err := run(t.Context(), []string{"keys", "-root", root, "promote"}, environment(nil), &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "must wait until") {
		t.Errorf("promote at once: %v", err)
	}
	if got := keys("-force", "promote"); !strings.Contains(got, "HS256  retiring") || !strings.Contains(got, "EdDSA  active") {
		t.Errorf("after promote: %q", got)
	}
	if got := keys("-kid", "k1", "revoke"); !strings.Contains(got, "HS256  revoked") {
		t.Errorf("after revoke: %q", got)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".new-*")); err != nil || len(left) > 0 {
		t.Errorf("got %v left, %v", left, err)
	}
	// A token is minted with the new key.
	var out bytes.Buffer
	if err := run(t.Context(), []string{"token", "-root", root}, environment(nil), &out); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), "eyJhbGciOiJFZERTQSI") {
		t.Errorf("the token is %s", out.String())
	}
}

// With a file the command is a filter, and touches nothing.
func TestKeysOfElsewhereAreFiltered(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	from := filepath.Join(root, "secret.json")
	const secret = `{"kid":"k1","alg":"HS256","status":"active","key":"0123456789abcdef0123456789abcdef!"}`
	if err := os.WriteFile(from, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	filter := func(args ...string) (string, error) {
		var out bytes.Buffer
		err := run(t.Context(), append([]string{"keys", "-root", root, "-from", from}, args...), environment(nil), &out)
		return out.String(), err
	}

	added, err := filter("-secret", "RefreshKeysSecret", "-alg", "EdDSA", "add")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := jwt.ParseKeys([]byte(added)); err != nil || !strings.Contains(added, "0123456789abcdef!") {
		t.Errorf("what is printed is not the secret: %v", err)
	}
	if got, err := filter("show"); err != nil || got != "k1  HS256  active\n" {
		t.Errorf("show: %q, %v", got, err)
	}
	if _, err := filter("-secret", "RefreshKeysSecret", "-alg", "ES256", "add"); err == nil {
		t.Error("ES256 may sign refresh tokens")
	}
	if _, err := filter("rotate"); err == nil || !strings.Contains(err.Error(), `unknown step "rotate"`) {
		t.Errorf("an unknown step: %v", err)
	}
	if _, err := filter("public"); err == nil {
		t.Error("HS256 has a public form")
	}
	if got, err := os.ReadFile(from); err != nil || string(got) != secret {
		t.Errorf("the file was changed: %v", err)
	}
	if entries, err := os.ReadDir(root); err != nil || len(entries) != 1 {
		t.Errorf("got %v, %v", entries, err)
	}
}

// A refresh token lives as long as a session may be idle, so its key stays as long.
func TestRefreshKeysStayAsLongAsTheirTokens(t *testing.T) {
	t.Parallel()
	const retiring = `[{"kid":"k1","alg":"HS256","status":"retiring","key":"0123456789abcdef0123456789abcdef!","retired_at":"2026-11-24T12:00:00Z"},
		{"kid":"k2","alg":"HS256","status":"active","key":"abcdef0123456789abcdef0123456789!"}]`
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		template string // what its SessionIdle is by default
		from     bool   // the secret is from elsewhere
		idle     time.Duration
		force    bool
		after    time.Duration
		want     string // in the error; empty is none
	}{
		"AsTheTemplateSays":       {template: "168h", after: 168*time.Hour + 11*time.Minute},
		"LongerInTheTemplate":     {template: "720h", after: 168*time.Hour + 11*time.Minute, want: "must wait until 2026-12-24T12:10:05Z"},
		"LongerInTheTemplateOver": {template: "720h", after: 720*time.Hour + 11*time.Minute},
		"TheFlagIsStronger":       {template: "168h", idle: 720 * time.Hour, after: 168*time.Hour + 11*time.Minute, want: "must wait until 2026-12-24"},
		"ElsewhereUnknown":        {template: "168h", from: true, after: 9000 * time.Hour, want: "SESSION_IDLE of that stack, as in -idle 168h"},
		"ElsewhereTooEarly":       {template: "1h", from: true, idle: 168 * time.Hour, after: 2 * time.Hour, want: "must wait until 2026-12-01T12:10:05Z"},
		"ElsewhereInTime":         {template: "720h", from: true, idle: 168 * time.Hour, after: 168*time.Hour + 11*time.Minute},
		"ElsewhereForced":         {template: "720h", from: true, force: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := rootWithTemplate(t)
			path := filepath.Join(root, "template.yaml")
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			changed := strings.Replace(string(text), "Default: 168h", "Default: "+tt.template, 1)
			if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
				t.Fatal(err)
			}
			secret := token.Path(filepath.Join(root, ".cache"), "RefreshKeysSecret")
			r := rotation{secret: "RefreshKeysSecret", step: "remove", idle: tt.idle, force: tt.force}
			if tt.from {
				secret = filepath.Join(root, "secret.json")
				r.from = secret
			}
			if err := os.MkdirAll(filepath.Dir(secret), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(secret, []byte(retiring), 0o600); err != nil {
				t.Fatal(err)
			}
			err = rotate(options(root, environment(nil)), r, noon.Add(tt.after), &bytes.Buffer{})
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
