package middleware

import (
	"net/http"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/tienda-dev/tienda/shared/logging"
)

// AccessLog writes one line for each request when it is over: method, route template, status,
// duration, size, what the layers below added to the log entry, and the private cause of a
// failure. A status of 500 and above is logged as an error. It never logs paths, queries,
// headers, addresses or bodies, which may carry personal data.
func AccessLog(route string, now func() time.Time) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			start := now()
			rec := Record(w)
			finished := false
			defer func() {
				status := rec.Status()
				if !finished { // a panic passes through
					status = http.StatusInternalServerError
				}
				size := rec.Bytes()
				if r.Method == http.MethodHead { // the server drops the body
					size = 0
				}
				writeAccessLine(r, route, status, size, now().Sub(start))
			}()
			next.ServeHTTP(rec, r)
			finished = true
		})
	}
}

func writeAccessLine(r *http.Request, route string, status int, size int64, took time.Duration) {
	level := zapcore.InfoLevel
	if status >= http.StatusInternalServerError {
		level = zapcore.ErrorLevel
	}
	line := logging.From(r.Context()).Check(level, "request")
	if line == nil {
		return
	}
	added, err := logging.EntryFrom(r.Context()).Snapshot()
	fields := make([]zap.Field, 0, len(added)+6)
	fields = append(fields,
		zap.String("http_method", r.Method),
		zap.String("http_route", route),
		zap.Int("http_status", status),
		zap.Int64("response_bytes", size),
		zap.Float64("duration_ms", float64(took.Microseconds())/1000),
	)
	fields = append(fields, added...)
	if err != nil {
		fields = append(fields, logging.Error(err))
	}
	line.Write(fields...)
}
