package middleware

import (
	"net/http"

	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/problem"
)

// Recover turns a panic into a 500 problem and leaves what logging.Panicked tells of it in the log entry.
// It sits inside the access log, metrics and tracing, so that they see the 500. When the answer
// had begun already, it cannot be taken back: the panic goes on as http.ErrAbortHandler, and the
// server drops what was written.
func Recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := record(w)
		defer func() {
			value := recover()
			if value == nil {
				return
			}
			err := logging.Panicked(value)
			if rec.started() {
				logging.EntryFrom(r.Context()).SetError(err)
				panic(http.ErrAbortHandler)
			}
			problem.Write(rec, r, err)
		}()
		next.ServeHTTP(rec, r)
	})
}
