package lambdahttp_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/lambdahttp"
)

func TestResponse(t *testing.T) {
	t.Parallel()

	type headers = map[string]string
	tests := map[string]struct {
		handler http.HandlerFunc
		want    response
	}{
		"NothingWrittenIs200": {
			func(http.ResponseWriter, *http.Request) {},
			response{StatusCode: 200, Headers: headers{"Content-Length": "0"}},
		},
		"BodyWithoutAStatusIs200": {
			func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") },
			response{StatusCode: 200, Headers: headers{"Content-Length": "6", "Content-Type": "text/html; charset=utf-8"}, Body: "<html>"},
		},
		"TypeIsSniffedFromAllWrites": {
			func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, "<ht")
				_, _ = io.WriteString(w, "ml>")
			},
			response{StatusCode: 200, Headers: headers{"Content-Length": "6", "Content-Type": "text/html; charset=utf-8"}, Body: "<html>"},
		},
		"FirstStatusWins": {
			func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(201); w.WriteHeader(500) },
			response{StatusCode: 201, Headers: headers{"Content-Length": "0"}},
		},
		"HeaderIsFrozenByTheStatus": {
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["X-Two"] = append(make([]string, 0, 4), "a", "b")
				w.WriteHeader(200)
				w.Header().Set("X-Late", "1")
				w.Header().Add("X-Two", "c")
				w.Header()["X-Two"][0] = "z"
			},
			response{StatusCode: 200, Headers: headers{"Content-Length": "0", "X-Two": "a, b"}},
		},
		"HeaderIsFrozenByAWrite": {
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/plain")
				_, _ = io.WriteString(w, "a")
				w.Header().Set("X-Late", "1")
				w.WriteHeader(500)
			},
			response{StatusCode: 200, Headers: headers{"Content-Length": "1", "Content-Type": "text/plain"}, Body: "a"},
		},
		"InformationalIsNotTheAnswer": {
			func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(103); w.WriteHeader(202) },
			response{StatusCode: 202, Headers: headers{"Content-Length": "0"}},
		},
		"NoContentHasNoBody": {
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "1")
				w.WriteHeader(204)
				if _, err := io.WriteString(w, "x"); !errors.Is(err, http.ErrBodyNotAllowed) {
					t.Errorf("Write returned %v", err)
				}
			},
			response{StatusCode: 204, Headers: headers{}},
		},
		"NotModifiedKeepsTheETag": {
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("ETag", `"1"`)
				w.Header().Set("Content-Type", "text/plain")
				w.WriteHeader(304)
				_, _ = io.WriteString(w, "x")
			},
			response{StatusCode: 304, Headers: headers{"Etag": `"1"`}},
		},
		"RepeatedHeaders": {
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Add("Vary", "Origin")
				w.Header().Add("Vary", "Accept")
				w.Header().Add("Set-Cookie", "a=1; Expires=Tue, 24 Nov 2026 14:56:00 GMT")
				w.Header().Add("Set-Cookie", "b=2")
			},
			response{
				StatusCode: 200, Headers: headers{"Content-Length": "0", "Vary": "Origin, Accept"},
				Cookies: []string{"a=1; Expires=Tue, 24 Nov 2026 14:56:00 GMT", "b=2"},
			},
		},
		"LineBreaksStartNoHeader": {
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", " /a\r\nSet-Cookie: x=1")
				w.Header().Set("Set-Cookie", "a=1\r\nX-B: 2")
				w.Header()["bad name"] = []string{"1"}
				w.Header()["X-None"] = nil
			},
			response{StatusCode: 200, Headers: headers{"Content-Length": "0", "Location": "/a  Set-Cookie: x=1"}, Cookies: []string{"a=1  X-B: 2"}},
		},
		"HopByHopStaysHere": {
			func(w http.ResponseWriter, _ *http.Request) {
				for _, name := range []string{"Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade", "Trailer", http.TrailerPrefix + "X"} {
					w.Header().Set(name, "x")
				}
			},
			response{StatusCode: 200, Headers: headers{"Content-Length": "0"}},
		},
		"HopByHopInAnySpelling": {
			func(w http.ResponseWriter, _ *http.Request) {
				for _, name := range []string{"connection", "KEEP-ALIVE", "transfer-encoding", "uPGRADE", "trailer", "trailer:x"} {
					w.Header()[name] = []string{"x"}
				}
			},
			response{StatusCode: 200, Headers: headers{"Content-Length": "0"}},
		},
		"CookiesInAnySpelling": {
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["set-cookie"] = []string{"c=3", "d=4"}
				w.Header()["SET-COOKIE"] = []string{"b=2"}
				w.Header().Set("Set-Cookie", "a=1")
			},
			response{StatusCode: 200, Headers: headers{"Content-Length": "0"}, Cookies: []string{"a=1", "b=2", "c=3", "d=4"}},
		},
		"ContentHeadersInAnySpelling": {
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["content-type"] = []string{"text/plain"}
				w.Header()["content-length"] = []string{"4"}
				w.Header()["content-encoding"] = []string{"gzip"}
				w.Header()["location"] = []string{"/x"}
				w.Header()["vary"] = []string{"Origin"}
				_, _ = io.WriteString(w, "four")
			},
			response{StatusCode: 200, Headers: headers{
				"Content-Encoding": "gzip", "Content-Length": "4", "Content-Type": "text/plain", "Location": "/x", "Vary": "Origin",
			}, Body: "Zm91cg==", IsBase64Encoded: true},
		},
		"LengthInAnySpellingIsChecked": {
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["content-length"] = []string{"5"}
				_, _ = io.WriteString(w, "four")
			},
			response{StatusCode: 500, Headers: headers{
				"Cache-Control": "no-store", "Content-Length": "85", "Content-Type": "application/problem+json",
				"X-Content-Type-Options": "nosniff", "X-Request-Id": "req-1",
			}, Body: `{"title":"Internal Server Error","status":500,"code":"internal","request_id":"req-1"}`},
		},
		"MalformedLengthIsIgnored": {
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "-4")
				w.Header().Set("Content-Type", "text/plain")
				_, _ = io.WriteString(w, "four")
			},
			response{StatusCode: 200, Headers: headers{"Content-Length": "4", "Content-Type": "text/plain"}, Body: "four"},
		},
		"BadHeaderBytesAreReplaced": {
			func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-A", "a\xff\"\\\t\x01λ") },
			response{StatusCode: 200, Headers: headers{"Content-Length": "0", "X-A": "a\ufffd\"\\\t\x01λ"}},
		},
		"NotAStatusIsAPanic": {
			func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(99) },
			response{StatusCode: 500, Headers: headers{
				"Cache-Control": "no-store", "Content-Length": "85", "Content-Type": "application/problem+json",
				"X-Content-Type-Options": "nosniff", "X-Request-Id": "req-1",
			}, Body: `{"title":"Internal Server Error","status":500,"code":"internal","request_id":"req-1"}`},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := invoke(t, test.handler, lambdahttp.Config{}, event(t, map[string]any{"headers.x-request-id": "req-1"}))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHead(t *testing.T) {
	t.Parallel()

	type headers = map[string]string
	tests := map[string]struct {
		handler http.HandlerFunc
		want    headers
	}{
		"LengthOfWhatWasWritten": {
			func(w http.ResponseWriter, _ *http.Request) {
				n, err := io.WriteString(w, strings.Repeat("x", 9000))
				if n != 9000 || err != nil {
					t.Errorf("wrote %d, error %v", n, err)
				}
				_, _ = io.WriteString(w, "y")
			},
			headers{"Content-Length": "9001", "Content-Type": "text/plain; charset=utf-8"},
		},
		"LengthThatWasDeclared": {
			func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "42") },
			headers{"Content-Length": "42"},
		},
		"NoLengthIsKnown": {func(http.ResponseWriter, *http.Request) {}, headers{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := invoke(t, test.handler, lambdahttp.Config{}, event(t, map[string]any{"requestContext.http.method": "HEAD"}))
			if diff := cmp.Diff(response{StatusCode: 200, Headers: test.want}, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

// The chain finishes an answer. A layer outside it may still write.
func TestAnswerIsFinishedAgainAfterAWrite(t *testing.T) {
	t.Parallel()
	got := invoke(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for _, name := range []string{"X-B", "Te", "X-A", "X-C"} {
			w.Header().Set(name, "1")
		}
		for range 2 {
			_, _ = io.WriteString(w, "text")
			if err := w.(interface{ Finish() error }).Finish(); err != nil { //nolint:forcetypeassert // it has it
				t.Error(err)
			}
		}
	}), lambdahttp.Config{}, event(t, nil))
	want := response{StatusCode: 200, Body: "texttext", Headers: map[string]string{
		"Content-Length": "8", "Content-Type": "text/plain; charset=utf-8", "X-A": "1", "X-B": "1", "X-C": "1",
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}

func TestHeadOfAnAnswerThatIsTooLarge(t *testing.T) {
	t.Parallel()
	tooLarge := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat("x", 7<<20)) })
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		got := invoke(t, tooLarge, lambdahttp.Config{}, event(t, map[string]any{"requestContext.http.method": method}))
		if got.StatusCode != http.StatusInternalServerError || got.Headers["Content-Type"] != "application/problem+json" {
			t.Errorf("%s: status %d, headers %v; want a problem", method, got.StatusCode, got.Headers)
		}
	}
}

