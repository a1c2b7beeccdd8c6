package suite

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/tienda-dev/tienda/tests/suite/conform"
)

// Names of headers and media types that clients see.
const (
	headerAuthorization = "Authorization"
	headerCacheControl  = "Cache-Control"
	headerContentType   = "Content-Type"
	headerETag          = "ETag"
	headerIfMatch       = "If-Match"
	headerIfNoneMatch   = "If-None-Match"
	headerKey           = "Idempotency-Key"
	headerReplayed      = "Idempotent-Replayed"
	headerLocation      = "Location"
	headerOrigin        = "Origin"
	headerRequestID     = "X-Request-Id"
	headerChallenge     = "WWW-Authenticate"

	// publicCache is the Cache-Control header of the catalogue's public reads.
	publicCache = "public, max-age=30, stale-while-revalidate=60"

	typeJSON       = "application/json"
	typeMergePatch = "application/merge-patch+json"
	typeProblem    = "application/problem+json"

	// typeMetrics and typeOpenMetrics are the formats of Prometheus.
	typeMetrics     = "text/plain"
	typeOpenMetrics = "application/openmetrics-text"
)

// Request is a request for Do.
type Request struct {
	Method string
	// Path is the escaped path with its query, which follows the target's URL.
	Path string
	// Token is sent as a bearer token; empty sends none.
	Token string
	// Header is sent unchanged. Content-Type is application/json for a body when it is not named,
	// and merge patch with PATCH.
	Header map[string]string
	// Body is sent with its length.
	Body string
	// Stream sends the body in chunks, without a length.
	Stream bool
	// ByGateway is set if the gateway answers this request itself: its answers lack what those of
	// functions have.
	ByGateway bool
}

// Answer is a response.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do sends the request and returns the answer. It ends the test if there is none, and reports an answer without
// what every answer has: a status below 500, a request id, the security headers, and a body of the type in
// Content-Type.
func (c *Caller) Do(t TB, r Request) Answer {
	t.Helper()
	a, err := c.Send(t, r)
	if err != nil {
		t.Fatalf("%s %s: %v", r.Method, r.Path, err)
	}
	if a.Status >= http.StatusInternalServerError && !strings.HasPrefix(r.Path, "/health") {
		t.Errorf("%s %s: the server failed: %d %s", r.Method, r.Path, a.Status, a.Body)
	}
	if !r.ByGateway {
		a.checkPromises(t, r)
	}
	return a
}

// Send sends the request and returns the answer or the error of the connection. It reports what the API's document
// does not allow.
func (c *Caller) Send(t TB, r Request) (Answer, error) {
	t.Helper()
	var body io.Reader = strings.NewReader(r.Body)
	if r.Stream {
		body = struct{ io.Reader }{body}
	}
	req, err := http.NewRequestWithContext(t.Context(), r.Method, c.target.URL+r.Path, body)
	if err != nil {
		t.Fatalf("%s %s: %v", r.Method, r.Path, err)
	}
	if r.Body != "" {
		req.Header.Set(headerContentType, typeJSON)
		if r.Method == http.MethodPatch {
			req.Header.Set(headerContentType, typeMergePatch)
		}
	}
	if r.Token != "" {
		req.Header.Set(headerAuthorization, "Bearer "+r.Token)
	}
	for name, value := range r.Header {
		req.Header.Set(name, value)
	}

	res, err := c.target.Client.Do(req)
	if err != nil {
		return Answer{}, err
	}
	answered, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		return Answer{}, err
	}
	if c.target.Document != nil {
		err := c.target.Document(conform.Exchange{
			Request: req, Sent: []byte(r.Body), Status: res.StatusCode, Header: res.Header, Body: answered,
		})
		if err != nil {
			t.Errorf("%s %s %.300s: %v", r.Method, r.Path, r.Body, err)
		}
	}
	return Answer{Status: res.StatusCode, Header: res.Header, Body: answered}, nil
}

