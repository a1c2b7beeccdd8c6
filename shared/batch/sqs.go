package batch

import (
	"context"
	"errors"

	"github.com/aws/aws-lambda-go/events"

	"github.com/tienda-dev/tienda/shared/queue"
)

// Message is a message of a queue.
type Message struct {
	// ID is SQS's id of the message. It is the same in every delivery.
	ID string
	// Body is the text.
	Body string
	// Group is the group of a message in a FIFO queue, empty in another queue.
	Group string
}

const attrGroup = "MessageGroupId"

// SQS returns a Lambda function for an SQS queue, FIFO or not, that hands every message to handle. Its answer
// names the messages that failed; its error is always nil.
func SQS(handle func(ctx context.Context, m Message) error, cfg Config) func(context.Context, events.SQSEvent) (events.SQSEventResponse, error) {
	if handle == nil {
		panic("batch: SQS needs a handler")
	}
	return func(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
		records := make([]record, len(event.Records))
		for i, delivered := range event.Records {
			m := Message{ID: delivered.MessageId, Body: delivered.Body, Group: delivered.Attributes[attrGroup]}
			records[i] = record{id: m.ID, key: key(m), handle: func(limited context.Context) error {
				err := handle(limited, m)
				if cfg.DeadLetters == nil || !IsPermanent(err) {
					return err
				}
				if unsent := bury(ctx, cfg.DeadLetters, letter(m)); unsent != nil {
					return errors.Join(err, unsent)
				}
				logFailure(ctx, textBuried, m.ID, err)
				return nil
			}}
		}
		out := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
		for i, err := range cfg.run(ctx, records) {
			if err != nil {
				logFailure(ctx, textFailed, records[i].id, err)
				out.BatchItemFailures = append(out.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: records[i].id})
			}
		}
		count(ctx, len(records), len(out.BatchItemFailures))
		return out, nil
	}
}

// key returns the message's group, and a key of its own in a queue without groups.
func key(m Message) string {
	if m.Group == "" {
		return "message " + m.ID
	}
	return "group " + m.Group
}

// letter returns the message for the dead-letter queue, with the body and the group that it came with.
func letter(m Message) queue.Message {
	out := queue.Message{Body: m.Body, Group: m.Group, Attributes: map[string]string{AttrRecord: m.ID}}
	if m.Group != "" {
		out.Dedup = m.ID
	}
	return out
}
