package lambdahttp

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/awslabs/aws-lambda-go-api-proxy/core"

	"github.com/tienda-dev/tienda/shared/problem"
)

// reservedHeaders is the canonical prefix of core.APIGwContextHeader and its kin. core believes
// these headers, so a client's are removed.
const reservedHeaders = "X-Golambdaproxy-"

func (p *payload2) request(ctx context.Context, base basePath) (*http.Request, error) {
	method := p.method()
	if !isToken(method) {
		return nil, malformed("The request method is not a token.")
	}
	body, err := p.decodedBody()
	if err != nil {
		return nil, err
	}
	u, routed, err := p.target(base)
	if err != nil {
		return nil, err
	}
	header, err := p.header(len(body))
	if err != nil {
		return nil, err
	}

	r := http.Request{
		Method: method, URL: u, RequestURI: u.RequestURI(), Header: header,
		Host: p.context.domainName, TLS: p.tls(header), Body: http.NoBody, ContentLength: int64(len(body)),
	}
	if host := header.Get("Host"); host != "" {
		r.Host = host
	}
	delete(header, "Host")
	r.Proto, r.ProtoMajor, r.ProtoMinor = protocol(p.context.http.Protocol)
	if ip := p.context.http.SourceIP; ip != "" {
		r.RemoteAddr = net.JoinHostPort(ip, "0") // the event has no port
	}
	if body != "" {
		r.Body = io.NopCloser(strings.NewReader(body))
	}
	served := r.WithContext(ctx)
	setPathValues(served, p.routeKey, routed, p.pathParameters)
	return served, nil
}

// core implements payload. The rest of the request that core makes is not used.
func (p *payload2) core(ctx context.Context) context.Context {
	var accessor core.RequestAccessorV2
	r, err := accessor.EventToRequestWithContext(ctx, p.coreEvent())
	if err != nil {
		return ctx // core refuses only the host in its own environment variable
	}
	return r.Context()
}

// decodedBody returns the request's body. A string holds binary data as well as text, and reading it
// needs no copy.
func (p *payload2) decodedBody() (string, error) {
	if !p.isBase64Encoded {
		return p.body, nil
	}
	decoded, err := base64.StdEncoding.DecodeString(p.body)
	if err != nil {
		return "", malformed("The request body is not valid base64.").WithCause(err)
	}
	return string(decoded), nil
}

// target returns the request's URL as a server would have parsed it, and the decoded path that the
// route's template describes: without the stage, with the base path.
func (p *payload2) target(base basePath) (u *url.URL, routed string, err error) {
	u = &url.URL{RawQuery: p.queryString()}
	if p.functionURL() && p.rawPath != "" {
		raw := rooted(p.rawPath)
		if routed, err = url.PathUnescape(raw); err != nil {
			return nil, "", malformed("The request path is not correctly percent-encoded.").WithCause(err)
		}
		if base.encoded != "" {
			raw, _ = cutSegments(raw, base.encoded)
		}
		u.Path, _ = url.PathUnescape(raw) // a part of what was decoded above
		if u.EscapedPath() != raw {
			u.RawPath = raw
		}
		return u, routed, nil
	}

	path := p.rawPath
	if path == "" {
		path = p.context.http.Path
	}
	routed = cutStage(rooted(path), p.context.stage, p.routeKey)
	u.Path = routed
	if base.decoded != "" {
		u.Path, _ = cutSegments(routed, base.decoded)
	}
	return u, routed, nil
}

func rooted(path string) string {
	if strings.HasPrefix(path, "/") {
		return path
	}
	return "/" + path
}

// queryString returns the query as the client sent it, with each semicolon percent-encoded: only an
// ampersand separates parameters (WHATWG URL, application/x-www-form-urlencoded), and net/url drops a
// parameter that contains a bare semicolon. Events written by hand often have only the parsed parameters;
// those are encoded in the order of their names.
func (p *payload2) queryString() string {
	if p.rawQuery != "" || len(p.query) == 0 {
		return strings.ReplaceAll(p.rawQuery, ";", "%3B")
	}
	values := make(url.Values, len(p.query))
	for _, q := range p.query {
		values.Add(q.name, q.value)
	}
	return values.Encode()
}

