package middleware

import (
	"net/http"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/tienda-dev/tienda/shared/internal/after"
	"github.com/tienda-dev/tienda/shared/logging"
)

// AccessLog writes one line for each request when it is over: method, route template, status,
// duration, size, what the layers below added to the log entry, and the private cause of a
// failure. A status of 500 and above is logged as an error, at once. Behind app.Main, app.MainMux and app.Func, other lines
// are written when the response has been sent. It never logs paths, queries, headers, addresses or bodies, which may carry
// personal data.
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
				a := access{r: r, route: route, status: status, size: size, took: now().Sub(start)}
				a.log()
			}()
			next.ServeHTTP(rec, r)
			finished = true
		})
	}
}

// access is a request that is over.
type access struct {
	r      *http.Request
	route  string
	status int
	size   int64 // bytes
	took   time.Duration
}

// log writes the request's line: a failure's at once, others after the response.
func (a access) log() {
	level := zapcore.InfoLevel
	if a.status >= http.StatusInternalServerError {
		level = zapcore.ErrorLevel
	}
	line := logging.From(a.r.Context()).Check(level, "request")
	switch {
	case line == nil:
	case level == zapcore.ErrorLevel:
		line.Write(a.fields()...)
	default:
		after.Response(a.r.Context(), func() { line.Write(a.fields()...) })
	}
}

func (a access) fields() []zap.Field {
	added, err := logging.EntryFrom(a.r.Context()).Snapshot()
	fields := make([]zap.Field, 0, len(added)+6)
	fields = append(fields,
		zap.String("http_method", a.r.Method),
		zap.String("http_route", a.route),
		zap.Int("http_status", a.status),
		zap.Int64("response_bytes", a.size),
		zap.Float64("duration_ms", float64(a.took.Microseconds())/1000),
	)
	fields = append(fields, added...)
	if err != nil {
		fields = append(fields, logging.Error(err))
	}
	return fields
}
