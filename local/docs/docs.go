// Package docs serves the page of the API's document beside the API on this machine.
package docs

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

const (
	// Path is where the page is.
	Path = "/docs/"
	// document is the name of the API's document, beside the page and at the API.
	document = "openapi.json"
)

// policy lets the page load what is in its own folder, and call the API that serves it. Swagger UI sets styles
// from its script and draws with data: images.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Handler serves the folder that `make docs` writes below Path, and everything else by the API, also the document beside
// the page: it is that of the API that runs. API Gateway has no such route: on AWS the folder belongs to a web host.
func Handler(folder string, api http.Handler) http.Handler {
	files := http.StripPrefix(Path, http.FileServerFS(os.DirFS(folder)))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			api.ServeHTTP(w, r)
		case r.URL.Path+"/" == Path:
			http.Redirect(w, r, Path, http.StatusFound)
		case !strings.HasPrefix(r.URL.Path, Path):
			api.ServeHTTP(w, r)
		case !written(folder):
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte("The page is not there yet: run `make docs`, then load it again.\n"))
		case r.URL.Path == Path+document:
			served := r.Clone(r.Context())
			served.URL.Path, served.URL.RawPath = "/"+document, ""
			served.RequestURI = served.URL.RequestURI()
			api.ServeHTTP(w, served)
		default:
			w.Header().Set("Content-Security-Policy", policy)
			w.Header().Set("X-Content-Type-Options", "nosniff")
			w.Header().Set("Referrer-Policy", "no-referrer")
			w.Header().Set("Cache-Control", "no-cache")
			files.ServeHTTP(w, r)
		}
	})
}

func written(folder string) bool {
	info, err := os.Stat(filepath.Join(folder, "index.html"))
	return err == nil && info.Mode().Type() == fs.FileMode(0)
}
