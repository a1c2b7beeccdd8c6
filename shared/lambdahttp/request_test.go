package lambdahttp_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/lambdahttp"
)

const functionURLDomain = "abc.lambda-url.eu-central-1.on.aws"

// TestPath uses paths that were recorded from live HTTP APIs and Function URLs
// (https://github.com/hotsock/voker/pull/8).
func TestPath(t *testing.T) {
	t.Parallel()

	type want struct{ path, rawPath, uri string }
	tests := map[string]struct {
		domain, rawPath string
		want            want
	}{
		"HTTPAPISpace":            {"", "/a b", want{"/a b", "", "/a%20b"}},
		"HTTPAPIQuestionMark":     {"", "/p/a?admin=1", want{"/p/a?admin=1", "", "/p/a%3Fadmin=1"}},
		"HTTPAPIHash":             {"", "/p/a#b", want{"/p/a#b", "", "/p/a%23b"}},
		"HTTPAPIPercent":          {"", "/p/100%", want{"/p/100%", "", "/p/100%25"}},
		"HTTPAPIEscapeStaysText":  {"", "/p/a%2Fb", want{"/p/a%2Fb", "", "/p/a%252Fb"}},
		"HTTPAPIUnicode":          {"", "/λ-世界", want{"/λ-世界", "", "/%CE%BB-%E4%B8%96%E7%95%8C"}},
		"HTTPAPIPlus":             {"", "/a+b", want{"/a+b", "", "/a+b"}},
		"HTTPAPITwoSlashes":       {"", "//evil.example/x", want{"//evil.example/x", "", "//evil.example/x"}},
		"HTTPAPINoSlash":          {"", "x", want{"/x", "", "/x"}},
		"HTTPAPIFromTheContext":   {"", "", want{"/x", "", "/x"}},
		"FunctionURLSpace":        {functionURLDomain, "/a%20b", want{"/a b", "", "/a%20b"}},
		"FunctionURLSlash":        {functionURLDomain, "/a%2Fb", want{"/a/b", "/a%2Fb", "/a%2Fb"}},
		"FunctionURLQuestionMark": {functionURLDomain, "/a%3Fadmin=1", want{"/a?admin=1", "", "/a%3Fadmin=1"}},
		"FunctionURLPercent":      {functionURLDomain, "/100%25", want{"/100%", "", "/100%25"}},
		"FunctionURLLowerCase":    {functionURLDomain, "/%ce%bb", want{"/λ", "/%ce%bb", "/%ce%bb"}},
		"FunctionURLNotUTF8":      {functionURLDomain, "/%FF", want{"/\xff", "", "/%FF"}},
		"FunctionURLOfAnEmulator": {"abc.lambda-url.us-east-1.localhost:4566", "/a%2Fb", want{"/a/b", "/a%2Fb", "/a%2Fb"}},
		"CustomDomainIsNoFunctionURL": {
			"api.lambda-url.example.com", "/a%2Fb",
			want{"/a%2Fb", "", "/a%252Fb"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			changes := map[string]any{"rawPath": test.rawPath, "rawQueryString": "q=1"}
			if test.domain != "" {
				changes["requestContext.domainName"] = test.domain
			}
			var got want
			answer := invoke(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				got = want{r.URL.Path, r.URL.RawPath, r.RequestURI}
				if r.URL.RawQuery != "q=1" || r.URL.Fragment != "" || r.URL.Host != "" {
					t.Errorf("URL %#v, want the event's query and nothing else", r.URL)
				}
			}), lambdahttp.Config{}, event(t, changes))

			expected := test.want
			expected.uri += "?q=1"
			if got != expected || answer.StatusCode != http.StatusOK {
				t.Errorf("got %+v, want %+v", got, expected)
			}
		})
	}
}

func TestOnlyAmpersandsSeparateParameters(t *testing.T) {
	t.Parallel()
	invoke(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		want := url.Values{"q": {"a;b=1"}, "limit": {"2"}}
		if diff := cmp.Diff(want, r.URL.Query()); diff != "" {
			t.Errorf("query (-want +got):\n%s", diff)
		}
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(want, r.Form); diff != "" {
			t.Errorf("form (-want +got):\n%s", diff)
		}
	}), lambdahttp.Config{}, event(t, map[string]any{"rawQueryString": "q=a;b=1&limit=2"}))
}

