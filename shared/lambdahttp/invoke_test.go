package lambdahttp_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/shared/lambdahttp"
	"github.com/tienda-dev/tienda/shared/problem"
)

// response is the response of payload format 2.0, as AWS documents it.
type response struct {
	StatusCode      int               `json:"statusCode"`
	Headers         map[string]string `json:"headers"`
	Cookies         []string          `json:"cookies"`
	Body            string            `json:"body"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
}

func (r response) body(t testing.TB) string {
	t.Helper()
	if !r.IsBase64Encoded {
		return r.Body
	}
	body, err := base64.StdEncoding.DecodeString(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func invoke(t testing.TB, h http.Handler, cfg lambdahttp.Config, event []byte) response {
	t.Helper()
	return invokeContext(t.Context(), t, h, cfg, event)
}

func invokeContext(ctx context.Context, t testing.TB, h http.Handler, cfg lambdahttp.Config, event []byte) response {
	t.Helper()
	out, err := lambdahttp.New(h, cfg).Invoke(ctx, event)
	if err != nil {
		t.Fatalf("Invoke returned a function error: %v", err)
	}
	var r response
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("Invoke returned %q: %v", out, err)
	}
	return r
}

// refusing is a handler that records the errors that it answers.
type refusing struct {
	http.Handler

	errs []error
}

func (h *refusing) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	h.errs = append(h.errs, err)
	w.Header().Set(problem.HeaderRequestID, problem.RequestID(r))
	w.Header().Set("X-Content-Type-Options", "nosniff")
	problem.Write(w, r, err)
}

func unreachable(t *testing.T) http.Handler {
	t.Helper()
	return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler was called") })
}

// checkProblem checks a response that does not come from the handler.
func checkProblem(t *testing.T, r response) {
	t.Helper()
	for name, want := range map[string]string{
		"Content-Type":           problem.ContentType,
		"Cache-Control":          "no-store",
		"X-Content-Type-Options": "nosniff",
	} {
		if got := r.Headers[name]; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	var body struct {
		Status    int    `json:"status"`
		Code      string `json:"code"`
		RequestID string `json:"request_id"`
	}
	if err := json.Unmarshal([]byte(r.Body), &body); err != nil {
		t.Fatalf("body %q: %v", r.Body, err)
	}
	if body.Status != r.StatusCode || body.Code == "" {
		t.Errorf("body %s under status %d", r.Body, r.StatusCode)
	}
	if body.RequestID != r.Headers[problem.HeaderRequestID] {
		t.Errorf("request id %q in the body, %q in the header", body.RequestID, r.Headers[problem.HeaderRequestID])
	}
}

// event returns a small HTTP API event with changes. A key is a path of names joined by dots.
func event(t testing.TB, changes map[string]any) []byte {
	t.Helper()
	e := map[string]any{
		"version": "2.0", "routeKey": "GET /x", "rawPath": "/x", "rawQueryString": "",
		"headers": map[string]any{"host": "api.example.com", "x-forwarded-proto": "https"},
		"requestContext": map[string]any{
			"apiId": "abc", "domainName": "api.example.com", "requestId": "req-1", "routeKey": "GET /x", "stage": "$default",
			"http": map[string]any{"method": "GET", "path": "/x", "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7"},
		},
		"isBase64Encoded": false,
	}
	for path, value := range changes {
		at := e
		names := strings.Split(path, ".")
		for _, name := range names[:len(names)-1] {
			next, ok := at[name].(map[string]any)
			if !ok {
				next = map[string]any{}
				at[name] = next
			}
			at = next
		}
		at[names[len(names)-1]] = value
	}
	data, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func status(code int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
}
