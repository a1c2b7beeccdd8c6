package gateway_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/local/gateway"
)

// parse reads a request in its form on the wire.
func parse(t testing.TB, lines ...string) *http.Request {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(strings.Join(lines, "\r\n") + "\r\n\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	r.RemoteAddr = "192.0.2.7:5123"
	return r
}

func TestEventIsAsAWSSendsIt(t *testing.T) {
	t.Parallel()
	// The request and the event are a capture of a deployed HTTP API. Its ids and the client's address
	// are replaced.
	r := parse(t, "POST /capture/space%20value?repeat=one&repeat=two&redirect=https%3A%2F%2Fexample.com%2Fa%2Fb"+
		"&literalPlus=a+b&encodedPlus=a%2Bb&empty= HTTP/1.1",
		"Host: abc123.execute-api.us-west-2.amazonaws.com", "User-Agent: curl/8.7.1", "Accept: */*",
		"Cookie: session=abc123; theme=dark", "X-Probe: first", "X-Probe: second",
		"Content-Type: application/json", "Content-Length: 26")

	got, err := gateway.Event(r, []byte(`{"unicode":"lambda-λ","<":1}`), gateway.EventContext{
		RequestID: "ATfSmjLgPHcESJw=", Time: time.UnixMilli(1783711145766),
		TraceID: "Root=1-6a5145a9-1bae89e2512ec92d5d9438a0",
	})
	if err != nil {
		t.Fatal(err)
	}

	const want = `{
	  "version": "2.0",
	  "routeKey": "$default",
	  "rawPath": "/capture/space value",
	  "rawQueryString": "repeat=one&repeat=two&redirect=https%3A%2F%2Fexample.com%2Fa%2Fb&literalPlus=a+b&encodedPlus=a%2Bb&empty=",
	  "cookies": ["session=abc123", "theme=dark"],
	  "headers": {
	    "accept": "*/*",
	    "content-length": "29",
	    "content-type": "application/json",
	    "host": "abc123.execute-api.us-west-2.amazonaws.com",
	    "user-agent": "curl/8.7.1",
	    "x-amzn-trace-id": "Root=1-6a5145a9-1bae89e2512ec92d5d9438a0",
	    "x-forwarded-for": "192.0.2.7",
	    "x-forwarded-port": "80",
	    "x-forwarded-proto": "http",
	    "x-probe": "first,second"
	  },
	  "queryStringParameters": {
	    "empty": "",
	    "encodedPlus": "a+b",
	    "literalPlus": "a b",
	    "redirect": "https://example.com/a/b",
	    "repeat": "one,two"
	  },
	  "requestContext": {
	    "accountId": "123456789012",
	    "apiId": "local",
	    "domainName": "abc123.execute-api.us-west-2.amazonaws.com",
	    "domainPrefix": "abc123",
	    "http": {
	      "method": "POST",
	      "path": "/capture/space value",
	      "protocol": "HTTP/1.1",
	      "sourceIp": "192.0.2.7",
	      "userAgent": "curl/8.7.1"
	    },
	    "requestId": "ATfSmjLgPHcESJw=",
	    "routeKey": "$default",
	    "stage": "$default",
	    "time": "10/Jul/2026:19:19:05 +0000",
	    "timeEpoch": 1783711145766
	  },
	  "body": "{\"unicode\":\"lambda-λ\",\"<\":1}",
	  "isBase64Encoded": false
	}`
	if diff := cmp.Diff(decode(t, []byte(want)), decode(t, got)); diff != "" {
		t.Errorf("event (-want +got):\n%s", diff)
	}
	if strings.Contains(string(got), `\u003c`) {
		t.Errorf("the event has HTML escapes: %s", got)
	}
}

func TestEventOmitsAbsentFields(t *testing.T) {
	t.Parallel()
	got, err := gateway.Event(parse(t, "GET / HTTP/1.1", "Host: localhost:3000"), nil, gateway.EventContext{})
	if err != nil {
		t.Fatal(err)
	}
	event := decode(t, got)
	for _, field := range []string{
		"body", "cookies", "pathParameters", "queryStringParameters", "stageVariables", "identitySource", "type",
	} {
		if value, present := event[field]; present {
			t.Errorf("%s is %v", field, value)
		}
	}
	for _, field := range []string{"rawQueryString", "isBase64Encoded", "headers"} {
		if _, present := event[field]; !present {
			t.Errorf("%s is missing", field)
		}
	}
	context := event["requestContext"].(map[string]any)
	if _, present := context["authorizer"]; present {
		t.Error("requestContext.authorizer without an authorizer")
	}
	if id := context["requestId"].(string); !regexp.MustCompile(`^[\w-]{15}=$`).MatchString(id) {
		t.Errorf("request id %q", id)
	}
	headers := event["headers"].(map[string]any)
	if headers["host"] != "localhost:3000" || headers["x-forwarded-port"] != "3000" || headers["content-length"] != "0" {
		t.Errorf("headers %v", headers)
	}
	if context["domainName"] != "localhost" {
		t.Errorf("domainName %v", context["domainName"])
	}
}

// TestEventOfAnAddressOfIPv6 holds a domain that is a URL's host.
func TestEventOfAnAddressOfIPv6(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"[::1]:3000", "[::1]"} {
		got, err := gateway.Event(parse(t, "GET / HTTP/1.1", "Host: "+host), nil, gateway.EventContext{})
		if err != nil {
			t.Fatal(err)
		}
		if name := decode(t, got)["requestContext"].(map[string]any)["domainName"]; name != "[::1]" {
			t.Errorf("%s: domainName %v", host, name)
		}
	}
}

