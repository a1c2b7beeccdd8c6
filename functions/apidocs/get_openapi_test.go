package apidocs_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/tienda-dev/tienda/functions/apidocs"
	"github.com/tienda-dev/tienda/shared/problem"
)

// get sends a request to the handler of a published document, or of one that is not.
func get(t *testing.T, published bool, header http.Header) (*httptest.ResponseRecorder, error) {
	t.Helper()
	handler, err := apidocs.GetOpenapi(apidocs.Config{Published: published})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/openapi.json", nil)
	r.Header = header
	w := httptest.NewRecorder()
	return w, handler(w, r)
}

func TestGetOpenapi(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		accept []string
		zipped bool
	}{
		"NoHeader":      {nil, false},
		"Identity":      {[]string{"identity"}, false},
		"Gzip":          {[]string{"gzip, deflate, br"}, true},
		"LaterInAList":  {[]string{"br;q=1.0, GZIP;q=0.5"}, true},
		"SecondHeader":  {[]string{"br", "gzip"}, true},
		"Refused":       {[]string{"gzip;q=0"}, false},
		"RefusedAsZero": {[]string{"gzip; q=0.000"}, false},
		"NotANumber":    {[]string{"gzip;q=x"}, false},
		"AnotherName":   {[]string{"x-gzip"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, err := get(t, true, http.Header{"Accept-Encoding": c.accept})
			if err != nil || w.Code != http.StatusOK {
				t.Fatalf("got %d, %v", w.Code, err)
			}
			if got := w.Header().Get("Content-Encoding") == "gzip"; got != c.zipped {
				t.Errorf("compressed is %t, want %t", got, c.zipped)
			}
			if got := w.Header().Get("Vary"); got != "Accept-Encoding" {
				t.Errorf("Vary %q", got)
			}
			var body io.Reader = w.Body
			if c.zipped {
				if body, err = gzip.NewReader(w.Body); err != nil {
					t.Fatal(err)
				}
			}
			var document struct {
				OpenAPI string         `json:"openapi"`
				Paths   map[string]any `json:"paths"`
			}
			if err := json.NewDecoder(body).Decode(&document); err != nil || document.OpenAPI != "3.1.1" || document.Paths["/openapi.json"] == nil {
				t.Errorf("not the API's document: %v, version %q", err, document.OpenAPI)
			}
		})
	}
}

func TestEachCodingHasItsEntityTag(t *testing.T) {
	t.Parallel()
	plain, _ := get(t, true, nil)
	zipped, _ := get(t, true, http.Header{"Accept-Encoding": {"gzip"}})
	tag := zipped.Header().Get("ETag")
	if tag == "" || tag == plain.Header().Get("ETag") {
		t.Fatalf("entity tags %q and %q", plain.Header().Get("ETag"), tag)
	}
	again, err := get(t, true, http.Header{"Accept-Encoding": {"gzip"}, "If-None-Match": {tag}})
	if err != nil || again.Code != http.StatusNotModified || again.Body.Len() > 0 || again.Header().Get("Cache-Control") == "" {
		t.Errorf("got %d with %d bytes, %v; want 304 without a body", again.Code, again.Body.Len(), err)
	}
	other, err := get(t, true, http.Header{"If-None-Match": {tag}})
	if err != nil || other.Code != http.StatusOK || bytes.Equal(other.Body.Bytes(), zipped.Body.Bytes()) {
		t.Errorf("the tag of gzip was taken for the plain document: %d, %v", other.Code, err)
	}
}

func TestDocumentThatIsNotPublished(t *testing.T) {
	t.Parallel()
	w, err := get(t, false, nil)
	if e, ok := problem.As(err); !ok || e.Kind != problem.NotFound || e.Code != "route_not_found" || w.Body.Len() > 0 {
		t.Errorf("got %v with %d bytes, want 404 route_not_found", err, w.Body.Len())
	}
}
