package problem_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/problem"
)

func TestWrite(t *testing.T) {
	t.Parallel()
	errTaken := problem.New(problem.Conflict, "sku_exists", "A product with this SKU exists.")
	for name, tc := range map[string]struct {
		err    error
		status int
		body   map[string]any
		header map[string]string
		cause  string
	}{
		"Problem": {
			err:    errTaken.WithFields(problem.FieldError{Pointer: "/sku", Detail: "is taken"}),
			status: 409,
			body: map[string]any{
				"title": "Conflict", "status": 409.0, "code": "sku_exists", "detail": "A product with this SKU exists.",
				"request_id": "rid", "errors": []any{map[string]any{"pointer": "/sku", "detail": "is taken"}},
			},
		},
		"WrappedProblem": {
			err: fmt.Errorf("create: %w", errTaken), status: 409,
			body: map[string]any{"title": "Conflict", "status": 409.0, "code": "sku_exists", "detail": "A product with this SKU exists.", "request_id": "rid"},
		},
		"CauseIsPrivate": {
			err: problem.New(problem.Unavailable, "unavailable", "Try again.").WithCause(errors.New("secret host")), status: 503,
			body:   map[string]any{"title": "Service Unavailable", "status": 503.0, "code": "unavailable", "detail": "Try again.", "request_id": "rid"},
			header: map[string]string{"Retry-After": "1"}, cause: "secret host",
		},
		"WaitIsRoundedUp": {
			err: problem.New(problem.TooManyRequests, "slow", "Wait.").WithRetryAfter(1200 * time.Millisecond), status: 429,
			body:   map[string]any{"title": "Too Many Requests", "status": 429.0, "code": "slow", "detail": "Wait.", "request_id": "rid"},
			header: map[string]string{"Retry-After": "2", "WWW-Authenticate": ""},
		},
		"NoWait": {
			err: problem.New(problem.TooManyRequests, "slow", "Wait."), status: 429,
			body:   map[string]any{"title": "Too Many Requests", "status": 429.0, "code": "slow", "detail": "Wait.", "request_id": "rid"},
			header: map[string]string{"Retry-After": ""},
		},
		"Unauthorized": {
			err: problem.New(problem.Unauthorized, "invalid_credentials", "Wrong."), status: 401,
			body:   map[string]any{"title": "Unauthorized", "status": 401.0, "code": "invalid_credentials", "detail": "Wrong.", "request_id": "rid"},
			header: map[string]string{"WWW-Authenticate": `Bearer realm="api"`, "Retry-After": ""},
		},
		"Unmapped": {
			err: errors.New("boom"), status: 500,
			body:  map[string]any{"title": "Internal Server Error", "status": 500.0, "code": "internal", "request_id": "rid"},
			cause: "boom",
		},
		"Deadline": {
			err: fmt.Errorf("read: %w", context.DeadlineExceeded), status: 504,
			body:  map[string]any{"title": "Gateway Timeout", "status": 504.0, "code": "timeout", "detail": "The request took too long.", "request_id": "rid"},
			cause: "deadline",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rec := httptest.NewRecorder()
			rec.Header().Set("X-Request-Id", "rid")
			rec.Header().Set("ETag", `"1"`)
			rec.Header().Set("Content-Encoding", "gzip")
			for _, name := range []string{"etag", "cache-control", "content-type", "content-length", "LAST-MODIFIED"} {
				rec.Header()[name] = []string{"x"}
			}
			entry := &logging.Entry{}
			r := httptest.NewRequest(http.MethodGet, "/", nil)

			problem.Write(rec, r.WithContext(logging.WithEntry(r.Context(), entry)), tc.err)

			var got map[string]any
			if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.body, got); diff != "" || rec.Code != tc.status {
				t.Errorf("status %d, want %d; body (-want +got):\n%s", rec.Code, tc.status, diff)
			}
			for name := range rec.Header() {
				if name != http.CanonicalHeaderKey(name) {
					t.Errorf("%s of another answer is sent", name)
				}
			}
			if rec.Header().Get("Content-Type") != "application/problem+json" || rec.Header().Get("ETag") != "" || rec.Header().Get("Content-Encoding") != "" {
				t.Errorf("headers: %v", rec.Header())
			}
			for key, want := range tc.header {
				if got := rec.Header().Get(key); got != want {
					t.Errorf("%s: got %q, want %q", key, got, want)
				}
			}
			_, cause := entry.Snapshot()
			if tc.cause == "" && cause != nil || tc.cause != "" && (cause == nil || !strings.Contains(cause.Error(), tc.cause)) {
				t.Errorf("cause in the log entry: got %v, want %q", cause, tc.cause)
			}
		})
	}
}

func TestFieldsAreBounded(t *testing.T) {
	t.Parallel()
	if got := len(problem.Fields(make([]problem.FieldError, 1000)...).Errors); got != 20 {
		t.Errorf("got %d fields, want 20", got)
	}
}

func TestPointer(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"sku": "/a/sku", "a/b": "/a/a~1b", "~1": "/a/~01", "": "/a/"} {
		if got := problem.Pointer("/a", name); got != want {
			t.Errorf("%q: got %s, want %s", name, got, want)
		}
	}
}

func TestErrorsIsSurvivesCopies(t *testing.T) {
	t.Parallel()
	errGone := problem.New(problem.Gone, "gone", "Gone.")
	cause := errors.New("cause")
	err := fmt.Errorf("x: %w", errGone.WithCause(cause).WithRetryAfter(time.Second).WithFields(problem.FieldError{}))
	if !errors.Is(err, errGone) || !errors.Is(err, cause) {
		t.Error("errors.Is does not find the value or its cause")
	}
	if errors.Is(err, problem.New(problem.Gone, "other", "")) {
		t.Error("errors.Is takes another code for the same error")
	}
	if errGone.RetryAfter != 0 || errGone.Errors != nil || errGone.Unwrap() != nil {
		t.Error("the exported value was changed")
	}
}

func TestEveryKindHasItsStatus(t *testing.T) {
	t.Parallel()
	want := []int{500, 400, 401, 402, 403, 404, 405, 406, 409, 410, 412, 413, 415, 422, 428, 429, 503, 504}
	for kind, status := range want {
		if got := problem.Kind(kind).Status(); got != status {
			t.Errorf("kind %d: got %d, want %d", kind, got, status)
		}
	}
	if got := problem.Kind(len(want)).Status(); got != http.StatusInternalServerError {
		t.Errorf("unknown kind: got %d, want 500", got)
	}
}
