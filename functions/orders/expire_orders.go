package orders

import (
	"context"

	"github.com/aws/aws-lambda-go/events"
	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/shared/batch"
	"github.com/tienda-dev/tienda/shared/logging"
)

// Expired is the answer of the function behind the schedule.
type Expired struct {
	// Orders is how many orders it has ended.
	Orders int `json:"orders"`
}

type expirer interface {
	Expire(ctx context.Context) (int, error)
}

// ExpireOrders returns the function that a schedule invokes each minute. It ends every order that nobody has paid in
// time. It fails when one of them could not be ended or time ran out; the next minute tries again.
func ExpireOrders(orders expirer) func(context.Context, events.EventBridgeEvent) (Expired, error) {
	return func(ctx context.Context, _ events.EventBridgeEvent) (Expired, error) {
		sweep, cancel := batch.Limit(ctx)
		defer cancel()
		n, err := orders.Expire(sweep)
		logging.EntryFrom(ctx).Add(zap.Int("expired_orders", n))
		return Expired{Orders: n}, err
	}
}
