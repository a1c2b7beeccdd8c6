package catalog

import (
	"context"

	"github.com/aws/aws-lambda-go/events"
	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/shared/batch"
	"github.com/tienda-dev/tienda/shared/logging"
)

// Summed is the answer of the function behind the schedule.
type Summed struct {
	// Changes is how many changes of categories it has summed.
	Changes int `json:"changes"`
}

type summer interface {
	SumCategories(ctx context.Context) (int, error)
}

// SumCategories returns the function that a schedule invokes every five minutes. It sums the changes of the
// categories' products, so that their number does not grow. The list of categories is the same before and after. It
// fails when time runs out; the next invocation sums the rest.
func SumCategories(categories summer) func(context.Context, events.EventBridgeEvent) (Summed, error) {
	return func(ctx context.Context, _ events.EventBridgeEvent) (Summed, error) {
		limited, cancel := batch.Limit(ctx)
		defer cancel()
		n, err := categories.SumCategories(limited)
		logging.EntryFrom(ctx).Add(zap.Int("summed_changes", n))
		return Summed{Changes: n}, err
	}
}
