package lambdahttp_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tienda-dev/tienda/shared/lambdahttp"
)

// wireRequest is a request in the form that a client sends.
type wireRequest struct {
	method, path, query string // path and query percent-encoded
	header              [][2]string
	cookies             []string
	body                []byte
}

// plan lists the calls of the handler under test on its ResponseWriter.
type plan struct {
	informational bool
	status        int // 0: never set
	header        [][2]string
	declare       bool // set Content-Length
	writes        [][]byte
	late          bool // change status and header after the first write
}

// TestSameAsNetHTTP sends one request through a net/http server and through an event, and compares the
// requests that the handler sees and the responses that the client gets.
func TestSameAsNetHTTP(t *testing.T) {
	t.Parallel()

	for name, encode := range map[string]func(wireRequest) map[string]any{
		"HTTPAPI":     httpAPIEvent,
		"FunctionURL": functionURLEvent,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			var current atomic.Pointer[plan]
			var seen atomic.Pointer[observation]
			handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				seen.Store(observe(r))
				current.Load().run(w)
			})
			server := httptest.NewUnstartedServer(handler)
			server.Config.ErrorLog = log.New(io.Discard, "", 0) // "superfluous WriteHeader", on purpose
			server.Start()
			defer server.Close()
			lambda := lambdahttp.New(handler, lambdahttp.Config{})

			rapid.Check(t, func(t *rapid.T) {
				request := drawRequest(t)
				current.Store(drawPlan(t))

				wantAnswer := overTCP(t, server.Listener.Addr().String(), request)
				wantSeen := seen.Swap(nil)

				event, err := json.Marshal(encode(request))
				if err != nil {
					t.Fatal(err)
				}
				out, err := lambda.Invoke(t.Context(), event)
				if err != nil {
					t.Fatalf("function error: %v", err)
				}
				gotSeen := seen.Swap(nil)
				if name == "HTTPAPI" && wantSeen != nil && gotSeen != nil {
					// The gateway has decoded the path: how it was encoded is lost, and so are bytes
					// that JSON has no way to say.
					wantSeen.RawPath, gotSeen.RawPath = "", ""
					wantSeen.Path = string([]rune(wantSeen.Path))
				}
				if diff := cmp.Diff(wantSeen, gotSeen); diff != "" {
					t.Fatalf("the handler saw (-net/http +lambdahttp):\n%s", diff)
				}
				gotAnswer := fromGateway(t, out)
				if _, ok := wantAnswer.Header["Content-Length"]; !ok {
					delete(gotAnswer.Header, "Content-Length") // a server does not know the length of a long answer yet
				}
				if diff := cmp.Diff(wantAnswer, gotAnswer); diff != "" {
					t.Fatalf("the client got (-net/http +lambdahttp):\n%s", diff)
				}
			})
		})
	}
}

// observation is the part of a request that an event contains, from the view of a handler.
type observation struct {
	Method, Path, RawPath, RawQuery, Host string
	Query                                 url.Values
	Header                                map[string]string
	Cookies                               []string
	ContentLength                         int64
	Body                                  []byte
	ReadError                             string
}

func observe(r *http.Request) *observation {
	o := &observation{
		Method: r.Method, Path: r.URL.Path, RawPath: r.URL.EscapedPath(), RawQuery: r.URL.RawQuery, Host: r.Host,
		Query: r.URL.Query(), Header: map[string]string{}, ContentLength: r.ContentLength,
	}
	for name, values := range r.Header {
		// The gateway joins repeated headers, and nothing may split them again.
		o.Header[name] = strings.Join(values, ",")
	}
	for _, cookie := range r.Cookies() {
		o.Cookies = append(o.Cookies, cookie.String())
	}
	body, err := io.ReadAll(r.Body)
	o.Body = body
	if err != nil {
		o.ReadError = err.Error()
	}
	return o
}

func (p *plan) run(w http.ResponseWriter) {
	length := 0
	for _, chunk := range p.writes {
		length += len(chunk)
	}
	for _, h := range p.header {
		w.Header().Add(h[0], h[1])
	}
	if p.informational {
		w.WriteHeader(http.StatusEarlyHints)
	}
	if p.declare {
		w.Header().Set("Content-Length", strconv.Itoa(length))
	}
	if p.status != 0 {
		w.WriteHeader(p.status)
		if p.late {
			w.Header().Set("X-Late", "1")
			w.WriteHeader(http.StatusTeapot)
		}
	}
	for _, chunk := range p.writes {
		_, _ = w.Write(chunk)
	}
}

// clientAnswer is the response that a client reads. Repeated headers are compared joined, cookies one by one.
type clientAnswer struct {
	Status  int
	Header  map[string]string
	Cookies []string
	Body    []byte
}

