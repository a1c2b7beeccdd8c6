// Package accesslog logs every request with zap.
package accesslog

import (
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"go.uber.org/zap"
)

// Middleware writes a line for each request, and then calls observe, unless it is nil, with the request's route, status
// and duration.
func Middleware(logger *zap.Logger, observe func(method, route string, status int, took time.Duration)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			start := time.Now()
			// https://pkg.go.dev/github.com/go-chi/chi/v5/middleware#NewWrapResponseWriter
			wrapped := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
			next.ServeHTTP(wrapped, r)

			took, route := time.Since(start), chi.RouteContext(r.Context()).RoutePattern()
			id := ""
			// https://docs.aws.amazon.com/lambda/latest/dg/golang-context.html
			if lc, ok := lambdacontext.FromContext(r.Context()); ok {
				id = lc.AwsRequestID
			}
			// The Logger, which allocates less than the SugaredLogger.
			// https://github.com/uber-go/zap#quick-start
			logger.Info("request",
				zap.String("method", r.Method), zap.String("route", route), zap.Int("status", wrapped.Status()),
				zap.Duration("duration", took), zap.String("request_id", id))
			if observe != nil {
				observe(r.Method, route, wrapped.Status(), took)
			}
		})
	}
}
