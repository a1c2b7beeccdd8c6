package ddb

import (
	"context"
	"time"
)

// defaultBudget bounds the retry loops of a caller whose context has no deadline.
const defaultBudget = 10 * time.Second

// withBudget gives ctx a deadline when it has none.
func withBudget(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, defaultBudget)
}
