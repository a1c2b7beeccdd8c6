// Package outboxqueue consumes the events of an outbox from the queue of one consumer.
package outboxqueue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-lambda-go/events"

	"github.com/tienda-dev/tienda/shared/batch"
	"github.com/tienda-dev/tienda/shared/outbox"
)

// Function is a Lambda function behind an SQS queue.
type Function = func(context.Context, events.SQSEvent) (events.SQSEventResponse, error)

// Consume returns a Lambda function that hands the event of every message to handle. A message that holds
// no event can never be handled: it goes to the dead-letter queue of cfg at once. outbox.ErrConsumed is
// success.
func Consume(handle func(ctx context.Context, e outbox.Event) error, cfg batch.Config) Function {
	if handle == nil {
		panic("outboxqueue: Consume needs a handler")
	}
	return batch.SQS(func(ctx context.Context, m batch.Message) error {
		var e outbox.Event
		if err := json.Unmarshal([]byte(m.Body), &e); err != nil {
			return batch.Permanent(err)
		}
		if err := handle(ctx, e); err != nil && !errors.Is(err, outbox.ErrConsumed) {
			return fmt.Errorf("handle %s %s: %w", e.Type, e.ID, err)
		}
		return nil
	}, cfg)
}
