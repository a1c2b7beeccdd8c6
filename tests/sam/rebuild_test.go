//go:build sam

package sam_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/local/sam"
)

// TestSAMServesARebuiltFunction builds a function again while `sam local start-api` serves it.
func TestSAMServesARebuiltFunction(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile(filepath.Join("testdata", "echo.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	const code = "CodeUri: echo\n"
	if strings.Count(string(source), code) != 1 {
		t.Fatalf("echo.yaml does not have %q once", code)
	}
	template := filepath.Join(t.TempDir(), "template.yaml")
	if err := os.WriteFile(template, []byte(strings.Replace(string(source), code, "CodeUri: rebuilt\n", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	folder, err := filepath.Abs(filepath.Join(root, ".cache", "sam", "rebuilt"))
	if err != nil {
		t.Fatal(err)
	}
	buildEcho(t, folder, "old")
	server, err := shared.cli.StartAPI(t.Context(), sam.ServeOptions{Template: template})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	if got := answeredBy(t, server.URL); got != "old" {
		t.Fatalf("version %q answers, want old", got)
	}

	buildEcho(t, folder, "new")
	// SAM sees the change after a moment, and answers 502 while it ends the old container.
	const watchdog = 2 * time.Minute
	for began := time.Now(); answeredBy(t, server.URL) != "new"; time.Sleep(200 * time.Millisecond) {
		if time.Since(began) > watchdog {
			t.Fatal("the old version still answers")
		}
	}
}

// answeredBy returns the version of the echo function that answers.
func answeredBy(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/echo/a", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.Header.Get("X-Version")
}
