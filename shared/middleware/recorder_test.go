package middleware_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/middleware"
	"github.com/tienda-dev/tienda/shared/problem"
)

// failures are handlers that fail after they have begun their response, and the expected log line.
func failures() map[string]struct {
	handler api.Handler
	cause   string
} {
	type failure = struct {
		handler api.Handler
		cause   string
	}
	const size = 1 << 16 // larger than the buffer of net/http
	begin := func(w http.ResponseWriter) { _, _ = io.WriteString(w, strings.Repeat("x", size)) }
	return map[string]failure{
		"Error": {func(w http.ResponseWriter, _ *http.Request) error {
			begin(w)
			return errors.New("the store has failed")
		}, "the store has failed"},
		"Problem": {func(w http.ResponseWriter, _ *http.Request) error {
			begin(w)
			return problem.New(problem.Conflict, "taken", "It is taken.")
		}, "It is taken."},
		"Panic": {func(w http.ResponseWriter, _ *http.Request) error {
			begin(w)
			panic("canary")
		}, "panic with a string"},
	}
}

// TestFailureAfterTheResponseBegan uses a writer that sends at once: the response is aborted, nothing is
// written after its first part, and the access log and the layers outside it see a 500.
func TestFailureAfterTheResponseBegan(t *testing.T) {
	t.Parallel()
	for name, tc := range failures() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log, lines := logger(t)
			var outermost *middleware.Recorder
			h := chain(t, publicRoute, middleware.Config{
				Logger: log,
				Metrics: func(next http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						outermost = middleware.Record(w)
						next.ServeHTTP(wrapper{outermost}, r)
					})
				},
				RateLimitSubject: func(next http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(wrapper{w}, r) })
				},
			}, tc.handler)
			rec := httptest.NewRecorder()

			func() {
				defer func() {
					if got := recover(); got != http.ErrAbortHandler { //nolint:errorlint // a panic value, compared as net/http does
						t.Errorf("got panic %v, want http.ErrAbortHandler", got)
					}
				}()
				h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/", nil))
			}()

			if body := strings.Trim(rec.Body.String(), "x"); body != "" {
				t.Errorf("the handler's answer is followed by %s", body)
			}
			if outermost.Status() != http.StatusInternalServerError {
				t.Errorf("recorded %d, want 500", outermost.Status())
			}
			got := lines()
			if len(got) != 1 || got[0]["http_status"] != 500.0 || got[0]["level"] != "ERROR" ||
				!strings.Contains(toJSON(t, got[0]["error"]), tc.cause) || strings.Contains(toJSON(t, got[0]), "canary") {
				t.Errorf("access line: %v", got)
			}
		})
	}
}

// wrapper hides the Recorder from Record, like a layer that wraps the writer.
type wrapper struct{ http.ResponseWriter }

func (w wrapper) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func TestServerClosesTheConnectionOfAnAbortedResponse(t *testing.T) {
	t.Parallel()
	for name, tc := range failures() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(chain(t, publicRoute, middleware.Config{}, tc.handler))
			t.Cleanup(server.Close)

			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := server.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if !errors.Is(err, io.ErrUnexpectedEOF) || strings.Trim(string(body), "x") != "" {
				t.Errorf("read %d bytes and %v, want the first part and a broken connection", len(body), err)
			}
		})
	}
}

func TestRecorder(t *testing.T) {
	t.Parallel()
	rec := middleware.Record(httptest.NewRecorder())
	if rec.Started() || rec.Status() != http.StatusOK || rec.Finish() != nil {
		t.Errorf("nothing written: started %t, status %d", rec.Started(), rec.Status())
	}
	rec.WriteHeader(http.StatusEarlyHints)
	if rec.Started() {
		t.Error("an informational status counts as the final status")
	}

	rec = middleware.Record(httptest.NewRecorder())
	rec.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(rec, "four")
	if !rec.Started() || rec.Status() != http.StatusCreated || rec.Bytes() != 4 {
		t.Errorf("got started %t, status %d, %d bytes; want 201 and 4 bytes", rec.Started(), rec.Status(), rec.Bytes())
	}
	if middleware.Record(rec) != rec {
		t.Error("a Recorder was wrapped again")
	}
	if rec.Discard() || rec.Status() != http.StatusInternalServerError {
		t.Errorf("a sent response was withdrawn, or has status %d instead of 500", rec.Status())
	}
}

func TestRecorderCountsAFlushAsTheBeginning(t *testing.T) {
	t.Parallel()
	rec := middleware.Record(httptest.NewRecorder())
	if err := http.NewResponseController(rec).Flush(); err != nil {
		t.Fatal(err)
	}
	if !rec.Started() || rec.Status() != http.StatusOK {
		t.Errorf("after Flush: started %t, status %d; want an answer that has begun with 200", rec.Started(), rec.Status())
	}
}

func TestSwitchingProtocolsIsFinal(t *testing.T) {
	t.Parallel()
	rec := middleware.Record(httptest.NewRecorder())
	rec.WriteHeader(http.StatusSwitchingProtocols)
	if rec.Status() != http.StatusSwitchingProtocols {
		t.Errorf("got %d, want 101", rec.Status())
	}
}
