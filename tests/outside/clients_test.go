//go:build outside

package outside_test

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// clientTime is more than it takes to generate, compile and run a client.
const clientTime = 5 * time.Minute

// done is what the clients print when all of their calls got the answers that openapi.yaml promises.
const done = "registered, logged in, listed, created, and met the conflict"

// arguments returns what the clients are given: the API's URL, a token of a user who may create products, and a new
// word.
func arguments(t *testing.T) []string {
	t.Helper()
	token, err := shared.Token("clients-"+rand.Text(), "catalog")
	if err != nil {
		t.Fatal(err)
	}
	return []string{shared.URL, token, "w" + strings.ToLower(rand.Text()[:12])}
}

// copied returns a new folder with the files of a folder, and the path of openapi.yaml.
func copied(t *testing.T, folder string) (to, document string) {
	t.Helper()
	to = t.TempDir()
	if err := os.CopyFS(to, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	document, err := filepath.Abs(filepath.Join(root, "openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return to, document
}

// TestGoClient generates a client with oapi-codegen and uses it.
func TestGoClient(t *testing.T) {
	t.Parallel()
	folder, document := copied(t, "goclient")
	generator := installed(t, "bin", "oapi-codegen-"+version(t, "OAPI_CODEGEN_VERSION"), "oapi-codegen")
	program(t, clientTime, folder, nil, generator, "-generate", "types,client", "-package", "main", "-o", "api.gen.go", document)
	said := program(t, clientTime, folder, []string{"GOFLAGS=-mod=readonly"}, "go", append([]string{"run", "."}, arguments(t)...)...)
	if !strings.Contains(said, done) {
		t.Errorf("the client printed %q, want %q", said, done)
	}
}

// TestTypeScriptClient generates types with openapi-typescript, compiles a client that uses them, and runs it.
func TestTypeScriptClient(t *testing.T) {
	t.Parallel()
	folder, document := copied(t, "tsclient")
	modules := installed(t, "openapi-tools", "node_modules")
	if err := os.Symlink(modules, filepath.Join(folder, "node_modules")); err != nil {
		t.Fatal(err)
	}
	// A member with a default may be left out of a request.
	program(t, clientTime, folder, nil, filepath.Join(modules, ".bin", "openapi-typescript"), document, "--default-non-nullable", "false", "-o", "api.d.ts")
	program(t, clientTime, folder, nil, filepath.Join(modules, ".bin", "tsc"), "--project", ".")
	said := program(t, clientTime, folder, nil, "node", append([]string{filepath.Join("out", "flow.js")}, arguments(t)...)...)
	if !strings.Contains(said, done) {
		t.Errorf("the client printed %q, want %q", said, done)
	}
}

// version returns the version of a tool that tools.mk pins.
func version(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "tools", "tools.mk"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":="); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	t.Fatalf("tools.mk has no %s", name)
	return ""
}
