package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
)

// Write answers with v as JSON. If v cannot be encoded it writes nothing and returns an error. It does not
// report a connection that the client closed.
func Write(w http.ResponseWriter, status int, v any) error {
	body, err := Encode(v)
	if err != nil {
		return err
	}
	writeJSON(w, status, body)
	return nil
}

// WriteTagged answers a read with 200, v as JSON and an entity tag over the body, or with 304 when
// If-None-Match names that tag. For an answer that has no version of its own, such as a list.
func WriteTagged(w http.ResponseWriter, r *http.Request, v any) error {
	body, err := Encode(v)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	etag := `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`
	w.Header().Set("ETag", etag)
	if NotModified(r, etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	writeJSON(w, http.StatusOK, body)
	return nil
}

// Encode returns v as JSON, byte for byte as Write sends it.
func Encode(v any) ([]byte, error) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode the answer: %w", err)
	}
	return body.Bytes(), nil
}

var contentTypeJSON = []string{ContentTypeJSON} //nolint:gochecknoglobals // never written

func writeJSON(w http.ResponseWriter, status int, body []byte) {
	w.Header()["Content-Type"] = contentTypeJSON[:1:1] // shared and never written: Add copies it
	w.WriteHeader(status)
	_, _ = w.Write(body) // fails if the client has gone
}
