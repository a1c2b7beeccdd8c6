package middleware

import (
	"context"
	"net/http"

	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/problem"
)

// LogFields returns fields for every log line of a request, such as the Lambda request id. It is called
// once for each request.
type LogFields func(r *http.Request) []zap.Field

// usualFields is how many fields all lines of a request have.
const usualFields = 5

// RequestID gives every request an id, echoes it in X-Request-Id, and puts a logger that names
// it and an empty log entry into the context. A client's id is kept when it is valid
// (problem.RequestID); any other is replaced, because it would end up in logs.
func RequestID(logger *zap.Logger, fields LogFields) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			id := problem.RequestID(r)
			w.Header().Set(problem.HeaderRequestID, id)

			with := make([]zap.Field, 1, usualFields)
			with[0] = zap.String(logging.KeyCorrelationID, id)
			if fields != nil {
				with = append(with, fields(r)...)
			}
			ctx := context.WithValue(r.Context(), requestIDKey{}, id)
			ctx, entry := logging.Begin(ctx, logger, id, with...)
			defer entry.End()
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
}

type requestIDKey struct{}

// RequestIDFrom returns the request's id, or "" outside a request.
func RequestIDFrom(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}
