package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
)

// Write answers with v as JSON. It returns an error, and has written nothing, when v cannot be
// encoded; a client that went away is not an error.
func Write(w http.ResponseWriter, status int, v any) error {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	w.Header().Set("Content-Type", ContentTypeJSON)
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // fails if the client has gone
	return nil
}
