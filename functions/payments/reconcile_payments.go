package payments

import (
	"context"

	"github.com/aws/aws-lambda-go/events"

	"github.com/tienda-dev/tienda/shared/batch"
)

// Reconciled is the answer of the function behind the schedule.
type Reconciled struct{}

type reconciler interface {
	Reconcile(ctx context.Context) error
}

// ReconcilePayments returns the function that a schedule invokes each minute. It asks the provider about every payment
// whose outcome is unknown and carries on what is due. It fails when one of them could not be carried on; the next
// minute tries again.
func ReconcilePayments(payments reconciler) func(context.Context, events.EventBridgeEvent) (Reconciled, error) {
	return func(ctx context.Context, _ events.EventBridgeEvent) (Reconciled, error) {
		sweep, cancel := batch.Limit(ctx)
		defer cancel()
		return Reconciled{}, payments.Reconcile(sweep)
	}
}
