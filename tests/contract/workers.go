package contract

import (
	"encoding/json"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/shared/outbox"
	"github.com/tienda-dev/tienda/shared/outbox/outboxstream"
)

// Workers returns the functions that a stream, a queue or a schedule invokes.
func Workers(t *template.Template) []template.Function {
	var workers []template.Function
	for _, fn := range t.Functions {
		if len(fn.Sources)+len(fn.Schedules) > 0 {
			workers = append(workers, fn)
		}
	}
	return workers
}

// Invoked checks that something invokes every function, a worker has no route and no alias, and that the names of a
// worker fit each other.
func Invoked(t *template.Template) []string {
	var f faults
	for _, fn := range t.Functions {
		worker := len(fn.Sources)+len(fn.Schedules) > 0
		switch {
		case fn.LogicalID == authorizerFunction:
		case !worker && len(fn.Routes) == 0:
			f.add("template.yaml:%d: nothing invokes %s: give it an event", fn.Line, fn.LogicalID)
		case worker && len(fn.Routes) > 0:
			f.add("template.yaml:%d: %s serves routes and is a worker: make two functions of it", fn.Line, fn.LogicalID)
		case worker && fn.Alias != "":
			f.add("template.yaml:%d: the worker %s has the alias %q, which nothing invokes: set IgnoreGlobals: *WorkerIgnores", fn.Line, fn.LogicalID, fn.Alias)
		}
		if !worker {
			continue
		}
		if want := Camel(fn.Name) + "Function"; fn.LogicalID != want || fn.CodeURI != "dist/"+fn.Name {
			f.add("template.yaml:%d: %s has the CodeUri %q: want %s and dist/%s", fn.Line, fn.LogicalID, fn.CodeURI, want, fn.Name)
		}
	}
	return f
}

// WorkerEvent checks that data is an event as Lambda hands it to the worker: a batch of stream records or messages, each with an
// event of the outbox, or what a rule sends.
func WorkerEvent(fn template.Function, data []byte) []string {
	var f faults
	switch {
	case len(fn.Schedules) > 0:
		scheduled(&f, data)
	case fn.Sources[0].Table != "":
		streamed(&f, data)
	default:
		queued(&f, data)
	}
	return f
}

func scheduled(f *faults, data []byte) {
	var event events.EventBridgeEvent
	if err := decodeStrictly(data, &event); err != nil {
		f.add("%v", err)
		return
	}
	if event.Source != "aws.events" || event.DetailType != "Scheduled Event" || event.Time.IsZero() || len(event.Resources) != 1 {
		f.add("source %q, detail-type %q: want what EventBridge sends for a schedule", event.Source, event.DetailType)
	}
}

func streamed(f *faults, data []byte) {
	var event events.DynamoDBEvent
	if err := decodeStrictly(data, &event); err != nil {
		f.add("%v", err)
		return
	}
	for i, r := range event.Records {
		if r.EventSource != "aws:dynamodb" || r.EventName != "INSERT" || r.Change.SequenceNumber == "" ||
			!strings.Contains(r.EventSourceArn, ":table/") || !strings.Contains(r.EventSourceArn, "/stream/") {
			f.add("record %d: want an INSERT with eventSource, eventSourceARN of a stream and a SequenceNumber", i)
		}
		if _, _, err := outboxstream.Event(r); err != nil {
			f.add("record %d: %v", i, err)
		}
	}
	if len(event.Records) == 0 {
		f.add("the batch is empty")
	}
}

func queued(f *faults, data []byte) {
	var batch events.SQSEvent
	if err := decodeStrictly(data, &batch); err != nil {
		f.add("%v", err)
		return
	}
	for i, m := range batch.Records {
		var e outbox.Event
		if err := json.Unmarshal([]byte(m.Body), &e); err != nil {
			f.add("message %d: %v", i, err)
			continue
		}
		if m.EventSource != "aws:sqs" || m.MessageId == "" || m.ReceiptHandle == "" || !strings.HasSuffix(m.EventSourceARN, ".fifo") {
			f.add("message %d: want messageId, receiptHandle, eventSource and the ARN of a FIFO queue", i)
		}
		if group, dedup := m.Attributes["MessageGroupId"], m.Attributes["MessageDeduplicationId"]; group != e.Subject || dedup != e.ID {
			f.add("message %d: its group is %q and its deduplication id %q, want the event's subject and id: %q, %q", i, group, dedup, e.Subject, e.ID)
		}
	}
	if len(batch.Records) == 0 {
		f.add("the batch is empty")
	}
}
