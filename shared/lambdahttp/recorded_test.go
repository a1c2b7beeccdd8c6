package lambdahttp_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/lambdahttp"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/middleware"
	"github.com/tienda-dev/tienda/shared/problem"
)

// TestAccessLogHasTheStatusOfTheResponse covers every response that does not come from the handler: there is
// one access line, with the status and the request id that the client gets.
func TestAccessLogHasTheStatusOfTheResponse(t *testing.T) {
	t.Parallel()

	write := func(w http.ResponseWriter) {
		w.Header().Set("Set-Cookie", "a=b")
		w.Header()["set-cookie"] = []string{"c=d"}
		w.Header()["LOCATION"] = []string{"/x"}
		w.Header().Set("Content-Encoding", "gzip")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"a":1}`)
	}
	none := func(http.ResponseWriter, *http.Request) error { t.Error("the handler was called"); return nil }
	ok := event(t, nil)
	for name, test := range map[string]struct {
		event   []byte
		handler api.Handler
		status  int
		code    string
		cause   string
	}{
		"WrongRoute":       {event(t, map[string]any{"routeKey": "GET /y"}), none, 500, "internal", "another route"},
		"NotAnEvent":       {[]byte(`{"Records":[]}`), none, 500, "internal", "not an HTTP API"},
		"MalformedRequest": {event(t, map[string]any{"body": "!", "isBase64Encoded": true}), none, 400, "malformed_request", "illegal base64"},
		"TooLarge": {ok, func(w http.ResponseWriter, _ *http.Request) error {
			return api.Write(w, http.StatusOK, strings.Repeat("x", 7<<20))
		}, 500, "response_too_large", "too large"},
		"TooLargeInBase64": {ok, func(w http.ResponseWriter, _ *http.Request) error {
			_, err := w.Write(make([]byte, 5<<20))
			return err
		}, 500, "response_too_large", "too large"},
		"ShorterThanDeclared": {ok, func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("Content-Length", "9")
			write(w)
			return nil
		}, 500, "internal", "declared 9 bytes of body and wrote 7"},
		"DeclaredAndNotWritten": {ok, func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("Content-Length", "9")
			return nil
		}, 500, "internal", "declared 9 bytes"},
		"ErrorAfterTheAnswerBegan": {ok, func(w http.ResponseWriter, _ *http.Request) error {
			write(w)
			return errors.New("the store has failed")
		}, 500, "internal", "the store has failed"},
		"ProblemAfterTheAnswerBegan": {ok, func(w http.ResponseWriter, _ *http.Request) error {
			write(w)
			return problem.New(problem.Conflict, "taken", "It is taken.")
		}, 500, "internal", "It is taken."},
		"PanicAfterTheAnswerBegan": {ok, func(w http.ResponseWriter, _ *http.Request) error {
			write(w)
			panic("canary")
		}, 500, "internal", "panic with a string"},
		"Aborted": {ok, func(w http.ResponseWriter, _ *http.Request) error {
			write(w)
			panic(http.ErrAbortHandler)
		}, 500, "internal", "abort Handler"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			logger, err := logging.New(logging.Config{}, &out)
			if err != nil {
				t.Fatal(err)
			}
			route := api.Route{Name: "get-x", Method: http.MethodGet, Path: "/x", Auth: api.Public, Rate: api.Unlimited}
			seen := 0 // the status that a layer outside the access log reads, such as metrics
			chain, err := middleware.Chain(route, middleware.Config{Logger: logger, Metrics: func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					rec := middleware.Record(w)
					next.ServeHTTP(rec, r)
					seen = rec.Status()
				})
			}}, test.handler)
			if err != nil {
				t.Fatal(err)
			}

			got := invoke(t, chain, lambdahttp.Config{RouteKey: route.Key()}, test.event)

			if got.StatusCode != test.status || seen != test.status {
				t.Errorf("status %d, recorded %d; want %d", got.StatusCode, seen, test.status)
			}
			checkProblem(t, got)
			if got.Cookies != nil || got.Headers["Content-Encoding"] != "" || got.Headers["Location"] != "" || got.Headers["X-Frame-Options"] != "DENY" {
				t.Errorf("headers %v, cookies %v; want the chain's alone", got.Headers, got.Cookies)
			}
			var line struct {
				Message, Level string
				Route          string `json:"http_route"`
				Status         int    `json:"http_status"`
				Bytes          int    `json:"response_bytes"`
				ID             string `json:"correlation_id"`
				Code           string `json:"error_code"`
				Error          struct{ Message string }
			}
			if err := json.Unmarshal(out.Bytes(), &line); err != nil {
				t.Fatalf("not one line: %v: %s", err, out.Bytes())
			}
			if line.Message != "request" || line.Route != route.Path || line.Status != got.StatusCode ||
				line.ID != got.Headers[problem.HeaderRequestID] || line.Bytes != len(got.Body) ||
				line.Code != test.code || !strings.Contains(line.Error.Message, test.cause) {
				t.Errorf("line %s\nfor the answer %+v; want code %s and cause %q", out.Bytes(), got, test.code, test.cause)
			}
			if (line.Level == "ERROR") != (test.status == http.StatusInternalServerError) {
				t.Errorf("level %s for status %d", line.Level, test.status)
			}
		})
	}
}
