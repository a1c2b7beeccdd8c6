package openapi

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/problem"
)

const requestID = "UuV04ghfFiAEJ0w"

// examples are values of members that differ in each answer.
func examples() map[string]any {
	return map[string]any{ //nolint:gosec // the tokens are cut after their headers
		"duration_ms":        3,
		"expires_in":         900,
		"refresh_expires_in": 604800,
		"access_token":       "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9…",
		"tracking_token":     "MFRGGZDFMZTWQ2LKNNWG23TPOA",
		"refresh_token":      "eyJhbGciOiJFUzI1NiIsInR5cCI6InJ0K2p3dCJ9…",
	}
}

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
	return fill("", expected.Body), nil
}

// problemExample returns the body that the API writes for one of the problems of a status: the last one, as the
// operation's own are behind those of the library.
func problemExample(o Operation, problems []*problem.Error) (any, error) {
	chosen := problems[0]
	for _, p := range problems {
		if !slices.ContainsFunc(p.Errors, func(f problem.FieldError) bool { return f.Detail == "" }) {
			chosen = p
		}
	}
	if request, ok := o.Body.(api.Validator); ok && chosen.Code == problem.Fields().Code {
		chosen = problem.Fields(request.Validate()...) // of a request without members
	}
	recorder := httptest.NewRecorder()
	recorder.Header().Set(problem.HeaderRequestID, requestID)
	r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/", http.NoBody)
	if o.Route.OAuth {
		r = r.WithContext(problem.ForOAuth(r.Context()))
	}
	problem.Write(recorder, r, chosen)
	var written any
	err := json.Unmarshal(recorder.Body.Bytes(), &written)
	return written, err
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

// fill replaces the marks of expected answers, which differ in each answer, by values as the API sends them. A
// number or a text has a value for the member that it belongs to.
func fill(member string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			v[name] = fill(name, member)
		}
	case []any:
		for i, entry := range v {
			v[i] = fill(member, entry)
		}
	case string:
		switch v {
		case "<number>", "<text>":
			if value, ok := examples()[member]; ok {
				return value
			}
		case "<time>":
			return "2026-11-24T20:04:30.217Z"
		case "<ulid>":
			return "01JD7Q9W2V5K8N3M6P4R1S0T9X"
		case "<id>":
			return requestID
		}
	}
	return v
}