// header rebuilds the request's header: one value for each of the event's, none split.
func (p *payload2) header(bodyLength int) (http.Header, error) {
	header := make(http.Header, len(p.headers)+1)
	backing := make([]string, 0, len(p.headers)) // one allocation for all one-value slices
	for _, h := range p.headers {
		if !isToken(h.name) || hasControl(h.value) {
			return nil, malformed("A request header is not valid.")
		}
		key := headerKey(h.name)
		if strings.HasPrefix(key, reservedHeaders) {
			continue
		}
		if values, repeated := header[key]; repeated { // two spellings of one name
			header[key] = append(values, h.value)
			continue
		}
		backing = append(backing, h.value)
		header[key] = backing[len(backing)-1 : len(backing) : len(backing)]
	}

	// A Function URL and sam local send cookies twice: as the client's header and as a list.
	if _, ok := header["Cookie"]; !ok && len(p.cookies) > 0 {
		header["Cookie"] = []string{strings.Join(p.cookies, "; ")}
	}
	// The body has arrived whole; a server keeps neither of these as the client framed it.
	delete(header, "Transfer-Encoding")
	delete(header, "Trailer")
	if _, ok := header["Content-Length"]; ok {
		if n := strconv.Itoa(bodyLength); header.Get("Content-Length") != n {
			header["Content-Length"] = []string{n}
		}
	}
	return header, nil
}

// headerKey returns http.CanonicalHeaderKey of the name. It knows those that the gateway and browsers send with every
// request; net/http has some of them in a map, and allocates the others.
func headerKey(name string) string {
	switch name {
	case "accept":
		return "Accept"
	case "accept-encoding":
		return "Accept-Encoding"
	case "accept-language":
		return "Accept-Language"
	case "authorization":
		return "Authorization"
	case "content-length":
		return "Content-Length"
	case "content-type":
		return "Content-Type"
	case "host":
		return "Host"
	case "idempotency-key":
		return "Idempotency-Key"
	case "origin":
		return "Origin"
	case "referer":
		return "Referer"
	case "sec-fetch-dest":
		return "Sec-Fetch-Dest"
	case "sec-fetch-mode":
		return "Sec-Fetch-Mode"
	case "sec-fetch-site":
		return "Sec-Fetch-Site"
	case "traceparent":
		return "Traceparent"
	case "user-agent":
		return "User-Agent"
	case "x-amzn-trace-id":
		return "X-Amzn-Trace-Id"
	case "x-forwarded-for":
		return "X-Forwarded-For"
	case "x-forwarded-port":
		return "X-Forwarded-Port"
	case "x-forwarded-proto":
		return "X-Forwarded-Proto"
	case "x-request-id":
		return "X-Request-Id"
	default:
		return http.CanonicalHeaderKey(name)
	}
}

// tls returns the state of a TLS connection, because clients of the gateway always use TLS on AWS. It
// returns nil behind sam local, which announces http.
func (p *payload2) tls(header http.Header) *tls.ConnectionState {
	if strings.EqualFold(header.Get("X-Forwarded-Proto"), "http") {
		return nil
	}
	return &tls.ConnectionState{HandshakeComplete: true, ServerName: p.context.domainName}
}

func protocol(name string) (string, int, int) {
	if major, minor, ok := http.ParseHTTPVersion(name); ok {
		return name, major, minor
	}
	return "HTTP/1.1", 1, 1
}

// malformed is a request that a net/http server would have refused before any handler.
func malformed(detail string) *problem.Error {
	return problem.New(problem.BadRequest, "malformed_request", detail)
}

// isToken reports whether s is a token of RFC 9110 section 5.6.2: a method or a header name.
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0:
		default:
			return false
		}
	}
	return s != ""
}

// hasControl reports whether s has a character that is not allowed in a header value.
func hasControl(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return true
		}
	}
	return false
}
