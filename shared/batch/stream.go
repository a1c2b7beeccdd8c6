package batch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-lambda-go/events"

	"github.com/tienda-dev/tienda/shared/queue"
)

// Stream returns a Lambda function for a DynamoDB stream that hands every record to handle. Lambda delivers
// the shard again from the first record that failed, so that later records, which were handled, come again.
// The records of one partition key keep their order. Dead letters hold the record as JSON, without its images if
// it is larger than queue.MaxBytes.
func Stream(handle func(ctx context.Context, r events.DynamoDBEventRecord) error, cfg Config) func(context.Context, events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
	if handle == nil {
		panic("batch: Stream needs a handler")
	}
	return func(ctx context.Context, event events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
		records, poison := make([]record, len(event.Records)), make([]error, len(event.Records))
		for i, r := range event.Records {
			records[i] = record{id: r.Change.SequenceNumber, key: partition(r), handle: func(ctx context.Context) error {
				err := handle(ctx, r)
				if cfg.DeadLetters == nil || !IsPermanent(err) {
					return err
				}
				poison[i] = err // the later records of its key do not wait for it
				return nil
			}}
		}
		failures := cfg.run(ctx, records)
		for i, err := range poison {
			if err != nil {
				failures[i] = err
			}
		}
		return Settle(ctx, cfg.DeadLetters, event.Records, failures), nil
	}
}

// Settle returns the answer to a batch of a stream, of which failures has the error of each record; nil is success. It logs
// the errors, and sends records whose error is Permanent to dead, unless dead is nil: only those before the first record
// that comes again, because Lambda delivers all records behind that one again too.
func Settle(ctx context.Context, dead queue.Sender, records []events.DynamoDBEventRecord, failures []error) events.DynamoDBEventResponse {
	out := events.DynamoDBEventResponse{BatchItemFailures: []events.DynamoDBBatchItemFailure{}}
	for i, err := range failures {
		if err == nil {
			continue
		}
		id := records[i].Change.SequenceNumber
		if dead != nil && IsPermanent(err) && len(out.BatchItemFailures) == 0 {
			unsent := buryRecord(ctx, dead, records[i])
			if unsent == nil {
				logFailure(ctx, textBuried, id, err)
				continue
			}
			err = errors.Join(err, unsent)
		}
		logFailure(ctx, textFailed, id, err)
		out.BatchItemFailures = append(out.BatchItemFailures, events.DynamoDBBatchItemFailure{ItemIdentifier: id})
	}
	count(ctx, len(records), len(out.BatchItemFailures))
	return out
}

// partition returns the record's partition key, and a key of its own for a record without one.
func partition(r events.DynamoDBEventRecord) string {
	pk, ok := r.Change.Keys["PK"]
	if !ok || pk.DataType() != events.DataTypeString {
		return "record " + r.Change.SequenceNumber
	}
	return "partition " + pk.String()
}

// buryRecord sends the record as JSON; without its images if no queue takes it otherwise.
func buryRecord(ctx context.Context, dead queue.Sender, r events.DynamoDBEventRecord) error {
	letter := queue.Message{Attributes: map[string]string{AttrRecord: r.Change.SequenceNumber}}
	for _, cut := range []bool{false, true} {
		if cut {
			r.Change.NewImage, r.Change.OldImage = nil, nil
		}
		body, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("encode stream record: %w", err)
		}
		if letter.Body = string(body); letter.Size() <= queue.MaxBytes {
			break
		}
	}
	return bury(ctx, dead, letter)
}
