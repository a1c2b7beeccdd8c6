package suite

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"testing"
)

const openapiPath = "/openapi.json"

// testOpenAPI reads the API's document in both of its codings.
func (c *Caller) testOpenAPI(t *testing.T) {
	read := Request{Method: http.MethodGet, Path: openapiPath, Header: map[string]string{"Accept-Encoding": "identity"}}
	zipped := Request{Method: http.MethodGet, Path: openapiPath, Header: map[string]string{"Accept-Encoding": "gzip"}}

	plain := c.Do(t, read).want(t, http.StatusOK)
	plain.wantHeader(t, "Content-Encoding", "")
	plain.wantHeader(t, headerCacheControl, "public, max-age=300")
	var document struct {
		OpenAPI string         `json:"openapi"`
		Paths   map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(plain.Body, &document); err != nil || document.OpenAPI == "" || document.Paths[openapiPath] == nil {
		t.Errorf("not the API's document: %v, %.200s", err, plain.Body)
	}

	// Without the checks of every answer: they read JSON.
	packed, err := c.Send(t, zipped)
	if err != nil {
		t.Fatal(err)
	}
	packed.want(t, http.StatusOK).wantHeader(t, "Content-Encoding", "gzip")
	reader, err := gzip.NewReader(bytes.NewReader(packed.Body))
	if err != nil {
		t.Fatal(err)
	}
	if unpacked, err := io.ReadAll(reader); err != nil || !bytes.Equal(unpacked, plain.Body) {
		t.Errorf("the compressed document is another one: %v", err)
	}

	for _, r := range []struct {
		request Request
		tag     string
		status  int
	}{
		{read, plain.Header.Get(headerETag), http.StatusNotModified},
		{zipped, packed.Header.Get(headerETag), http.StatusNotModified},
		{read, packed.Header.Get(headerETag), http.StatusOK},
	} {
		r.request.Header = map[string]string{"Accept-Encoding": r.request.Header["Accept-Encoding"], headerIfNoneMatch: r.tag}
		c.Do(t, r.request).want(t, r.status)
	}
}
