package gateway

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// response is the answer to the client.
type response struct {
	status int
	header http.Header
	body   []byte
}

// message returns an answer of the gateway itself.
func message(status int, text string) response {
	return response{
		status: status,
		header: http.Header{"Content-Type": {"application/json"}},
		body:   []byte(`{"message":"` + text + `"}`),
	}
}

// parseResponse reads a function's answer in payload format 2.0. An object with a statusCode is a
// response; anything else is itself the body of a 200. A response that breaks the format is an
// error, for which clients get a bare 500.
//
// Even an answer that is not JSON becomes a body. AWS's documentation says otherwise, but AWS behaves
// this way: aws/aws-lambda-dotnet, Lambda Test Tool v2, InvokeResponseExtensions.cs.
func parseResponse(payload []byte) (response, error) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(payload, &fields) != nil {
		fields = nil
	}
	if fields["statusCode"] == nil {
		return response{
			status: http.StatusOK,
			header: http.Header{"Content-Type": {"application/json"}},
			body:   payload,
		}, nil
	}

	out := response{header: http.Header{}}
	var err error
	if out.status, err = parseStatus(fields["statusCode"]); err != nil {
		return response{}, err
	}
	if err := parseHeaders(out.header, fields["headers"]); err != nil {
		return response{}, err
	}
	var list []string
	if err := unmarshal(fields["cookies"], &list); err != nil {
		return response{}, fmt.Errorf("cookies: %w", err)
	}
	for _, cookie := range list {
		if !validValue(cookie) {
			return response{}, errors.New("cookies: a control character")
		}
		out.header.Add("Set-Cookie", cookie)
	}
	if out.body, err = parseBody(fields["body"], fields["isBase64Encoded"]); err != nil {
		return response{}, err
	}
	if out.header.Get("Content-Type") == "" && bodyAllowed(out.status) {
		out.header.Set("Content-Type", "text/plain; charset=utf-8")
	}
	return out, nil
}

// parseStatus reads a status, a number or its digits as a string.
func parseStatus(raw json.RawMessage) (int, error) {
	status, err := strconv.Atoi(strings.Trim(string(raw), `"`))
	if err != nil || status < 200 || status > 599 {
		return 0, fmt.Errorf("statusCode: %.40s is not a status between 200 and 599", raw)
	}
	return status, nil
}

// parseHeaders reads the header object: strings, numbers and booleans. Headers that belong to the
// connection or to the gateway are dropped.
func parseHeaders(header http.Header, raw json.RawMessage) error {
	var fields map[string]json.RawMessage
	if err := unmarshal(raw, &fields); err != nil {
		return fmt.Errorf("headers: %w", err)
	}
	for _, name := range sortedKeys(fields) {
		value := string(fields[name])
		switch {
		case strings.HasPrefix(value, `"`):
			if err := json.Unmarshal(fields[name], &value); err != nil {
				return fmt.Errorf("headers: %s: %w", name, err)
			}
		case strings.HasPrefix(value, "{"), strings.HasPrefix(value, "["), value == "null":
			return fmt.Errorf("headers: %s: not a string", name)
		}
		if !validName(name) || !validValue(value) {
			return fmt.Errorf("headers: %q: not a header", name)
		}
		ours := append(hopByHop(), "date", "apigw-requestid")
		if !slices.Contains(ours, strings.ToLower(name)) {
			header.Add(name, value)
		}
	}
	return nil
}

// parseBody reads the body: a string, base64 if encoded says so.
func parseBody(raw, encoded json.RawMessage) ([]byte, error) {
	var text string
	if err := unmarshal(raw, &text); err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	var isBase64 bool
	if err := unmarshal(encoded, &isBase64); err != nil {
		return nil, fmt.Errorf("isBase64Encoded: %w", err)
	}
	if !isBase64 {
		return []byte(text), nil
	}
	body, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	return body, nil
}

// unmarshal decodes raw into v; an absent field leaves v as it is.
func unmarshal(raw json.RawMessage, v any) error {
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil
	}
	return json.Unmarshal(raw, v)
}

// validName reports whether s is a header name, a token of RFC 9110.
func validName(s string) bool {
	return s != "" && strings.IndexFunc(s, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
	}) < 0
}

// validValue reports whether s can be a header's value.
func validValue(s string) bool {
	return strings.IndexFunc(s, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) < 0
}

// bodyAllowed reports whether an answer of that status has a body.
func bodyAllowed(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified
}

// send writes the response. A function answers HEAD without a body, and its Content-Length is that of GET:
// this gateway passes it on. AWS does not document what it sends there.
func (out response) send(w http.ResponseWriter, method string) {
	header := w.Header()
	maps.Copy(header, out.header)
	if !bodyAllowed(out.status) {
		header.Del("Content-Length")
		w.WriteHeader(out.status)
		return
	}
	if method != http.MethodHead || len(out.body) > 0 {
		header.Set("Content-Length", strconv.Itoa(len(out.body)))
	} else if n, err := strconv.Atoi(header.Get("Content-Length")); err != nil || n < 0 {
		header.Del("Content-Length")
	}
	w.WriteHeader(out.status)
	if method != http.MethodHead {
		w.Write(out.body) // when this fails the client is gone
	}
}
