package openapi

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/tienda-dev/tienda/shared/api"
)

// requestExample returns the body of the operation's sample event.
func requestExample(root, name, mediaType string) (any, error) {
	var event struct {
		Body   string `json:"body"`
		Base64 bool   `json:"isBase64Encoded"` //nolint:tagliatelle // API Gateway's name
	}
	if err := readJSON(filepath.Join(root, "events", name+".json"), &event); err != nil {
		return nil, err
	}
	if event.Base64 { // as API Gateway sends what is not text
		text, err := base64.StdEncoding.DecodeString(event.Body)
		if err != nil {
			return nil, err
		}
		event.Body = string(text)
	}
	if mediaType == api.ContentTypeJSON || mediaType == api.ContentTypeMergePatch {
		var body any
		err := json.Unmarshal([]byte(event.Body), &body)
		return body, err
	}
	form, err := url.ParseQuery(event.Body)
	body := map[string]any{}
	for member := range form {
		body[member] = form.Get(member)
	}
	return body, err
}

// responseExample returns the body of the expected answer to the operation's sample event.
func responseExample(root, name string, status int) (any, error) {
	var expected struct {
		Status int `json:"status"`
		Body   any `json:"body"`
	}
	path := filepath.Join(root, "events", "expected", name+".json")
	if err := readJSON(path, &expected); err != nil {
		return nil, err
	}
	if expected.Status != status {
		return nil, fmt.Errorf("%s has the status %d, not %d", path, expected.Status, status)
	}
	return fill(expected.Body), nil
}

func readJSON(path string, v any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// fill replaces the placeholders of expected answers by values of their kind.
func fill(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			v[name] = fill(member)
		}
	case []any:
		for i, entry := range v {
			v[i] = fill(entry)
		}
	case string:
		switch v {
		case "<number>":
			return 900
		case "<time>":
			return "2026-11-24T20:04:30.217Z"
		case "<ulid>":
			return "01JD7Q9W2V5K8N3M6P4R1S0T9X"
		case "<id>":
			return "UuV04ghfFiAEJ0w"
		case "<text>":
			return "kYp3s6v9yBxE"
		}
	}
	return v
}
