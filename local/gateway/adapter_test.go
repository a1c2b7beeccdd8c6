package gateway_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tienda-dev/tienda/local/gateway"
	"github.com/tienda-dev/tienda/local/runtime"
	"github.com/tienda-dev/tienda/shared/lambdahttp"
)

// adapter invokes a net/http handler through lambdahttp, in this process.
type adapter struct{ handler *lambdahttp.Handler }

func (a adapter) Invoke(ctx context.Context, _ string, payload []byte) (runtime.Result, error) {
	answer, err := a.handler.Invoke(ctx, payload)
	return runtime.Result{Payload: answer}, err
}

// seen is the request from the view of a handler, which returns it in the body of its response.
type seen struct {
	Method, Path, RawQuery string
	Query                  url.Values
	Header                 map[string]string
	Cookies                []string
	Body                   []byte
}

// mirror responds with the request that it sees; the headers X-Status, X-Answer and X-Cookie set the rest
// of the response.
func mirror(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s := seen{Method: r.Method, Path: r.URL.Path, RawQuery: r.URL.RawQuery, Query: r.URL.Query(), Header: map[string]string{}, Body: body}
	for _, name := range []string{"Content-Type", "X-List", "X-Empty", "If-None-Match", "Tracestate"} {
		if values, ok := r.Header[name]; ok {
			s.Header[name] = strings.Join(values, ",")
		}
	}
	for _, cookie := range r.Cookies() {
		s.Cookies = append(s.Cookies, cookie.String())
	}
	for cookie := range strings.FieldsSeq(r.Header.Get("X-Cookie")) {
		w.Header().Add("Set-Cookie", cookie)
	}
	w.Header().Set("X-Answer", r.Header.Get("X-Answer"))
	if r.Header.Get("X-Binary") != "" {
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(body)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if r.Header.Get("X-Status") == "201" {
		w.WriteHeader(http.StatusCreated)
	}
	_ = json.NewEncoder(w).Encode(s)
}

// TestLambdahttpBehindTheGatewayIsNetHTTP sends one request to a net/http server and through this
// gateway's events, and expects the same status, headers and body. What API Gateway itself changes is
// left out: an encoded slash, question mark or percent sign in the path, which it decodes.
func TestLambdahttpBehindTheGatewayIsNetHTTP(t *testing.T) {
	t.Parallel()
	direct := httptest.NewServer(http.HandlerFunc(mirror))
	t.Cleanup(direct.Close)
	g, err := gateway.New(gateway.Config{
		Routes:  []gateway.Route{{RouteKey: "$default", Function: "mirror"}},
		Invoker: adapter{lambdahttp.New(http.HandlerFunc(mirror), lambdahttp.Config{RouteKey: "$default"})},
	})
	if err != nil {
		t.Fatal(err)
	}
	gated := httptest.NewServer(g)
	t.Cleanup(gated.Close)
	// Not the default client: a server of another test that closes breaks its connections.
	client := direct.Client()

	text := rapid.StringOf(rapid.RuneFrom([]rune("ab1 ,;=+&\"'~é東")))
	raw := rapid.StringMatching(`([A-Za-z0-9]|%2F|%3F|%2B|%3B|%2C|%00|%FF|\+|,|;)*`)
	rapid.Check(t, func(t *rapid.T) {
		path := "/" + url.PathEscape(text.Draw(t, "path"))
		query := ""
		var querySb92 strings.Builder
		for range rapid.IntRange(0, 4).Draw(t, "parameters") {
			querySb92.WriteString("&" + rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name") + "=" + raw.Draw(t, "value"))
		}
		query += querySb92.String()
		header := http.Header{
			"X-List":        {rapid.StringMatching(`[a-z]{1,4}(, ?[a-z]{1,4}){0,3}`).Draw(t, "list")},
			"If-None-Match": {`"a,b", W/"c"`},
			"Tracestate":    {"a=1,b=2;3"},
			"X-Empty":       {""},
			"X-Answer":      {rapid.StringMatching(`[a-z,;= ]{0,8}[a-z]`).Draw(t, "answer")},
			"X-Cookie":      {strings.Join(rapid.SliceOfN(rapid.StringMatching(`[a-z]{1,3}=[a-z0-9]{0,5};Path=/`), 0, 3).Draw(t, "set cookies"), " ")},
			"X-Status":      {rapid.SampledFrom([]string{"200", "201"}).Draw(t, "status")},
			"Cookie":        {strings.Join(rapid.SliceOfN(rapid.StringMatching(`[a-z]{1,3}=[a-z0-9]{0,5}`), 1, 3).Draw(t, "cookies"), "; ")},
		}
		body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		if len(body) > 0 {
			header.Set("Content-Type", rapid.SampledFrom([]string{"application/json", "application/octet-stream", "text/plain", "image/png"}).Draw(t, "type"))
		}
		if rapid.Bool().Draw(t, "binary answer") {
			header.Set("X-Binary", "1")
		}
		method := rapid.SampledFrom([]string{http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodHead}).Draw(t, "method")

		ask := func(server, query string) map[string]any {
			r, err := http.NewRequestWithContext(t.Context(), method, server+path, bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.URL.RawQuery = strings.TrimPrefix(query, "&")
			r.Header = header
			answer, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			got, err := io.ReadAll(answer.Body)
			if err != nil {
				t.Fatal(err)
			}
			cookies := slices.Clone(answer.Header.Values("Set-Cookie"))
			return map[string]any{
				"status": answer.StatusCode, "body": base64.StdEncoding.EncodeToString(got), "text": string(got), "cookies": cookies,
				"type": answer.Header.Get("Content-Type"), "answer": answer.Header.Get("X-Answer"), "length": answer.ContentLength,
			}
		}
		encoded := strings.ReplaceAll(query, ";", "%3B") // as lambdahttp gives it to a handler
		if diff := cmp.Diff(ask(direct.URL, encoded), ask(gated.URL, query)); diff != "" {
			t.Fatalf("%s %s (-net/http +gateway):\n%s", method, path, diff)
		}
	})
}