func TestBase64(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		contentType, encoding, body string
		want                        bool
	}{
		"JSON":                 {"application/json", "", `{"a":"λ"}`, false},
		"JSONWithACharset":     {"Application/JSON; charset=utf-8", "", "{}", false},
		"ProblemJSON":          {"application/problem+json", "", "{}", false},
		"VendorJSON":           {"application/vnd.api+json", "", "{}", false},
		"Text":                 {"text/csv", "", "a,b", false},
		"XML":                  {"application/xml", "", "<a/>", false},
		"SVG":                  {"image/svg+xml", "", "<svg/>", false},
		"JavaScript":           {"application/javascript", "", "1", false},
		"Form":                 {"application/x-www-form-urlencoded", "", "a=b", false},
		"Identity":             {"text/plain", "identity", "a", false},
		"EmptyImage":           {"image/png", "", "", false},
		"Image":                {"image/png", "", "looks like text", true},
		"OctetStream":          {"application/octet-stream", "", "a", true},
		"Protobuf":             {"application/x-protobuf", "", "a", true},
		"CompressedJSON":       {"application/json", "gzip", "a", true},
		"TextThatIsNotUTF8":    {"text/plain; charset=iso-8859-1", "", "caf\xe9", true},
		"JSONThatIsNotUTF8":    {"application/json", "", "\"\xff\"", true},
		"TypeThatIsNoType":     {"not a type", "", "a", true},
		"EncodedWithoutAType":  {"", "br", "a", true},
		"EveryEscape":          {"text/plain", "", "\x00\x1f\"\\\b\f\n\r\t\x7f/<>&\u2028λ😀", false},
		"ReplacementCharacter": {"text/plain", "", "\ufffd", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := invoke(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if test.contentType != "" {
					w.Header().Set("Content-Type", test.contentType)
				}
				if test.encoding != "" {
					w.Header().Set("Content-Encoding", test.encoding)
				}
				_, _ = w.Write([]byte(test.body))
			}), lambdahttp.Config{}, event(t, nil))
			if got.IsBase64Encoded != test.want {
				t.Errorf("base64 %t, want %t", got.IsBase64Encoded, test.want)
			}
			if body := got.body(t); body != test.body {
				t.Errorf("body %q, want %q", body, test.body)
			}
			if test.contentType == "" && got.Headers["Content-Type"] != "" {
				t.Errorf("an encoded body was sniffed as %q", got.Headers["Content-Type"])
			}
		})
	}
}
