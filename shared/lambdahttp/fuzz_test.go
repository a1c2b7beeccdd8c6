package lambdahttp_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/tienda-dev/tienda/shared/lambdahttp"
)

// FuzzInvoke checks that any input gets an HTTP response, and that a request that reaches the handler is
// one that net/http could have made.
func FuzzInvoke(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, text := range []string{"", "null", "{}", "[]", "\x00", `{"requestContext":{"http":{"method":"GET"}}}`} {
		f.Add([]byte(text))
	}

	f.Fuzz(func(t *testing.T, data []byte) {
		h := lambdahttp.New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL == nil || r.URL.Path == "" || r.URL.Path[0] != '/' || r.Method == "" || r.Header == nil || r.Body == nil {
				t.Errorf("request %+v", r)
			}
			for name, values := range r.Header {
				w.Header()["X-"+name] = values
			}
			w.Header().Add("Set-Cookie", r.URL.RequestURI())
			w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
			w.WriteHeader(100 + int(r.ContentLength)%500)
			if n, err := io.Copy(w, r.Body); err == nil && r.Method != http.MethodHead && n != r.ContentLength {
				t.Errorf("body of %d bytes, ContentLength %d", n, r.ContentLength)
			}
		}), lambdahttp.Config{BasePath: "/api"})

		out, err := h.Invoke(t.Context(), data)
		if err != nil {
			t.Fatalf("function error: %v", err)
		}
		var got response
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("answer %q: %v", out, err)
		}
		if got.StatusCode < 101 || got.StatusCode > 999 || got.Headers == nil {
			t.Fatalf("answer %s", out)
		}
		if got.StatusCode != http.StatusInternalServerError && !json.Valid(data) {
			t.Fatalf("status %d for an event that is not JSON", got.StatusCode)
		}
		_ = got.body(t)
	})
}
