package queueaws

import (
	"strconv"

	"github.com/tienda-dev/tienda/shared/queue"
)

// request is SendMessageBatch's. encoding/json writes the field names as AWS names them, where no tag is given.
type request struct {
	QueueURL string `json:"QueueUrl"`
	Entries  []entry
}

type entry struct {
	ID                     string `json:"Id"`
	MessageBody            string
	MessageGroupID         string               `json:"MessageGroupId,omitempty"`
	MessageDeduplicationID string               `json:"MessageDeduplicationId,omitempty"`
	MessageAttributes      map[string]attribute `json:",omitempty"`
}

type attribute struct{ DataType, StringValue string }

// answer is SendMessageBatch's.
type answer struct {
	Successful []result
	Failed     []result
}

// result is what happened to one entry. Code and SenderFault are those of a failure.
type result struct {
	ID          string `json:"Id"`
	Code        string
	SenderFault bool
}

func newRequest(url string, messages []queue.Message) request {
	in := request{QueueURL: url, Entries: make([]entry, len(messages))}
	for i, m := range messages {
		in.Entries[i] = entry{
			ID: strconv.Itoa(i), MessageBody: m.Body,
			MessageGroupID: m.Group, MessageDeduplicationID: m.Dedup, MessageAttributes: attributes(m),
		}
	}
	return in
}

func attributes(m queue.Message) map[string]attribute {
	as := make(map[string]attribute, len(m.Attributes))
	for name, value := range m.Attributes {
		as[name] = attribute{DataType: "String", StringValue: value}
	}
	return as
}
