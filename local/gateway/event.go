package gateway

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// EventContext is what an event contains beyond the request itself. Empty fields get the values that
// a gateway on this machine would use.
type EventContext struct {
	// RouteKey is the selected route's key. Empty is $default.
	RouteKey string
	// RawPath is the decoded path. Empty is r.URL.Path.
	RawPath string
	// PathParameters are the decoded values of the route's path variables. Without any, the event has
	// no such field.
	PathParameters map[string]string
	// RequestID is the request's id. Empty makes a new one.
	RequestID string
	// Time is when the request arrived. Zero is now.
	Time time.Time
	// TraceID is the X-Amzn-Trace-Id. Empty keeps the client's if it has a root, or makes a new one.
	TraceID string
	// Authorizer is the JSON value of requestContext.authorizer.lambda. Nil leaves out
	// requestContext.authorizer.
	Authorizer json.RawMessage
}

// Event returns the event that API Gateway's HTTP API makes of a request in payload format 2.0: the
// JSON that a function behind the route gets. body is the request's whole body. r.Body is not read.
//
// Header names are lower case; repeated headers and query parameters are joined with commas;
// cookies have a field of their own instead of a header; fields that would be empty are left out;
// a body that is not text is base64. (Developer guide, "Create AWS Lambda proxy integrations for
// HTTP APIs", and captured events.)
func Event(r *http.Request, body []byte, ctx EventContext) ([]byte, error) {
	e := newEvent(r, len(body), ctx.filled(r))
	encoded := false
	e.IsBase64Encoded = &encoded
	if len(body) > 0 {
		text := string(body)
		if encoded = !isText(r.Header, body); encoded {
			text = base64.StdEncoding.EncodeToString(body)
		}
		e.Body = &text
	}
	return marshal(e)
}

// event is an event of payload format 2.0, for a function or for an authorizer.
type event struct {
	Version        string            `json:"version"`
	Type           string            `json:"type,omitempty"`
	RouteARN       string            `json:"routeArn,omitempty"`
	IdentitySource []string          `json:"identitySource,omitempty"`
	RouteKey       string            `json:"routeKey"`
	RawPath        string            `json:"rawPath"`
	RawQuery       string            `json:"rawQueryString"`
	Cookies        []string          `json:"cookies,omitempty"`
	Headers        map[string]string `json:"headers"`
	Query          map[string]string `json:"queryStringParameters,omitempty"`
	Context        eventContext      `json:"requestContext"`
	Body           *string           `json:"body,omitempty"`
	PathParameters map[string]string `json:"pathParameters,omitempty"`
	// IsBase64Encoded is not in an authorizer's event.
	IsBase64Encoded *bool `json:"isBase64Encoded,omitempty"`
}

// eventContext is requestContext.
type eventContext struct {
	AccountID    string           `json:"accountId"`
	APIID        string           `json:"apiId"`
	Authorizer   *eventAuthorizer `json:"authorizer,omitempty"`
	DomainName   string           `json:"domainName"`
	DomainPrefix string           `json:"domainPrefix"`
	HTTP         eventHTTP        `json:"http"`
	RequestID    string           `json:"requestId"`
	RouteKey     string           `json:"routeKey"`
	Stage        string           `json:"stage"`
	Time         string           `json:"time"`
	TimeEpoch    int64            `json:"timeEpoch"`
}

// eventAuthorizer is requestContext.authorizer of a Lambda authorizer.
type eventAuthorizer struct {
	Lambda json.RawMessage `json:"lambda"`
}

// eventHTTP is requestContext.http.
type eventHTTP struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

// filled returns the context with its empty fields filled.
func (c EventContext) filled(r *http.Request) EventContext {
	c.RouteKey = or(c.RouteKey, defaultRouteKey)
	c.RawPath = or(c.RawPath, r.URL.Path)
	c.RequestID = or(c.RequestID, newRequestID())
	c.TraceID = or(c.TraceID, traceID(r, c.Time))
	if c.Time.IsZero() {
		c.Time = time.Now()
	}
	return c
}

// newEvent returns what the events for a function and for an authorizer have in common.
func newEvent(r *http.Request, length int, c EventContext) event {
	host := domain(r)
	prefix, _, _ := strings.Cut(host, ".")
	e := event{
		Version:        "2.0",
		RouteKey:       c.RouteKey,
		RawPath:        c.RawPath,
		RawQuery:       r.URL.RawQuery,
		Cookies:        cookies(r.Header),
		Headers:        headers(r, length, c),
		Query:          query(r.URL.RawQuery),
		PathParameters: c.PathParameters,
		Context: eventContext{
			AccountID: accountID, APIID: apiID, DomainName: host, DomainPrefix: prefix,
			HTTP: eventHTTP{
				Method: r.Method, Path: c.RawPath, Protocol: r.Proto,
				SourceIP: peer(r), UserAgent: r.UserAgent(),
			},
			RequestID: c.RequestID, RouteKey: c.RouteKey, Stage: stage,
			Time:      c.Time.UTC().Format("02/Jan/2006:15:04:05 -0700"),
			TimeEpoch: c.Time.UnixMilli(),
		},
	}
	if c.Authorizer != nil {
		e.Context.Authorizer = &eventAuthorizer{Lambda: c.Authorizer}
	}
	return e
}

