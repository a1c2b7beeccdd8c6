package middleware

import (
	"context"
	"net/http"
	"time"
)

// DeadlineConfig bounds a request. The zero value keeps 250 ms for the answer and sets no limit
// of its own.
type DeadlineConfig struct {
	// Margin is the time kept back from the context's deadline (on Lambda: the function's
	// timeout) for writing the answer. 0 is 250 ms.
	Margin time.Duration
	// Limit is the longest a request may take; 0 is as long as the deadline allows.
	Limit time.Duration
}

const defaultMargin = 250 * time.Millisecond

// Deadline shortens the request's context, so that calls below fail with
// context.DeadlineExceeded, which is answered with 504, before the platform ends the process.
// It does not run the handler in a goroutine of its own: one that ignores its context is not
// abandoned half-way.
func Deadline(cfg DeadlineConfig) Middleware {
	margin := cfg.Margin
	if margin == 0 {
		margin = defaultMargin
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx := r.Context()
			if deadline, ok := ctx.Deadline(); ok {
				var cancel context.CancelFunc
				ctx, cancel = context.WithDeadline(ctx, deadline.Add(-margin))
				defer cancel()
			}
			if cfg.Limit > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, cfg.Limit)
				defer cancel()
			}
			if ctx != r.Context() {
				r = r.WithContext(ctx)
			}
			next.ServeHTTP(w, r)
		})
	}
}
