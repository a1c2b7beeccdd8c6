package suite

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"testing"
)

// recorder is a test that may fail without failing the one around it.
type recorder struct {
	*testing.T
	errors, fatal int
}

func (r *recorder) Errorf(string, ...any) { r.errors++ }
func (r *recorder) Fatalf(string, ...any) { r.fatal++; runtime.Goexit() }

// TestSweepEndsAtAFailureOfTheServer sends responses that are right except for the status: a sweep accepts a
// refusal, and no status from 500 on.
func TestSweepEndsAtAFailureOfTheServer(t *testing.T) {
	t.Parallel()
	for status, failure := range map[int]bool{
		http.StatusOK: false, http.StatusNotFound: false, http.StatusUnprocessableEntity: false,
		http.StatusInternalServerError: true, http.StatusServiceUnavailable: true, http.StatusGatewayTimeout: true,
	} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for name, value := range securityHeaders() {
					w.Header().Set(name, value)
				}
				w.Header().Set(headerCacheControl, "no-store")
				w.Header().Set(headerRequestID, "planted")
				w.Header().Set("Vary", headerOrigin)
				w.Header().Set(headerContentType, typeProblem)
				if status < http.StatusBadRequest {
					w.Header().Set(headerContentType, typeJSON)
				}
				w.WriteHeader(status)
				_, _ = fmt.Fprintf(w, `{"title":%q,"status":%d,"detail":"Planted.","code":"planted","request_id":"planted"}`,
					http.StatusText(status), status)
			}))
			t.Cleanup(server.Close)
			r, done := &recorder{T: t}, make(chan struct{})
			go func() {
				defer close(done)
				New(Target{URL: server.URL, Client: server.Client()}).wantNoFailure(r, Request{Method: http.MethodGet, Path: "/v1/products"})
			}()
			<-done
			if got := r.fatal > 0; got != failure || !failure && r.errors > 0 {
				t.Errorf("ended: %v, want %v; errors besides: %d", got, failure, r.errors)
			}
		})
	}
}
