package main

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"go.uber.org/zap"

	"example.com/peers/internal/revocation"
	"example.com/peers/internal/signals"
	"example.com/peers/internal/token"
)

// secured sets the security headers before the handler, which may replace one.
// https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "accelerometer=(), camera=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("X-Permitted-Cross-Domain-Policies", "none")
		next.ServeHTTP(w, r)
	})
}

// checks are the middlewares that read or write a table.
type checks struct {
	logger  *zap.Logger
	tokens  *token.Verifier
	revoked revocation.Store
	limit   limit
}

// caller is the key of the subject in a request's context.
// https://pkg.go.dev/github.com/go-chi/chi/v5#readme-middleware-handlers
type caller struct{}

// authenticated answers 401 to a request without a valid token.
func (c checks) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims, err := c.tokens.Verify(r.Header.Get("Authorization"))
		if err != nil {
			refuse(w, http.StatusUnauthorized)
			return
		}
		revoked, err := signals.DynamoDB(r.Context(), "GetItem", c.revoked.Table, func(ctx context.Context) (bool, error) {
			return c.revoked.Revoked(ctx, claims.ID)
		})
		switch {
		case err != nil:
			c.logger.Error("token not checked", zap.Error(err))
			refuse(w, http.StatusServiceUnavailable)
		case revoked:
			refuse(w, http.StatusUnauthorized)
		default:
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), caller{}, claims.Subject)))
		}
	})
}

// limited answers 429 to a caller with too many requests in this minute.
func (c checks) limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		subject, _ := r.Context().Value(caller{}).(string)
		hits, err := signals.DynamoDB(r.Context(), "UpdateItem", c.limit.table, func(ctx context.Context) (int, error) {
			return c.limit.count(ctx, subject, time.Now())
		})
		if err != nil {
			c.logger.Error("request not counted", zap.Error(err))
			refuse(w, http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("X-RateLimit-Limit", strconv.Itoa(c.limit.most))
		w.Header().Set("X-RateLimit-Remaining", strconv.Itoa(max(0, c.limit.most-hits)))
		if hits > c.limit.most {
			refuse(w, http.StatusTooManyRequests)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// refuse answers with a problem.
func refuse(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(`{"status":` + strconv.Itoa(status) + `,"title":"` + http.StatusText(status) + `"}`))
}
