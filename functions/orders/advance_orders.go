package orders

import (
	"context"
	"errors"

	"github.com/tienda-dev/tienda/shared/batch"
	"github.com/tienda-dev/tienda/shared/outbox"
	"github.com/tienda-dev/tienda/shared/outbox/outboxqueue"
	"github.com/tienda-dev/tienda/shared/queue"
)

// ordersAtOnce is how many orders a worker carries on at the same time. It waits for the table most of the time.
const ordersAtOnce = 5

type advancer interface {
	Advance(ctx context.Context, e outbox.Event) error
}

// AdvanceOrders returns the function behind the queue of the events that may change an order. An event that cannot be
// read, or whose order does not exist, goes to dead at once; another failure is delivered again.
func AdvanceOrders(orders advancer, dead queue.Sender) outboxqueue.Function {
	return outboxqueue.Consume(func(ctx context.Context, e outbox.Event) error {
		err := orders.Advance(ctx, e)
		if errors.Is(err, ErrNotFound) {
			return batch.Permanent(err)
		}
		return err
	}, batch.Config{Parallel: ordersAtOnce, DeadLetters: dead})
}
