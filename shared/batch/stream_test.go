package batch_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/batch"
	"github.com/tienda-dev/tienda/shared/queue"
	"github.com/tienda-dev/tienda/shared/queue/queuetest"
)

// stream returns an event whose records have the names as sequence numbers, and the first letter as partition key.
func stream(names ...string) events.DynamoDBEvent {
	event := events.DynamoDBEvent{}
	for _, name := range names {
		event.Records = append(event.Records, events.DynamoDBEventRecord{
			EventName: "INSERT",
			Change: events.DynamoDBStreamRecord{
				SequenceNumber: name,
				Keys:           map[string]events.DynamoDBAttributeValue{"PK": events.NewStringAttribute(name[:1])},
			},
		})
	}
	return event
}

// The records behind the first failed one come again, c1poison too: it has its dead letter when it does not.
func TestStreamReportsWhatFailed(t *testing.T) {
	t.Parallel()
	dead := &queuetest.Queue{}
	var handled []string
	f := batch.Stream(func(ctx context.Context, r events.DynamoDBEventRecord) error {
		handled = append(handled, r.Change.SequenceNumber)
		return (&journal{}).handle(ctx, batch.Message{Body: r.Change.SequenceNumber})
	}, batch.Config{DeadLetters: dead})
	event := stream("a1", "a2poison", "b1bad", "b2", "a3", "c1poison")
	event.Records = append(event.Records, events.DynamoDBEventRecord{Change: events.DynamoDBStreamRecord{SequenceNumber: "keyless"}})
	out, err := f(t.Context(), event)
	if err != nil {
		t.Fatal(err)
	}
	var failed []string
	for _, item := range out.BatchItemFailures {
		failed = append(failed, item.ItemIdentifier)
	}
	if diff := cmp.Diff([]string{"b1bad", "b2", "c1poison"}, failed); diff != "" {
		t.Errorf("failed (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a1", "a2poison", "a3", "b1bad", "c1poison", "keyless"}, handled); diff != "" {
		t.Errorf("handled (-want +got):\n%s", diff)
	}

	letters := dead.Messages()
	if len(letters) != 1 || letters[0].Attributes[batch.AttrRecord] != "a2poison" || letters[0].Group != "" {
		t.Fatalf("dead letters: %+v", letters)
	}
	var r events.DynamoDBEventRecord
	if err := json.Unmarshal([]byte(letters[0].Body), &r); err != nil || r.Change.SequenceNumber != "a2poison" {
		t.Errorf("the dead letter is %s: %v", letters[0].Body, err)
	}
}

// A record is not lost when the dead-letter queue does not take it, or is missing.
func TestStreamKeepsWhatIsNotBuried(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]batch.Config{
		"Refused": {DeadLetters: &queuetest.Queue{Refuse: func(queue.Message) error { return errFails }}},
		"None":    {},
	} {
		out, err := batch.Stream(func(ctx context.Context, r events.DynamoDBEventRecord) error {
			return (&journal{}).handle(ctx, batch.Message{Body: r.Change.SequenceNumber})
		}, cfg)(t.Context(), stream("a1poison"))
		if err != nil || len(out.BatchItemFailures) != 1 || out.BatchItemFailures[0].ItemIdentifier != "a1poison" {
			t.Errorf("%s: answer %+v, %v", name, out, err)
		}
	}
}

// A dead letter holds the record, or its keys when no queue takes the record.
func TestSettleBuriesTheRecord(t *testing.T) {
	t.Parallel()
	image := func(size int) map[string]events.DynamoDBAttributeValue {
		return map[string]events.DynamoDBAttributeValue{"event": events.NewStringAttribute(strings.Repeat("x", size))}
	}
	small, large := stream("a1").Records[0], stream("a1").Records[0]
	small.Change.NewImage, large.Change.NewImage, large.Change.OldImage = image(1), image(queue.MaxBytes), image(queue.MaxBytes)
	for name, tt := range map[string]struct{ record, want events.DynamoDBEventRecord }{
		"Fits":     {small, small},
		"TooLarge": {large, stream("a1").Records[0]},
	} {
		dead := &queuetest.Queue{}
		out := batch.Settle(t.Context(), dead, []events.DynamoDBEventRecord{tt.record}, []error{batch.Permanent(errFails)})
		if len(out.BatchItemFailures) != 0 {
			t.Errorf("%s: answer %+v", name, out)
		}
		want, err := json.Marshal(tt.want)
		if err != nil {
			t.Fatal(err)
		}
		letters := []queue.Message{{Body: string(want), Attributes: map[string]string{batch.AttrRecord: "a1"}}}
		if diff := cmp.Diff(letters, dead.Messages()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// Lambda takes a missing list for success and null for an error.
func TestTheAnswerAlwaysHasItsList(t *testing.T) {
	t.Parallel()
	sqs, err := batch.SQS((&journal{}).handle, batch.Config{})(t.Context(), standard("a"))
	if err != nil {
		t.Fatal(err)
	}
	stream, err := batch.Stream(func(context.Context, events.DynamoDBEventRecord) error { return nil }, batch.Config{})(t.Context(), stream("a"))
	if err != nil {
		t.Fatal(err)
	}
	for _, answer := range []any{sqs, stream} {
		text, err := json.Marshal(answer)
		if err != nil || !strings.Contains(string(text), `"batchItemFailures":[]`) {
			t.Errorf("answer %s, %v", text, err)
		}
	}
}
