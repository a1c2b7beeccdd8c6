package middleware_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/shared/internal/after"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/middleware"
	"github.com/tienda-dev/tienda/shared/problem"
)

// A request that fails shows its lines below the level, in front of its access line.
func TestHeldLinesOfAFailedRequest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		handler func(w http.ResponseWriter, r *http.Request) error
		shown   bool
	}{
		"OK":          {func(http.ResponseWriter, *http.Request) error { return nil }, false},
		"ClientError": {func(http.ResponseWriter, *http.Request) error { return problem.New(problem.NotFound, "missing", "") }, false},
		"Error":       {func(http.ResponseWriter, *http.Request) error { return errors.New("cause") }, true},
		"Status503": {func(w http.ResponseWriter, _ *http.Request) error {
			w.WriteHeader(http.StatusServiceUnavailable)
			return nil
		}, true},
		"Panic": {func(http.ResponseWriter, *http.Request) error { panic("x") }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			log, err := logging.New(logging.Config{Buffer: 1 << 14}, &out)
			if err != nil {
				t.Fatal(err)
			}
			h := chain(t, publicRoute, middleware.Config{Logger: log}, func(w http.ResponseWriter, r *http.Request) error {
				logging.From(r.Context()).Debug("detail")
				return c.handler(w, r)
			})
			for range 2 { // nothing of the first request is left to the second
				out.Reset()
				serve(h, httptest.NewRequest(http.MethodGet, "/", nil))
				want := []string{`"message":"request"`}
				if c.shown {
					want = []string{`"message":"detail"`, `"message":"request"`}
				}
				lines := strings.Split(strings.TrimSpace(out.String()), "\n")
				if len(lines) != len(want) {
					t.Fatalf("got %s, want %v", &out, want)
				}
				for i, line := range lines {
					if !strings.Contains(line, want[i]) || !strings.Contains(line, `"correlation_id"`) {
						t.Errorf("line %d is %s, want %s and the request's id", i, line, want[i])
					}
				}
			}
		})
	}
}

// The line of a request waits for the response; that of a failure does not, in case the process ends.
func TestTheAccessLineFollowsTheResponse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		handler func(w http.ResponseWriter, r *http.Request) error
		waits   bool
	}{
		"OK":          {func(http.ResponseWriter, *http.Request) error { return nil }, true},
		"ClientError": {func(http.ResponseWriter, *http.Request) error { return problem.New(problem.NotFound, "missing", "") }, true},
		"Error":       {func(http.ResponseWriter, *http.Request) error { return errors.New("cause") }, false},
		"Panic":       {func(http.ResponseWriter, *http.Request) error { panic("x") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			log, err := logging.New(logging.Config{}, &out)
			if err != nil {
				t.Fatal(err)
			}
			h := chain(t, publicRoute, middleware.Config{Logger: log}, c.handler)
			ctx, respond := context.WithCancel(after.Base(func(value any) { t.Errorf("panic: %v", value) }))
			defer respond()
			serve(h, httptest.NewRequest(http.MethodGet, "/", nil).WithContext(ctx))
			if written := out.Len() > 0; written == c.waits {
				t.Errorf("written before the response: %t", written)
			}
			respond()
			if n := strings.Count(out.String(), "\n"); n != 1 {
				t.Errorf("%d lines: %s", n, &out)
			}
		})
	}
}
