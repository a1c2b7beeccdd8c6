// Package middleware holds the parts of the request chain as plain net/http middleware, one
// concern in each file, and Chain, which puts them in order. Nothing here imports another
// concern (metrics, rate limits, tokens): those come in as Middleware and Authenticator values.
package middleware

import "net/http"

// Middleware wraps a handler with one concern.
type Middleware func(http.Handler) http.Handler

// recorder remembers what was written, for the layers that need to know. It keeps the first
// status and lets http.ResponseController reach the writer below.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// record returns w as a recorder; one that is a recorder already is not wrapped again.
func record(w http.ResponseWriter) *recorder {
	if rec, ok := w.(*recorder); ok {
		return rec
	}
	return &recorder{ResponseWriter: w}
}

// WriteHeader implements http.ResponseWriter. Informational statuses (1xx) are not final.
func (rec *recorder) WriteHeader(status int) {
	if rec.status == 0 && status >= http.StatusOK {
		rec.status = status
	}
	rec.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (rec *recorder) Write(p []byte) (int, error) {
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	n, err := rec.ResponseWriter.Write(p)
	rec.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController find the writer below.
func (rec *recorder) Unwrap() http.ResponseWriter { return rec.ResponseWriter }

// started reports whether a final status was sent.
func (rec *recorder) started() bool { return rec.status != 0 }
