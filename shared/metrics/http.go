package metrics

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/middleware"
)

// HTTP returns the middleware that records every request and puts m into its context. route is the template of
// the path; empty takes the pattern that a ServeMux matched. It must be inside the layer that makes the log entry
// and outside the one that recovers, as the chain's place Metrics is.
func HTTP(m *Metrics, route string, now func() time.Time) middleware.Middleware {
	active := newActive()
	return func(next http.Handler) http.Handler {
		if m == nil {
			return next
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if From(r.Context()) != m {
				r = r.WithContext(With(r.Context(), m))
			}
			ctx := r.Context()
			start := now()
			rec := middleware.Record(w)
			method := Method(r.Method)
			with := active.options(method, Scheme(r))
			m.active.Add(ctx, 1, with...)
			pending := pendingFrom(ctx)
			pending.begin(func() {
				path := route
				if path == "" { // a mux may be setting the pattern
					path = Other
				}
				m.active.Add(ctx, -1, with...)
				m.in().httpServerRequestDuration.record(ctx, seconds(now().Sub(start)),
					values{method, path, statusText(http.StatusServiceUnavailable), Scheme(r), ErrorTimeout})
			})
			finished := false
			defer func() {
				if !pending.end() {
					return // TimedOut has recorded it
				}
				status := rec.Status()
				failed := ErrorType(r.Context(), status)
				if !finished { // a panic passes through
					status, failed = http.StatusInternalServerError, ErrorPanic
				}
				m.active.Add(ctx, -1, with...)
				m.served(ctx, r, rec, values{method, template(route, r), statusText(status), Scheme(r), failed}, now().Sub(start))
			}()
			next.ServeHTTP(rec, r)
			finished = true
		})
	}
}

func (m *Metrics) served(ctx context.Context, r *http.Request, rec *middleware.Recorder, v values, took time.Duration) {
	m.instruments.httpServerRequestDuration.record(ctx, seconds(took), v)
	m.instruments.httpServerRequestBodySize.record(ctx, float64(r.ContentLength), v)
	if r.Method != http.MethodHead { // the server drops the body
		m.instruments.httpServerResponseBodySize.record(ctx, float64(rec.Bytes()), v)
	}
}

// template returns the route's path, never the request's.
func template(route string, r *http.Request) string {
	if route != "" {
		return route
	}
	if _, path, ok := strings.Cut(r.Pattern, " "); ok {
		return path
	}
	if r.Pattern != "" {
		return r.Pattern
	}
	return Other
}

// Method returns the request's method if RFC 9110 or RFC 5789 has it, and Other for every other text: a client
// may send any.
func Method(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions, http.MethodConnect, http.MethodTrace:
		return method
	default:
		return Other
	}
}

// Scheme returns "https", or "http" for a request without TLS.
func Scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// statusText returns a status as text, without an allocation for those in use.
func statusText(status int) string {
	switch status {
	case http.StatusOK:
		return "200"
	case http.StatusCreated:
		return "201"
	case http.StatusNoContent:
		return "204"
	case http.StatusNotModified:
		return "304"
	case http.StatusNotFound:
		return "404"
	default:
		return strconv.Itoa(status)
	}
}

// The values of error.type that are not a status.
const (
	// ErrorPanic is a panic.
	ErrorPanic = "panic"
	// ErrorTimeout is a deadline that was exceeded.
	ErrorTimeout = "timeout"
)

// ErrorType returns error.type of a request that was answered with status: "" below 500, "panic", "timeout", or
// the status as text.
func ErrorType(ctx context.Context, status int) string {
	if status < http.StatusInternalServerError {
		return ""
	}
	_, err := logging.EntryFrom(ctx).Snapshot()
	switch {
	case err == nil:
	case errors.Is(err, context.DeadlineExceeded):
		return ErrorTimeout
	case logging.IsPanic(err):
		return ErrorPanic
	}
	return statusText(status)
}

// active builds the options of active requests: methods times schemes.
type active struct {
	known [2][10]atomic.Pointer[[]metric.AddOption]
}

func newActive() *active { return new(active) }

func (a *active) options(method, scheme string) []metric.AddOption {
	s := 0
	if scheme == "https" {
		s = 1
	}
	slot := &a.known[s][methodIndex(method)]
	if with := slot.Load(); with != nil {
		return *with
	}
	with := []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(
		attribute.String(KeyMethod, method), attribute.String(KeyScheme, scheme),
	))}
	slot.Store(&with)
	return with
}

func methodIndex(method string) int {
	for i, known := range [...]string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodOptions, http.MethodConnect, http.MethodTrace,
	} {
		if method == known {
			return i
		}
	}
	return 9
}
