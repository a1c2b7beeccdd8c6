package redrive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/tienda-dev/tienda/functions/events"
	"github.com/tienda-dev/tienda/shared/queue"
	"github.com/tienda-dev/tienda/shared/queue/queueaws"
)

// failures is the logical id of the queue of what failed without coming from a queue. CloudFormation makes the names of the
// stack's queues of a prefix, their logical ids and an ending.
const failures = "FailuresQueue"

// failed is a message of the FailuresQueue.
type failed struct {
	Body          string
	ReceiptHandle string
}

// resend sends the events of the stream records in the FailuresQueue to their subscribers' queues, as dispatch-events does,
// and deletes those that every subscriber has. The others stay, and result says why. urls are all queues.
func (c caller) resend(ctx context.Context, cfg Config, url string, urls []string, result Result) (Result, error) {
	client, err := queueaws.New(queueaws.Config(cfg))
	if err != nil {
		return result, err
	}
	prefix, _, _ := strings.Cut(result.Queue, failures)
	open := func(name events.Queue) (queue.Sender, error) { return queueOf(client, urls, prefix+string(name)) }
	for range result.Messages { // a message that stays is hidden for a while
		var out struct{ Messages []failed }
		in := map[string]any{"QueueUrl": url, "MaxNumberOfMessages": 1, "WaitTimeSeconds": 1, "VisibilityTimeout": 60}
		if err := c.call(ctx, "ReceiveMessage", in, &out); err != nil {
			return result, err
		}
		for _, m := range out.Messages {
			name, err := m.resend(ctx, open)
			receipt := map[string]any{"QueueUrl": url, "ReceiptHandle": m.ReceiptHandle}
			if err != nil {
				result.Kept = append(result.Kept, name+": "+err.Error())
				result.Left++
				continue
			}
			if err := c.call(ctx, "DeleteMessage", receipt, nil); err != nil {
				return result, err
			}
		}
	}
	return result, nil
}

// resend sends the event of the message, and returns what the message is about.
func (m failed) resend(ctx context.Context, open func(events.Queue) (queue.Sender, error)) (name string, err error) {
	var body struct {
		Record struct {
			SequenceNumber string
			Keys           map[string]struct{ S string }
		} `json:"dynamodb"`
		Batch *struct{ ShardID, StartSequenceNumber, EndSequenceNumber string } `json:"DDBStreamBatchInfo"`
	}
	if err := json.Unmarshal([]byte(m.Body), &body); err != nil {
		return "a message", errors.New("it is neither a record nor an invocation")
	}
	switch record := body.Record; {
	case body.Batch != nil:
		return fmt.Sprintf("records %s to %s of %s", body.Batch.StartSequenceNumber, body.Batch.EndSequenceNumber, body.Batch.ShardID),
			errors.New("the message has only their place in the stream")
	case record.SequenceNumber == "":
		return "an invocation of a schedule", errors.New("the next one does its work: delete it")
	default:
		return "the item " + record.Keys["PK"].S + " " + record.Keys["SK"].S, events.Resend(ctx, []byte(m.Body), open)
	}
}

// queueOf returns the queue whose name begins with the text, which ends with a logical id.
func queueOf(client *queueaws.Client, urls []string, begin string) (queue.Sender, error) {
	for _, url := range urls {
		rest, ok := strings.CutPrefix(nameOf(url), begin)
		if ok && (rest == "" || rest[0] == '-' || rest[0] == '.') {
			return client.Queue(url)
		}
	}
	return nil, fmt.Errorf("no queue is named %s…", begin)
}
