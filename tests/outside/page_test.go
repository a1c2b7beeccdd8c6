//go:build outside

package outside_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/local/docs"
)

// pageTime is more than the browser takes to open every operation.
const pageTime = 8 * time.Minute

// TestPage opens the page of `make run` in a browser and tries an operation out. It writes the screenshot of README into
// .cache: copy it to docs/images when the page has changed.
//
//nolint:paralleltest // a browser beside schemathesis waits for the processors
func TestPage(t *testing.T) {
	given := arguments(t)
	said := look(t, given[0]+docs.Path, filepath.Join(installed(t), "page.png"), given[1])
	if want := "the page shows every operation, and a try-out answers 200"; !strings.Contains(said, want) {
		t.Errorf("the browser's script printed %q, want %q", said, want)
	}
}

// TestStaticPage opens the page of `make docs` on a web host that has nothing else.
//
//nolint:paralleltest // as TestPage
func TestStaticPage(t *testing.T) {
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
	chromium, env := browser(t)
	return program(t, pageTime, folder, env, "node", append([]string{"page.mjs", url, chromium, screenshot}, token...)...)
}

// browser returns the path of Chromium, or of a browser made from it, and the variables that it needs. Where npm has no
// Chromium, it is the machine's.
func browser(t *testing.T) (path string, env []string) {
	t.Helper()
	if runtime.GOOS == "linux" && runtime.GOARCH == "amd64" {
		path = installed(t, "chromium", "chromium")
		folder := filepath.Dir(path)
		return path, []string{"LD_LIBRARY_PATH=" + filepath.Join(folder, "al2023", "lib"), "FONTCONFIG_PATH=" + filepath.Join(folder, "fonts")}
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	t.Fatal("Chromium is missing: install it")
	return "", nil
}