func overTCP(t *rapid.T, address string, request wireRequest) clientAnswer {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}

	var wire bytes.Buffer
	target := request.path
	if request.query != "" {
		target += "?" + strings.ReplaceAll(request.query, ";", "%3B") // as lambdahttp gives it to the handler
	}
	fmt.Fprintf(&wire, "%s %s HTTP/1.1\r\nHost: api.example.com\r\n", request.method, target)
	for _, h := range request.header {
		fmt.Fprintf(&wire, "%s: %s\r\n", h[0], h[1])
	}
	if len(request.cookies) > 0 {
		fmt.Fprintf(&wire, "Cookie: %s\r\n", strings.Join(request.cookies, "; "))
	}
	if len(request.body) > 0 {
		fmt.Fprintf(&wire, "Content-Length: %d\r\n", len(request.body))
	}
	wire.WriteString("\r\n")
	wire.Write(request.body)
	if _, err := connection.Write(wire.Bytes()); err != nil {
		t.Fatal(err)
	}

	reader := bufio.NewReader(connection)
	for {
		answer, err := http.ReadResponse(reader, &http.Request{Method: request.method})
		if err != nil {
			t.Fatalf("%v after sending\n%q", err, wire.String())
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode >= 100 && answer.StatusCode < 200 {
			continue
		}
		a := clientAnswer{Status: answer.StatusCode, Header: map[string]string{}, Body: body}
		for name, values := range answer.Header {
			switch name {
			case "Date", "Connection":
			case "Set-Cookie":
				a.Cookies = values
			default:
				a.Header[name] = strings.Join(values, ", ")
			}
		}
		return a
	}
}

// fromGateway reads a response of payload format 2.0 as API Gateway documents it.
func fromGateway(t *rapid.T, out []byte) clientAnswer {
	var r response
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("%q: %v", out, err)
	}
	a := clientAnswer{Status: r.StatusCode, Header: r.Headers, Cookies: r.Cookies, Body: []byte(r.Body)}
	if r.IsBase64Encoded {
		body, err := base64.StdEncoding.DecodeString(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		a.Body = body
	}
	return a
}

// httpAPIEvent writes the event of an HTTP API by AWS's documentation and by what live ones were
// seen to send: header names in lower case and joined, the path decoded, cookies in a list only.
func httpAPIEvent(request wireRequest) map[string]any {
	event := commonEvent(request)
	decoded, err := url.PathUnescape(request.path)
	if err != nil {
		panic(err)
	}
	event["rawPath"] = decoded
	requestContext(event)["domainName"] = "r3pmxmplak.execute-api.eu-central-1.amazonaws.com"
	requestContext(event)["domainPrefix"] = "r3pmxmplak"
	requestContext(event)["apiId"] = "r3pmxmplak"
	return event
}

// functionURLEvent writes the event of a Function URL: the path stays encoded, and the event has the
// cookie header as well as the list.
func functionURLEvent(request wireRequest) map[string]any {
	event := commonEvent(request)
	event["rawPath"] = request.path
	requestContext(event)["domainName"] = "2cxn22odi.lambda-url.eu-central-1.on.aws"
	requestContext(event)["domainPrefix"] = "2cxn22odi"
	requestContext(event)["apiId"] = "2cxn22odi"
	if len(request.cookies) > 0 {
		event["headers"].(map[string]string)["cookie"] = strings.Join(request.cookies, "; ")
	}
	return event
}

func requestContext(event map[string]any) map[string]any {
	return event["requestContext"].(map[string]any)
}

func commonEvent(request wireRequest) map[string]any {
	headers := map[string]string{"host": "api.example.com"}
	for _, h := range request.header {
		name := strings.ToLower(h[0])
		if before, ok := headers[name]; ok {
			headers[name] = before + "," + h[1]
		} else {
			headers[name] = h[1]
		}
	}
	decoded, _ := url.PathUnescape(request.path)
	event := map[string]any{
		"version": "2.0", "routeKey": "$default", "rawQueryString": request.query, "headers": headers,
		"requestContext": map[string]any{
			"accountId": "123456789012", "requestId": "id", "routeKey": "$default", "stage": "$default",
			"time": "24/Nov/2026:14:56:00 +0000", "timeEpoch": 1795532160000,
			"http": map[string]any{
				"method": request.method, "path": decoded, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "test",
			},
		},
		"isBase64Encoded": false,
	}
	if request.query != "" {
		parsed, _ := url.ParseQuery(request.query)
		joined := map[string]string{}
		for name, values := range parsed {
			joined[name] = strings.Join(values, ",")
		}
		event["queryStringParameters"] = joined
	}
	if len(request.cookies) > 0 {
		event["cookies"] = request.cookies
	}
	if len(request.body) > 0 {
		headers["content-length"] = strconv.Itoa(len(request.body))
		text := strings.HasPrefix(headers["content-type"], "text/") || headers["content-type"] == "application/json"
		if text && utf8.Valid(request.body) {
			event["body"] = string(request.body)
		} else {
			event["body"] = base64.StdEncoding.EncodeToString(request.body)
			event["isBase64Encoded"] = true
		}
	}
	return event
}