func TestEventHeaders(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		lines []string
		name  string
		want  any
	}{
		"LowerCase":              {[]string{"X-SHOUT: a"}, "x-shout", "a"},
		"Underscore":             {[]string{"x_under: a"}, "x_under", "a"},
		"CommaStays":             {[]string{"If-None-Match: \"a\", \"b\""}, "if-none-match", `"a", "b"`},
		"DuplicatesJoin":         {[]string{"A: 1", "a: 2", "A: 3, 4"}, "a", "1,2,3, 4"},
		"EmptyValue":             {[]string{"A:"}, "a", ""},
		"CookieIsNotAHeader":     {[]string{"Cookie: a=1"}, "cookie", nil},
		"ConnectionIsHopByHop":   {[]string{"Connection: keep-alive, X-Hop", "X-Hop: a"}, "connection", nil},
		"NamedByConnection":      {[]string{"Connection: keep-alive, X-Hop", "X-Hop: a"}, "x-hop", nil},
		"ProtoIsNotTheClients":   {[]string{"X-Forwarded-Proto: https"}, "x-forwarded-proto", "http"},
		"PortIsNotTheClients":    {[]string{"X-Forwarded-Port: 443"}, "x-forwarded-port", "80"},
		"PeerEndsForwardedFor":   {[]string{"X-Forwarded-For: 203.0.113.9"}, "x-forwarded-for", "203.0.113.9, 192.0.2.7"},
		"LengthIsTheBodys":       {[]string{"Content-Length: 99"}, "content-length", "4"},
		"ChunkedHasALength":      {[]string{"Transfer-Encoding: chunked"}, "content-length", "4"},
		"ChunkedIsHopByHop":      {[]string{"Transfer-Encoding: chunked"}, "transfer-encoding", nil},
		"TraceWithRootIsKept":    {[]string{"X-Amzn-Trace-Id: Self=1;Root=1-6a5145a9-1bae89e2512ec92d5d9438a0"}, "x-amzn-trace-id", "Self=1;Root=1-6a5145a9-1bae89e2512ec92d5d9438a0"},
		"AdapterContextIsAValue": {[]string{"X-GoLambdaProxy-ApiGw-Context: {}"}, "x-golambdaproxy-apigw-context", "{}"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lines := append([]string{"POST / HTTP/1.1", "Host: example.com"}, test.lines...)
			got, err := gateway.Event(parse(t, lines...), []byte("body"), gateway.EventContext{})
			if err != nil {
				t.Fatal(err)
			}
			if value := decode(t, got)["headers"].(map[string]any)[test.name]; value != test.want {
				t.Errorf("%s is %v, want %v", test.name, value, test.want)
			}
		})
	}
}

func TestEventReplacesATraceWithoutRoot(t *testing.T) {
	t.Parallel()
	r := parse(t, "GET / HTTP/1.1", "Host: example.com", "X-Amzn-Trace-Id: nonsense")
	got, err := gateway.Event(r, nil, gateway.EventContext{Time: time.Unix(0x6a5145a9, 0)})
	if err != nil {
		t.Fatal(err)
	}
	trace := decode(t, got)["headers"].(map[string]any)["x-amzn-trace-id"].(string)
	if !regexp.MustCompile(`^Root=1-6a5145a9-[0-9a-f]{24}$`).MatchString(trace) {
		t.Errorf("trace %q", trace)
	}
}

