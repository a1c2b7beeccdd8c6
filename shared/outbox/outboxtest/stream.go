package outboxtest

import (
	"encoding/json"
	"maps"
	"strconv"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/tienda-dev/tienda/shared/outbox"
)

// Stream returns the batch that a DynamoDB stream delivers after events were written to partition. Their
// sequence numbers count from 1.
func Stream(t testing.TB, partition string, written ...outbox.Event) events.DynamoDBEvent {
	t.Helper()
	batch := events.DynamoDBEvent{}
	for i, e := range written {
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		keys := map[string]events.DynamoDBAttributeValue{
			"PK": events.NewStringAttribute(partition), "SK": events.NewStringAttribute("EV#" + e.ID),
		}
		image := map[string]events.DynamoDBAttributeValue{
			"type": events.NewStringAttribute(e.Type), "subject": events.NewStringAttribute(e.Subject),
			"event": events.NewStringAttribute(string(text)),
		}
		maps.Copy(image, keys)
		batch.Records = append(batch.Records, events.DynamoDBEventRecord{
			EventID: e.ID, EventName: "INSERT", EventSource: "aws:dynamodb", EventVersion: "1.1",
			Change: events.DynamoDBStreamRecord{
				Keys: keys, NewImage: image, SequenceNumber: strconv.Itoa(i + 1), StreamViewType: "NEW_AND_OLD_IMAGES",
			},
		})
	}
	return batch
}
