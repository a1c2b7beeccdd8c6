package events

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-lambda-go/events"

	"github.com/tienda-dev/tienda/shared/outbox/outboxstream"
	"github.com/tienda-dev/tienda/shared/queue"
)

// Resend sends the event of a stream record, which is JSON from the failures' queue, to its subscribers. open returns a queue.
// It fails for a record without an event that can be read, and when a queue does not take it.
func Resend(ctx context.Context, record []byte, open func(Queue) (queue.Sender, error)) error {
	var r events.DynamoDBEventRecord
	if err := json.Unmarshal(record, &r); err != nil {
		return errors.New("read stream record: it is not one")
	}
	e, text, err := outboxstream.Event(r)
	if err != nil {
		return err
	}
	for _, name := range subscribers(e) {
		to, err := open(Queue(name))
		if err != nil {
			return err
		}
		if err := to.Send(ctx, []queue.Message{{Body: text, Group: e.Subject, Dedup: e.ID}}); err != nil {
			return fmt.Errorf("send to %s: %w", name, err)
		}
	}
	return nil
}
