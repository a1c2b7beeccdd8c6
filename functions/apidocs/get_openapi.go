package apidocs

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	_ "embed" // the document
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/problem"
)

// Config says whether the document is published.
type Config struct {
	// Published is false where the API does not describe itself to everybody.
	Published bool `env:"OPENAPI_PUBLISHED"`
}

// openapiMaxAge is how long clients may keep the document without asking. A new release has another entity tag.
const openapiMaxAge = "public, max-age=300"

// compressed is the document as JSON, compressed with gzip when `make generate` wrote it.
//
//go:embed openapi.json.gz
var compressed []byte

// variant is the document in one content coding.
type variant struct {
	coding string // the value of Content-Encoding; empty is none
	body   []byte
	etag   string
}

// GetOpenapi answers 200 with the API's OpenAPI document, in gzip if the client accepts it, or, if it is not published,
// 404 as for an unknown route. Each coding has a strong entity tag of its own (RFC 9110 section 8.8.3.3).
func GetOpenapi(cfg Config) (api.Handler, error) {
	if !cfg.Published {
		return func(http.ResponseWriter, *http.Request) error { return problem.RouteNotFound() }, nil
	}
	hash := sha256.Sum256(compressed)
	tag := hex.EncodeToString(hash[:8])
	zipped := variant{coding: "gzip", body: compressed, etag: strconv.Quote(tag + "-gzip")}
	plain := variant{etag: strconv.Quote(tag)}
	reader, err := gzip.NewReader(bytes.NewReader(compressed))
	if err == nil {
		plain.body, err = io.ReadAll(reader)
	}
	if err != nil {
		return nil, fmt.Errorf("read the embedded document: %w", err)
	}

	return func(w http.ResponseWriter, r *http.Request) error {
		h := w.Header()
		h.Set("Cache-Control", openapiMaxAge)
		h.Add("Vary", "Accept-Encoding")
		chosen := plain
		if acceptsGzip(r.Header.Values("Accept-Encoding")) {
			chosen = zipped
		}
		h.Set("ETag", chosen.etag)
		if api.NotModified(r, chosen.etag) {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
		if chosen.coding != "" {
			h.Set("Content-Encoding", chosen.coding)
		}
		h.Set("Content-Type", api.ContentTypeJSON)
		_, err := w.Write(chosen.body)
		return err
	}, nil
}

// acceptsGzip reports whether Accept-Encoding names gzip with a quality above 0 (RFC 9110 section 12.5.3). "*" alone
// gets the plain document.
func acceptsGzip(values []string) bool {
	for _, value := range values {
		for coding := range strings.SplitSeq(value, ",") {
			name, parameters, _ := strings.Cut(coding, ";")
			if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
				continue
			}
			quality, found := strings.CutPrefix(strings.ToLower(strings.TrimSpace(parameters)), "q=")
			q, err := strconv.ParseFloat(quality, 64)
			return !found || err == nil && q > 0
		}
	}
	return false
}
