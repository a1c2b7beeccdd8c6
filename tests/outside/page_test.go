//go:build outside

package outside_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/local/docs"
)

// pageTime is more than the browser takes to open every operation.
const pageTime = 5 * time.Minute

// TestPage opens the page of `make run` in a browser and tries an operation out. It writes the screenshot of README into
// .cache: copy it to docs/images when the page has changed.
func TestPage(t *testing.T) {
	t.Parallel()
	given := arguments(t)
	said := look(t, given[0]+docs.Path, filepath.Join(installed(t), "page.png"), given[1])
	if want := "the page shows every operation, and a try-out answers 200"; !strings.Contains(said, want) {
		t.Errorf("the browser's script printed %q, want %q", said, want)
	}
}

// TestStaticPage opens the page of `make docs` on a web host that has nothing else.
func TestStaticPage(t *testing.T) {
	t.Parallel()
	host := httptest.NewServer(http.StripPrefix("/shop/", http.FileServerFS(os.DirFS(installed(t, "docs")))))
	t.Cleanup(host.Close)
	said := look(t, host.URL+"/shop/", filepath.Join(t.TempDir(), "page.png"))
	if want := "the page shows every operation"; !strings.Contains(said, want) {
		t.Errorf("the browser's script printed %q, want %q", said, want)
	}
}

// look runs page.mjs with a browser, and returns what it prints.
func look(t *testing.T, url, screenshot string, token ...string) string {
	t.Helper()
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
	return program(t, pageTime, folder, nil, "node", append([]string{"page.mjs", url, browser(t), screenshot}, token...)...)
}

// browser returns the path of Chromium or of a browser made from it.
func browser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("Chromium is missing (on Debian: apt-get install chromium)")
	return ""
}
