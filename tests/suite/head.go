package suite

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// testHead compares HEAD with GET on every public read.
func (c *Caller) testHead(t *testing.T) {
	p := c.Create(t, NewProduct())
	for name, path := range map[string]string{
		"ListProducts":   "/v1/products" + query("category", p.Category),
		"SearchProducts": "/v1/products/search" + query("q", p.SKU),
		"GetProduct":     p.path(),
		"ListCategories": "/v1/categories",
		"JWKS":           "/.well-known/jwks.json",
		"Health":         "/health",
		"Liveness":       "/health/live",
		"Readiness":      "/health/ready",
		"NotFound":       "/v1/products/coffee",
		"BadRequest":     "/v1/products?limit=0",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			request := func(method, tag string) Request {
				return Request{Method: method, Path: path, Header: map[string]string{headerRequestID: "head", headerIfNoneMatch: tag}}
			}
			var got, head Answer
			for { // until no other test has changed what GET answers meanwhile
				got = c.Do(t, request(http.MethodGet, `""`))
				head = c.Do(t, request(http.MethodHead, `""`))
				if again := c.Do(t, request(http.MethodGet, `""`)); again.Header.Get(headerETag) == got.Header.Get(headerETag) {
					break
				}
			}
			if diff := cmp.Diff(described(got, path), described(head, path)); diff != "" || head.Status != got.Status || len(head.Body) > 0 {
				t.Errorf("HEAD is %d %q, GET %d; headers (-GET +HEAD):\n%s", head.Status, head.Body, got.Status, diff)
			}
			if etag := got.Header.Get(headerETag); etag != "" && path == p.path() {
				c.Do(t, request(http.MethodHead, etag)).want(t, http.StatusNotModified).wantHeader(t, headerETag, etag)
			}
		})
	}
}

// described returns the headers that GET and HEAD have in common. The length of a health report varies.
func described(a Answer, path string) http.Header {
	h := a.Header.Clone()
	for _, name := range []string{"Date", "Apigw-Requestid", "X-Amzn-Trace-Id"} {
		h.Del(name)
	}
	if strings.HasPrefix(path, "/health") {
		h.Del("Content-Length")
	}
	return h
}
