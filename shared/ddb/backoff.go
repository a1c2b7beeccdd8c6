package ddb

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"

	"github.com/tienda-dev/tienda/shared/awsclient"
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

// repeat sends the call again while another write holds its item, with growing random pauses, as long as
// the context's time allows. Everything else that may pass, the SDK's retry sends again.
func repeat[In, Out any](ctx context.Context, call func(context.Context, In, ...func(*dynamodb.Options)) (Out, error), in In) (Out, error) {
	budget, cancel := withBudget(ctx)
	defer cancel()
	for retries := 0; ; retries++ {
		out, err := call(ctx, in)
		if !isConflict(err) || !awsclient.Pause(budget, retries) {
			return out, err
		}
	}
}

// isConflict reports that a transaction, or a write in another region, holds the item.
func isConflict(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	switch api.ErrorCode() {
	case "TransactionConflictException", "ReplicatedWriteConflictException":
		return true
	default:
		return false
	}
}