func drawRequest(t *rapid.T) wireRequest {
	pathPart := rapid.SampledFrom([]string{
		"a", "Z9", "v1", "/", "//", "%2F", "%2f", "%3F", "%23", "%25", "%20", "%00", "%0A", "%CE%BB", "%E4%B8%96", "%FF",
		"+", ";", ",", "=", "&", ":", "@", "!", "$", "'", "(", ")", "*", "~", ".", "..", "-", "_", "%252F", "%7B", "%5B", "[", "\"", "<", "^", "`", "{", "|", "\\",
	})
	queryPart := rapid.SampledFrom([]string{
		"a=1", "a=2", "a=", "a", "=", "b=%2F", "b=%3F", "c=+", "c=%2B", "d=;", "e=,", "e=1,2", "f=%FF", "g=%CE%BB", "h=%zz", "?", "/", "q=a=b", "%61=1", "i='\"<>",
	})
	headerName := rapid.SampledFrom([]string{"X-A", "x-a", "X-B", "Accept", "If-None-Match", "Date", "Tracestate", "Baggage", "Stripe-Signature", "Origin", "X-Forwarded-Proto", "x_under"})
	headerValue := rapid.SampledFrom([]string{
		"", "a", "a,b", "a, b", `"x,y", "z"`, "t=1,v1=2", "Tue, 24 Nov 2026 14:56:00 GMT", `{"a":[1,2]}`, "a;b=c", "caf\u00e9", "a\tb", "*/*;q=0.8",
	})
	contentType := rapid.SampledFrom([]string{"", "application/json", "text/plain; charset=utf-8", "application/octet-stream", "image/png", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"})

	request := wireRequest{
		method:  rapid.SampledFrom([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE", "get"}).Draw(t, "method"),
		path:    "/" + strings.Join(rapid.SliceOfN(pathPart, 0, 8).Draw(t, "path"), ""),
		query:   strings.Join(rapid.SliceOfN(queryPart, 0, 5).Draw(t, "query"), "&"),
		cookies: rapid.SliceOfN(rapid.SampledFrom([]string{"a=1", "b=2", "a=3", "empty=", "q=\"x y\"", "c=a,b"}), 0, 3).Draw(t, "cookies"),
		body:    drawBody(t, "body"),
	}
	for range rapid.IntRange(0, 6).Draw(t, "headers") {
		request.header = append(request.header, [2]string{headerName.Draw(t, "name"), headerValue.Draw(t, "value")})
	}
	if value := contentType.Draw(t, "type"); value != "" {
		request.header = append(request.header, [2]string{"Content-Type", value})
	}
	return request
}

func drawBody(t *rapid.T, label string) []byte {
	switch rapid.IntRange(0, 4).Draw(t, label+" kind") {
	case 0:
		return []byte{}
	case 1:
		return []byte(rapid.String().Draw(t, label))
	case 2:
		return bytes.Repeat([]byte(rapid.StringN(1, 9, -1).Draw(t, label)), rapid.IntRange(1, 600).Draw(t, label+" times"))
	case 3:
		return []byte(`<!DOCTYPE html><p title="\">` + rapid.String().Draw(t, label))
	default:
		return rapid.SliceOfN(rapid.Byte(), 0, 700).Draw(t, label)
	}
}

func drawPlan(t *rapid.T) *plan {
	name := rapid.SampledFrom([]string{"X-A", "x-a", "Vary", "Set-Cookie", "Content-Encoding", "Etag", "Location", "Www-Authenticate", "Cache-Control", "Bad Name"})
	value := rapid.SampledFrom([]string{"", "a", "a, b", " padded ", "gzip", "identity", "a\r\nX-Injected: 1", `W/"x"`, "a=1; Path=/; Expires=Tue, 24 Nov 2026 14:56:00 GMT", "caf\u00e9"})
	p := &plan{
		informational: rapid.Bool().Draw(t, "informational"),
		status:        rapid.SampledFrom([]int{0, 200, 201, 202, 204, 206, 301, 304, 400, 404, 418, 429, 500, 503, 599, 799}).Draw(t, "status"),
		declare:       rapid.Bool().Draw(t, "declare"),
		late:          rapid.Bool().Draw(t, "late"),
	}
	for range rapid.IntRange(0, 5).Draw(t, "headers out") {
		p.header = append(p.header, [2]string{name.Draw(t, "name out"), value.Draw(t, "value out")})
	}
	if kind := rapid.SampledFrom([]string{"none", "empty", "application/json", "text/plain", "image/png", "x"}).Draw(t, "type out"); kind != "none" {
		p.header = append(p.header, [2]string{"Content-Type", strings.TrimPrefix(kind, "empty")})
	}
	for range rapid.IntRange(0, 3).Draw(t, "writes") {
		p.writes = append(p.writes, drawBody(t, "write"))
	}
	return p
}