func TestStageAndBasePath(t *testing.T) {
	t.Parallel()

	tests := map[string]struct{ stage, base, key, domain, rawPath, want string }{
		"DefaultStage":                {"$default", "", "", "", "/$default/x", "/$default/x"},
		"NamedStage":                  {"prod", "", "GET /x", "", "/prod/x", "/x"},
		"NamedStageAlone":             {"prod", "", "$default", "", "/prod", "/"},
		"StageOnASegmentBoundaryOnly": {"prod", "", "$default", "", "/products/x", "/products/x"},
		"StageOnce":                   {"v1", "", "GET /v1/x", "", "/v1/v1/x", "/v1/x"},
		"StageNotInThePath":           {"v1", "", "GET /v1/x", "", "/v1/x", "/v1/x"},
		"StageBeforeAGreedyParameter": {"v1", "", "GET /{all+}", "", "/v1/x", "/x"},
		"BasePath":                    {"", "/api", "", "", "/api/x", "/x"},
		"BasePathWithoutSlashes":      {"", "api/", "", "", "/api/x", "/x"},
		"BasePathAlone":               {"", "/api", "", "", "/api", "/"},
		"BasePathOnASegmentBoundary":  {"", "/api", "", "", "/apiary/x", "/apiary/x"},
		"BasePathOnce":                {"", "/api", "", "", "/api/api/x", "/api/x"},
		"BasePathElsewhere":           {"", "/api", "", "", "/x/api", "/x/api"},
		"OnlySlashes":                 {"", "/", "", "", "/x", "/x"},
		"StageThenBasePath":           {"prod", "/api", "$default", "", "/prod/api/x", "/x"},
		"BasePathOfAFunctionURL":      {"", "/a b", "", functionURLDomain, "/a%20b/c%2Fd", "/c%2Fd"},
		"FunctionURLHasNoStage":       {"prod", "", "", functionURLDomain, "/prod/x", "/prod/x"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			changes := map[string]any{"rawPath": test.rawPath, "requestContext.stage": test.stage, "routeKey": test.key}
			if test.domain != "" {
				changes["requestContext.domainName"] = test.domain
			}
			invoke(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if r.RequestURI != test.want {
					t.Errorf("%s, want %s", r.RequestURI, test.want)
				}
			}), lambdahttp.Config{BasePath: test.base}, event(t, changes))
		})
	}
}

func TestPathValues(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		key, rawPath string
		parameters   map[string]any
		want         map[string]string
	}{
		"FromTheEvent":         {"GET /p/{id}", "/p/1", map[string]any{"id": "1"}, map[string]string{"id": "1"}},
		"SlashInAValue":        {"GET /p/{id}", "/p/a/b", map[string]any{"id": "a/b"}, map[string]string{"id": "a/b"}},
		"NotDecodedTwice":      {"GET /p/{id}", "/p/%41", map[string]any{"id": "%41"}, map[string]string{"id": "%41"}},
		"FromTheRoute":         {"GET /p/{id}/r/{n}", "/p/1/r/2", nil, map[string]string{"id": "1", "n": "2"}},
		"GreedyFromTheRoute":   {"GET /f/{path+}", "/f/a/b/c", nil, map[string]string{"path": "a/b/c"}},
		"GreedyNeedsASegment":  {"GET /f/{path+}", "/f/", nil, map[string]string{"path": ""}},
		"OtherPath":            {"GET /p/{id}", "/q/1", nil, map[string]string{"id": ""}},
		"LongerPath":           {"GET /p/{id}", "/p/1/2", nil, map[string]string{"id": ""}},
		"ShorterPath":          {"GET /p/{id}/x", "/p/1", nil, map[string]string{"id": ""}},
		"NothingOfAHalfMatch":  {"GET /{a}/p/{id}", "/1/q/2", nil, map[string]string{"a": "", "id": ""}},
		"EmptySegment":         {"GET /p/{id}", "/p/", nil, map[string]string{"id": ""}},
		"DefaultRoute":         {"$default", "/p/1", nil, map[string]string{"id": ""}},
		"BelowAStage":          {"GET /p/{id}", "/prod/p/1", nil, map[string]string{"id": "1"}},
		"EmptyMapOfSamLocal":   {"GET /p/{id}", "/p/1", map[string]any{}, map[string]string{"id": "1"}},
		"LiteralBracesOnly":    {"GET /p/{}", "/p/1", nil, map[string]string{"": ""}},
		"BracesAreNoParameter": {"GET /p/{id}", "/p/{id}", nil, map[string]string{"id": "{id}"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			changes := map[string]any{"routeKey": test.key, "rawPath": test.rawPath, "requestContext.stage": "prod"}
			if test.parameters != nil {
				changes["pathParameters"] = test.parameters
			}
			invoke(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				for name, want := range test.want {
					if got := r.PathValue(name); got != want {
						t.Errorf("%s is %q, want %q", name, got, want)
					}
				}
			}), lambdahttp.Config{}, event(t, changes))
		})
	}
}