func TestEventQuery(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		raw  string
		want any
	}{
		"Empty":           {"", nil},
		"OnlySeparators":  {"&&", nil},
		"NoValue":         {"a", map[string]any{"a": ""}},
		"EmptyAndSet":     {"a=&a=1", map[string]any{"a": ",1"}},
		"EqualsInValue":   {"a=b=c", map[string]any{"a": "b=c"}},
		"Semicolon":       {"a=1;b=2", map[string]any{"a": "1;b=2"}},
		"EncodedName":     {"a%5B%5D=1&a[]=2", map[string]any{"a[]": "1,2"}},
		"EncodedComma":    {"a=1%2C2&a=3", map[string]any{"a": "1,2,3"}},
		"MalformedEscape": {"a=%zz&b=1", map[string]any{"a": "%zz", "b": "1"}},
		"CaseMatters":     {"a=1&A=2", map[string]any{"a": "1", "A": "2"}},
		"Question":        {"a=?&b=%3F", map[string]any{"a": "?", "b": "?"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := gateway.Event(parse(t, "GET /?"+test.raw+" HTTP/1.1", "Host: h"), nil, gateway.EventContext{})
			if err != nil {
				t.Fatal(err)
			}
			event := decode(t, got)
			if diff := cmp.Diff(test.want, event["queryStringParameters"]); diff != "" {
				t.Errorf("queryStringParameters (-want +got):\n%s", diff)
			}
			if event["rawQueryString"] != test.raw {
				t.Errorf("rawQueryString %q, want %q", event["rawQueryString"], test.raw)
			}
		})
	}
}

func TestEventBody(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		contentType, encoding, body string
		wantBase64                  bool
	}{
		"JSON":           {"application/json; charset=utf-8", "", `{"a":"ü"}`, false},
		"MergePatch":     {"application/merge-patch+json", "", `{}`, false},
		"XML":            {"application/soap+xml", "", `<a/>`, false},
		"Text":           {"text/plain", "", "a\u0000b", false},
		"NoType":         {"", "", "a=1", false},
		"Form":           {"application/x-www-form-urlencoded", "", "a=1", true},
		"Multipart":      {"multipart/form-data; boundary=x", "", "--x--", true},
		"Image":          {"image/png", "", "\x89PNG", true},
		"OctetStream":    {"application/octet-stream", "", "abc", true},
		"Gzip":           {"application/json", "gzip", "abc", true},
		"Identity":       {"application/json", "identity", "abc", false},
		"BrokenUTF8":     {"application/json", "", "\xff\xfe", true},
		"UnreadableType": {"application/json; =", "", "abc", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			r.Header.Set("Content-Type", test.contentType)
			r.Header.Set("Content-Encoding", test.encoding)
			got, err := gateway.Event(r, []byte(test.body), gateway.EventContext{})
			if err != nil {
				t.Fatal(err)
			}
			want := test.body
			if test.wantBase64 {
				want = base64.StdEncoding.EncodeToString([]byte(test.body))
			}
			event := decode(t, got)
			if event["body"] != want || event["isBase64Encoded"] != test.wantBase64 {
				t.Errorf("body %q, base64 %v", event["body"], event["isBase64Encoded"])
			}
		})
	}
}

// decode reads a JSON object.
func decode(t testing.TB, data []byte) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	return v
}

func FuzzEvent(f *testing.F) {
	f.Add("/v1/products/%2F%25?a=%zz&&=;", "Cookie", "a=1; ;b", []byte("body"))
	f.Add("//x", "Connection", ",close,", []byte{0xff})
	f.Fuzz(func(t *testing.T, target, name, value string, body []byte) {
		r, err := http.NewRequest(http.MethodPost, "http://example.com", nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.URL, err = r.URL.Parse(target); err != nil {
			return // no request has such a target
		}
		r.Header[name] = []string{value}
		event, err := gateway.Event(r, body, gateway.EventContext{})
		if err != nil || !json.Valid(event) {
			t.Errorf("%v, event %s", err, event)
		}
	})
}

func BenchmarkEvent(b *testing.B) {
	r := parse(b, "POST /v1/products?a=1&b=2 HTTP/1.1", "Host: localhost:3000", "User-Agent: curl/8", "Accept: */*",
		"Authorization: Bearer x.y.z", "Content-Type: application/json", "Cookie: a=1; b=2")
	body := []byte(`{"sku":"A-1","name":"A","price":{"amount_minor":1250,"currency":"EUR"}}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := gateway.Event(r, body, gateway.EventContext{}); err != nil {
			b.Fatal(err)
		}
	}
}
