package payments

import (
	"context"
	"errors"

	"github.com/tienda-dev/tienda/shared/batch"
	"github.com/tienda-dev/tienda/shared/outbox"
	"github.com/tienda-dev/tienda/shared/outbox/outboxqueue"
	"github.com/tienda-dev/tienda/shared/queue"
)

// ordersAtOnce is how many orders' money a worker moves at the same time. It waits for the provider most of the time.
const ordersAtOnce = 5

type settler interface {
	Settle(ctx context.Context, e outbox.Event) error
}

// SettlePayments returns the function behind the queue of the events that move money. An event that cannot be read,
// whose order does not exist, or whose money a person must see to, goes to dead at once; another failure is delivered again.
func SettlePayments(payments settler, dead queue.Sender) outboxqueue.Function {
	return outboxqueue.Consume(func(ctx context.Context, e outbox.Event) error {
		err := payments.Settle(ctx, e)
		if errors.Is(err, ErrOrderNotFound) || errors.Is(err, ErrUncharged) || errors.Is(err, ErrUnreturned) {
			return batch.Permanent(err)
		}
		return err
	}, batch.Config{Parallel: ordersAtOnce, DeadLetters: dead})
}
