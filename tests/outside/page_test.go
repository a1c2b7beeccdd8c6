//go:build outside

package outside_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pageTime is more than the browser takes to open every operation.
const pageTime = 5 * time.Minute

// TestPage opens the page of `make docs` in a browser and tries an operation out. It writes the screenshot of README
// into .cache: copy it to docs/images when the page has changed.
func TestPage(t *testing.T) {
	t.Parallel()
	installed(t, "docs", "index.html")
	folder := t.TempDir()
	script, err := os.ReadFile("page.mjs")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "page.mjs"), script, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(installed(t, "openapi-tools", "node_modules"), filepath.Join(folder, "node_modules")); err != nil {
		t.Fatal(err)
	}
	given := arguments(t)
	screenshot := filepath.Join(installed(t), "page.png")
	said := program(t, pageTime, folder, nil, "node", "page.mjs", given[0], given[1], browser(t), screenshot)
	if want := "the page shows every operation, and a try-out answers 200"; !strings.Contains(said, want) {
		t.Errorf("the browser's script printed %q, want %q", said, want)
	}
}

// browser returns the path of Chromium or of a browser made from it.
func browser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("there is no Chromium (on Debian: apt-get install chromium)")
	return ""
}