var requestIDs = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,128}$`)

// securityHeaders are the headers that every answer of a function has.
func securityHeaders() map[string]string {
	return map[string]string{
		"Content-Security-Policy":           "default-src 'none'; frame-ancestors 'none'",
		"Cross-Origin-Opener-Policy":        "same-origin",
		"Cross-Origin-Resource-Policy":      "same-origin",
		"Permissions-Policy":                "accelerometer=(), camera=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()",
		"Referrer-Policy":                   "no-referrer",
		"Strict-Transport-Security":         "max-age=31536000; includeSubDomains",
		"X-Content-Type-Options":            "nosniff",
		"X-Frame-Options":                   "DENY",
		"X-Permitted-Cross-Domain-Policies": "none",
	}
}

func (a Answer) checkPromises(t TB, r Request) {
	t.Helper()
	for name, want := range securityHeaders() {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s %s: %d with %s %q, want %q", r.Method, r.Path, a.Status, name, got, want)
		}
	}
	metrics := r.Path == "/v1/metrics" && a.Status == http.StatusOK
	vary := []string{headerOrigin} // the gateway's CORS headers depend on it
	switch {
	case metrics:
		vary = append(vary, "Accept")
	case strings.HasPrefix(r.Path, openapiPath) && a.Status < http.StatusBadRequest:
		vary = append(vary, "Accept-Encoding")
	}
	if got, want := strings.Join(a.Header.Values("Vary"), ", "), strings.Join(vary, ", "); got != want {
		t.Errorf("%s %s: %d with Vary %q, want %q", r.Method, r.Path, a.Status, got, want)
	}
	public := r.Path == "/.well-known/jwks.json" || r.Path == openapiPath // and the same for every caller
	if got := a.Header.Get(headerCacheControl); got != "no-store" && got != "private, no-cache" && got != publicCache && !public {
		t.Errorf("%s %s: %d with Cache-Control %q", r.Method, r.Path, a.Status, got)
	}
	if id := a.Header.Get(headerRequestID); !requestIDs.MatchString(id) {
		t.Errorf("%s %s: %d with X-Request-Id %q", r.Method, r.Path, a.Status, id)
	}
	if ids := a.Header.Values(headerRequestID); len(ids) != 1 {
		t.Errorf("%s %s: X-Request-Id is given %d times", r.Method, r.Path, len(ids))
	}
	if protection := a.Header.Get("X-Xss-Protection"); protection != "" {
		t.Errorf("%s %s: X-XSS-Protection %q opens holes", r.Method, r.Path, protection)
	}

	switch contentType := a.Header.Get(headerContentType); {
	case a.Status == http.StatusNoContent || a.Status == http.StatusNotModified:
		if len(a.Body) > 0 {
			t.Errorf("%s %s: %d with a body: %s", r.Method, r.Path, a.Status, a.Body)
		}
	case r.Method == http.MethodHead:
	case metrics: // the formats of Prometheus
	case r.Path == "/v1/auth/revoke" && a.Status == http.StatusOK: // RFC 7009 wants an empty body
	case a.Status < http.StatusBadRequest && contentType != typeJSON,
		a.Status >= http.StatusBadRequest && contentType != typeProblem && !strings.HasPrefix(r.Path, "/health"):
		t.Errorf("%s %s: %d with Content-Type %q: %s", r.Method, r.Path, a.Status, contentType, a.Body)
	case !json.Valid(a.Body):
		t.Errorf("%s %s: %d with a body that is not JSON: %s", r.Method, r.Path, a.Status, a.Body)
	case contentType == typeProblem:
		a.checkOAuthError(t, r)
	}
}

// checkOAuthError reports a problem of a token route without the error of RFC 6749 section 5.2, and one of
// another route with it.
func (a Answer) checkOAuthError(t TB, r Request) {
	t.Helper()
	path, _, _ := strings.Cut(r.Path, "?")
	oauth := r.Method == http.MethodPost && slices.Contains([]string{
		"/v1/auth/login", "/v1/auth/refresh", "/v1/auth/revoke", "/v1/auth/introspect", "/v1/auth/password",
	}, path)
	var p problemDocument
	if err := json.Unmarshal(a.Body, &p); err != nil || (p.Error != "") != oauth {
		t.Errorf("%s %s: %d with the OAuth error %q: %s", r.Method, r.Path, a.Status, p.Error, a.Body)
	}
}

// decode reads the body strictly: a member that v does not have fails the test.
func (a Answer) decode(t TB, v any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(a.Body))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		t.Fatalf("%d %s: %v", a.Status, a.Body, err)
	}
}

// Code returns the code of a problem, and "" for any other answer.
func (a Answer) Code() string {
	var p struct {
		Code string `json:"code"`
	}
	if a.Header.Get(headerContentType) != typeProblem || json.Unmarshal(a.Body, &p) != nil {
		return ""
	}
	return p.Code
}
