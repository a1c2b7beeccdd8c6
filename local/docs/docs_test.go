package docs_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/local/docs"
)

func TestHandler(t *testing.T) {
	t.Parallel()
	full, empty := filepath.Join(t.TempDir(), "page"), t.TempDir()
	if err := os.Mkdir(full, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"index.html": "<title>page</title>", "page.js": "1", "../secret": "secret"} {
		if err := os.WriteFile(filepath.Join(full, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	api := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("api: " + r.RequestURI)) })
	for name, c := range map[string]struct {
		folder, method, path string
		status               int
		body                 string
	}{
		"Page":              {full, http.MethodGet, "/docs/", http.StatusOK, "<title>page"},
		"Script":            {full, http.MethodGet, "/docs/page.js", http.StatusOK, "1"},
		"WithoutTheSlash":   {full, http.MethodGet, "/docs", http.StatusFound, "/docs/"},
		"UnknownFile":       {full, http.MethodGet, "/docs/other", http.StatusNotFound, "404"},
		"OutsideTheFolder":  {full, http.MethodGet, "/docs/../secret", http.StatusNotFound, "404"},
		"OutsideByEncoding": {full, http.MethodGet, "/docs/..%2fsecret", http.StatusNotFound, "404"},
		"NotWritten":        {empty, http.MethodGet, "/docs/", http.StatusNotFound, "make docs"},
		"Document":          {full, http.MethodGet, "/docs/openapi.json", http.StatusOK, "api: /openapi.json"},
		"API":               {full, http.MethodGet, "/v1/products", http.StatusOK, "api"},
		"SimilarPath":       {full, http.MethodGet, "/docsx", http.StatusOK, "api"},
		"OtherMethodsOfAPI": {full, http.MethodPost, "/docs/", http.StatusOK, "api"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			r := httptest.NewRequestWithContext(t.Context(), c.method, "http://localhost"+c.path, nil)
			docs.Handler(c.folder, api).ServeHTTP(w, r)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.body) {
				t.Errorf("got %d %q, want %d and %q", w.Code, w.Body.String(), c.status, c.body)
			}
			ours := !strings.HasPrefix(c.body, "api")
			if got := w.Header().Get("Content-Security-Policy"); c.status == http.StatusOK && (got != "") != ours {
				t.Errorf("Content-Security-Policy %q", got)
			}
		})
	}
}