func TestRequestHeader(t *testing.T) {
	t.Parallel()

	const domain = "api.example.com"
	tests := map[string]struct {
		changes map[string]any
		want    http.Header
		host    string
	}{
		"CommasAreNotSplit": {
			map[string]any{"headers": map[string]any{
				"stripe-signature": "t=1,v1=a", "date": "Tue, 24 Nov 2026 14:56:00 GMT", "tracestate": "a=1,b=2",
				"baggage": "k=v,l=w", "if-none-match": `"a,b", "c"`, "x-json": `{"a":1,"b":2}`,
			}},
			http.Header{
				"Stripe-Signature": {"t=1,v1=a"}, "Date": {"Tue, 24 Nov 2026 14:56:00 GMT"}, "Tracestate": {"a=1,b=2"},
				"Baggage": {"k=v,l=w"}, "If-None-Match": {`"a,b", "c"`}, "X-Json": {`{"a":1,"b":2}`},
			},
			domain,
		},
		"AnyCase": {
			map[string]any{"headers": map[string]any{"HOST": "other.example", "x-MiXed": "1"}},
			http.Header{"X-Mixed": {"1"}},
			"other.example",
		},
		"DomainWithoutAHostHeader": {map[string]any{"headers": nil}, http.Header{}, domain},
		"CookiesFromTheList": {
			map[string]any{"headers": map[string]any{}, "cookies": []string{"a=1", "b=2"}},
			http.Header{"Cookie": {"a=1; b=2"}},
			domain,
		},
		"CookiesOnce": {
			map[string]any{"headers": map[string]any{"cookie": "a=1; a=2; b=2"}, "cookies": []string{"a=1", "b=2"}},
			http.Header{"Cookie": {"a=1; a=2; b=2"}},
			domain,
		},
		"NoContextInHeaders": {
			map[string]any{"headers": map[string]any{
				"X-GoLambdaProxy-ApiGw-Context": "{}", "x-golambdaproxy-apigw-stagevars": "{}", "X-GOLAMBDAPROXY-ALB-CONTEXT": "{}", "x-golambda": "stays",
			}},
			http.Header{"X-Golambda": {"stays"}},
			domain,
		},
		"FramingIsOurs": {
			map[string]any{
				"headers": map[string]any{"transfer-encoding": "chunked", "trailer": "x", "content-length": "999"},
				"body":    "four",
			},
			http.Header{"Content-Length": {"4"}},
			domain,
		},
		"EmptyValueStays": {map[string]any{"headers": map[string]any{"x-empty": ""}}, http.Header{"X-Empty": {""}}, domain},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			invoke(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if diff := cmp.Diff(test.want, r.Header); diff != "" {
					t.Errorf("header (-want +got):\n%s", diff)
				}
				if r.Host != test.host {
					t.Errorf("host %q, want %q", r.Host, test.host)
				}
			}), lambdahttp.Config{}, event(t, test.changes))
		})
	}
}

