package middleware

import (
	"context"
	"errors"
	"net/http"

	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/problem"
)

// Recover turns a panic, and an answer that the writer below cannot send, into a 500 problem. The
// access line gets the cause (logging.Panicked). Recover is inside the access log, metrics and
// tracing, so that they see the 500.
//
// When the handler has begun its answer, that answer is never completed. A writer that has held it
// back (lambdahttp's) drops it, and the client gets the 500 problem. Otherwise a part of it is on
// its way: Recover panics with http.ErrAbortHandler, and the server ends the connection.
func Recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := Record(w)
		defer func() {
			value := recover()
			if value == nil {
				return
			}
			if err, ok := value.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				fail(rec, r, err)
				return
			}
			fail(rec, r, logging.Panicked(value))
		}()
		next.ServeHTTP(rec, r)
		if err := rec.Finish(); err != nil {
			fail(rec, r, err)
		}
	})
}

// fail answers a request that has failed with err, as Recover describes. An answer that the handler
// has begun becomes a 500, whatever err is.
func fail(rec *Recorder, r *http.Request, err error) {
	if rec.Started() {
		if !rec.Discard() {
			if !errors.Is(err, http.ErrAbortHandler) { // fail has set the cause already
				logging.EntryFrom(r.Context()).SetError(err)
			}
			panic(http.ErrAbortHandler)
		}
		if p, ok := problem.As(err); ok && p.Kind != problem.Internal || errors.Is(err, context.DeadlineExceeded) {
			err = problem.New(problem.Internal, "internal", "").WithCause(err)
		}
	}
	problem.Write(rec, r, err)
}
