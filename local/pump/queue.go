package pump

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tienda-dev/tienda/local/filter"
	"github.com/tienda-dev/tienda/local/queues"
	"github.com/tienda-dev/tienda/local/template"
)

// queueSource delivers the messages of a queue.
type queueSource struct {
	p        *Pump
	function template.Function
	source   template.Source
	queue    template.Queue
}

func (q *queueSource) run(ctx context.Context) {
	most := q.source.MaxConcurrency
	if most == 0 {
		most = queueConcurrency
	}
	slots := make(chan struct{}, most)
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		running, err := q.p.running(ctx)
		if err != nil {
			return
		}
		batch, err := q.gather(running)
		if len(batch) == 0 {
			<-slots
			if errors.Is(err, queues.ErrNoQueue) || ctx.Err() != nil {
				return
			}
			continue // paused
		}
		q.p.flight.Go(func() {
			defer func() { <-slots }()
			q.deliver(batch)
		})
	}
}

// gather receives a batch: what is there, or what arrives within the window.
func (q *queueSource) gather(ctx context.Context) ([]queues.Received, error) {
	batch, err := q.p.cfg.Queues.Await(ctx, q.queue.Name, min(q.source.BatchSize, queues.MaxBatch), -1)
	if err != nil || q.source.Window == 0 {
		return batch, err
	}
	window, cancel := context.WithTimeout(ctx, q.source.Window)
	defer cancel()
	for len(batch) < q.source.BatchSize {
		more, err := q.p.cfg.Queues.Await(window, q.queue.Name, min(q.source.BatchSize-len(batch), queues.MaxBatch), -1)
		if err != nil {
			break
		}
		batch = append(batch, more...)
	}
	return batch, nil
}

// sqsRecord is a message in Lambda's event.
type sqsRecord struct {
	MessageID         string                  `json:"messageId"`
	ReceiptHandle     string                  `json:"receiptHandle"`
	Body              any                     `json:"body"`
	Attributes        map[string]string       `json:"attributes"`
	MessageAttributes map[string]sqsAttribute `json:"messageAttributes"`
	MD5OfBody         string                  `json:"md5OfBody"`
	EventSource       string                  `json:"eventSource"`
	EventSourceARN    string                  `json:"eventSourceARN"`
	AWSRegion         string                  `json:"awsRegion"`
}

type sqsAttribute struct {
	StringValue      string   `json:"stringValue,omitempty"`
	BinaryValue      []byte   `json:"binaryValue,omitempty"`
	StringListValues []string `json:"stringListValues"`
	BinaryListValues [][]byte `json:"binaryListValues"`
	DataType         string   `json:"dataType"`
}

func (q *queueSource) record(m queues.Received) sqsRecord {
	attributes := map[string]sqsAttribute{}
	for name, a := range m.Attributes {
		attributes[name] = sqsAttribute{
			StringValue: a.StringValue, BinaryValue: a.BinaryValue, DataType: a.DataType,
			StringListValues: []string{}, BinaryListValues: [][]byte{},
		}
	}
	return sqsRecord{
		MessageID: m.ID, ReceiptHandle: m.Receipt, Body: m.Body, Attributes: m.SystemAttributes(),
		MessageAttributes: attributes, MD5OfBody: m.MD5, EventSource: "aws:sqs",
		EventSourceARN: template.QueueARN(q.queue.Name), AWSRegion: region,
	}
}

// matches reports whether the function wants the record. A pattern with an object at body reads the body as JSON.
func (q *queueSource) matches(r sqsRecord) bool {
	if len(q.source.Filters) == 0 {
		return true
	}
	for _, pattern := range q.source.Filters {
		read := r
		if body, isText := r.Body.(string); isText && pattern.Wants("body") {
			if !json.Valid([]byte(body)) {
				continue
			}
			read.Body = json.RawMessage(body)
		}
		if text, err := json.Marshal(read); err == nil && filter.MatchAny([]filter.Pattern{pattern}, text) {
			return true
		}
	}
	return false
}

// deliver invokes the function with the batch. Messages that succeeded, or that the function does not want, are
// deleted; the others are hidden for a moment.
func (q *queueSource) deliver(batch []queues.Received) {
	var wanted []queues.Received
	var records []sqsRecord
	for _, m := range batch {
		r := q.record(m)
		if !q.matches(r) {
			q.settled(q.p.cfg.Queues.Delete(q.queue.Name, m.Receipt))
			continue
		}
		wanted, records = append(wanted, m), append(records, r)
	}
	if len(wanted) == 0 {
		return
	}
	payload, err := json.Marshal(map[string]any{"Records": records})
	failed := map[string]bool{}
	all := err != nil
	if err == nil {
		var answer Answer
		if answer, err = q.p.deliver(Call{Function: q.function, Event: q.source.Name, Payload: payload}); err != nil || answer.Failed {
			all = true
		} else if q.source.PartialFailures {
			failed, all = failures(answer.Payload, func(id string) bool {
				for _, m := range wanted {
					if m.ID == id {
						return true
					}
				}
				return false
			})
		}
	}
	for _, m := range wanted {
		if all || failed[m.ID] {
			delay := min(q.p.retryDelay(m.Receives), q.queue.VisibilityTimeout)
			q.settled(q.p.cfg.Queues.Hide(q.queue.Name, m.Receipt, delay))
			continue
		}
		q.settled(q.p.cfg.Queues.Delete(q.queue.Name, m.Receipt))
	}
}

// settled notes an error, unless another consumer has the message since.
func (q *queueSource) settled(err error) {
	if err != nil && !errors.Is(err, queues.ErrReceipt) && !errors.Is(err, queues.ErrNoQueue) {
		q.p.cfg.Note(fmt.Sprintf("%s of %s: %v", q.source.Name, q.function.LogicalID, err))
	}
}

// failures reads the records that the function reports as failed. An answer that is not the format, or that
// names an unknown record, fails all, as on AWS.
func failures(answer []byte, known func(id string) bool) (failed map[string]bool, all bool) {
	var out struct {
		Failures []struct {
			ID string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	failed = map[string]bool{}
	if len(answer) == 0 || string(answer) == "null" {
		return failed, false
	}
	if json.Unmarshal(answer, &out) != nil {
		return nil, true
	}
	for _, f := range out.Failures {
		if !known(f.ID) {
			return nil, true
		}
		failed[f.ID] = true
	}
	return failed, false
}

const (
	region    = "us-east-1"
	accountID = "123456789012"
)

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