func TestTwoSpellingsOfAHeaderKeepTheirOrder(t *testing.T) {
	t.Parallel()

	e := []byte(`{"headers":{"X-A":"2","x-a":"1","x-b":"3"},"requestContext":{"http":{"method":"GET","path":"/"}}}`)
	invoke(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if diff := cmp.Diff(http.Header{"X-A": {"2", "1"}, "X-B": {"3"}}, r.Header); diff != "" {
			t.Errorf("header (-want +got):\n%s", diff)
		}
	}), lambdahttp.Config{}, e)
}

func TestConnection(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		changes    map[string]any
		remoteAddr string
		tls        bool
		proto      string
	}{
		"IPv4":              {nil, "203.0.113.7:0", true, "HTTP/1.1"},
		"IPv6":              {map[string]any{"requestContext.http.sourceIp": "2001:db8::7"}, "[2001:db8::7]:0", true, "HTTP/1.1"},
		"NoAddress":         {map[string]any{"requestContext.http.sourceIp": nil}, "", true, "HTTP/1.1"},
		"NoForwardedProto":  {map[string]any{"headers": nil}, "203.0.113.7:0", true, "HTTP/1.1"},
		"PlainHTTP":         {map[string]any{"headers.x-forwarded-proto": "http"}, "203.0.113.7:0", false, "HTTP/1.1"},
		"HTTP2":             {map[string]any{"requestContext.http.protocol": "HTTP/2.0"}, "203.0.113.7:0", true, "HTTP/2.0"},
		"ProtocolOfNoShape": {map[string]any{"requestContext.http.protocol": "2"}, "203.0.113.7:0", true, "HTTP/1.1"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			invoke(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if r.RemoteAddr != test.remoteAddr || (r.TLS != nil) != test.tls || r.Proto != test.proto {
					t.Errorf("%q, TLS %t, %s; want %q, %t, %s", r.RemoteAddr, r.TLS != nil, r.Proto, test.remoteAddr, test.tls, test.proto)
				}
			}), lambdahttp.Config{}, event(t, test.changes))
		})
	}
}

func TestRequestBodyAndQuery(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		changes           map[string]any
		body, query, verb string
	}{
		"Text":             {map[string]any{"body": "a\u0000\"λ", "requestContext.http.method": "POST"}, "a\u0000\"λ", "", "POST"},
		"Base64":           {map[string]any{"body": base64.StdEncoding.EncodeToString([]byte{0, 0xff}), "isBase64Encoded": true}, "\x00\xff", "", "GET"},
		"EmptyBase64":      {map[string]any{"body": "", "isBase64Encoded": true}, "", "", "GET"},
		"NoBody":           {nil, "", "", "GET"},
		"RawQuery":         {map[string]any{"rawQueryString": "a=1&a=2&b=&c=%2C+%3F;d", "queryStringParameters": map[string]any{"a": "1,2"}}, "", "a=1&a=2&b=&c=%2C+%3F%3Bd", "GET"},
		"ParsedQueryOnly":  {map[string]any{"queryStringParameters": map[string]any{"b": "2 3", "a": "1,2"}}, "", "a=1%2C2&b=2+3", "GET"},
		"MethodsHaveACase": {map[string]any{"requestContext.http.method": "get"}, "", "", "get"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := invoke(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil || string(body) != test.body || r.ContentLength != int64(len(test.body)) {
					t.Errorf("body %q of %d, error %v; want %q", body, r.ContentLength, err, test.body)
				}
				if test.body == "" && r.Body != http.NoBody {
					t.Error("an empty body is not http.NoBody")
				}
				if r.URL.RawQuery != test.query || r.Method != test.verb {
					t.Errorf("%s ?%s, want %s ?%s", r.Method, r.URL.RawQuery, test.verb, test.query)
				}
			}), lambdahttp.Config{}, event(t, test.changes))
			if got.StatusCode != http.StatusOK {
				t.Errorf("status %d", got.StatusCode)
			}
		})
	}
}