// headers returns the request's headers as the event has them: without those of the connection and
// without cookies, and with the values that the gateway sets itself.
func headers(r *http.Request, length int, c EventContext) map[string]string {
	list := make(map[string]string, len(r.Header)+6)
	for name, values := range r.Header {
		list[strings.ToLower(name)] = strings.Join(values, ",")
	}
	for _, name := range hopByHop() {
		delete(list, name)
	}
	for name := range strings.SplitSeq(r.Header.Get("Connection"), ",") {
		delete(list, strings.ToLower(strings.TrimSpace(name)))
	}
	delete(list, "cookie")

	list["host"] = r.Host
	list["content-length"] = strconv.Itoa(length)
	list["x-amzn-trace-id"] = c.TraceID
	list["x-forwarded-proto"], list["x-forwarded-port"] = "http", "80"
	if r.TLS != nil {
		list["x-forwarded-proto"], list["x-forwarded-port"] = "https", "443"
	}
	if _, port, err := net.SplitHostPort(r.Host); err == nil {
		list["x-forwarded-port"] = port
	}
	if before := list["x-forwarded-for"]; before != "" {
		list["x-forwarded-for"] = before + ", " + peer(r)
	} else {
		list["x-forwarded-for"] = peer(r)
	}
	return list
}

// hopByHop returns the headers that belong to one connection (RFC 9110, 7.6.1).
func hopByHop() []string {
	return []string{
		"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
	}
}

// cookies returns the request's cookies, "name=value" each.
func cookies(header http.Header) []string {
	var list []string
	for _, line := range header.Values("Cookie") {
		for cookie := range strings.SplitSeq(line, ";") {
			if cookie = strings.TrimSpace(cookie); cookie != "" {
				list = append(list, cookie)
			}
		}
	}
	return list
}

// query returns the decoded query parameters, repeated ones joined with commas. A value that cannot
// be decoded is kept as it is.
func query(raw string) map[string]string {
	var parameters map[string]string
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, value = unescape(name), unescape(value)
		if parameters == nil {
			parameters = make(map[string]string)
		}
		if before, repeated := parameters[name]; repeated {
			value = before + "," + value
		}
		parameters[name] = value
	}
	return parameters
}

// unescape decodes one part of a query, or returns it as it is.
func unescape(s string) string {
	if decoded, err := url.QueryUnescape(s); err == nil {
		return decoded
	}
	return s
}

// isText reports whether a body is sent as text: it has a text, JSON, XML or JavaScript type or no
// type, is not compressed, and is valid UTF-8. Forms and uploads are base64, as on API Gateway.
func isText(header http.Header, body []byte) bool {
	if !utf8.Valid(body) || or(header.Get("Content-Encoding"), "identity") != "identity" {
		return false
	}
	contentType := header.Get("Content-Type")
	if contentType == "" {
		return true
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	textual := []string{"application/json", "application/xml", "application/javascript"}
	return strings.HasPrefix(mediaType, "text/") || slices.Contains(textual, mediaType) ||
		strings.HasSuffix(mediaType, "+json") || strings.HasSuffix(mediaType, "+xml")
}

// marshal encodes v as API Gateway does: without HTML escapes, which cost bytes of the limit.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, fmt.Errorf("encode event: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), nil
}

// domain returns the Host header without its port. An IPv6 address keeps its brackets, as in a URL.
func domain(r *http.Request) string {
	if _, port, err := net.SplitHostPort(r.Host); err == nil {
		return strings.TrimSuffix(r.Host, ":"+port)
	}
	return r.Host
}

// peer returns the address at the other end of the connection, without its port.
func peer(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}

// rootPattern finds the root of a trace header.
var rootPattern = regexp.MustCompile(`(?:^|;)\s*(Root=1-[0-9a-f]{8}-[0-9a-f]{24})`)

// traceID returns the client's trace header when it has a root, or a new one.
func traceID(r *http.Request, now time.Time) string {
	if given := r.Header.Get("X-Amzn-Trace-Id"); rootPattern.MatchString(given) {
		return given
	}
	return "Root=1-" + fmt.Sprintf("%08x", uint32(now.Unix())) + "-" + hex.EncodeToString(random(12))
}

// newRequestID returns a request id in the form of an HTTP API's.
func newRequestID() string { return base64.URLEncoding.EncodeToString(random(11)) }

// random returns n random bytes.
func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails, see crypto/rand
	return b
}

// or returns v, or fallback when v is its zero value.
func or[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}

// sortedKeys returns the keys of m in order, so that New reports the same fault each time.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
