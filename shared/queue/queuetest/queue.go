// Package queuetest has a queue in memory that delivers to a handler as Lambda does, for tests.
package queuetest

import (
	"context"
	"strconv"
	"sync"

	"github.com/aws/aws-lambda-go/events"

	"github.com/tienda-dev/tienda/shared/queue"
)

// Queue is a queue in memory that implements queue.Sender. The zero value is an empty standard queue. Set the
// fields before the first use. It is safe for concurrent use.
type Queue struct {
	// FIFO makes it drop repeated messages.
	FIFO bool
	// MaxReceives is how often a message is delivered before it goes to DeadLetters. 0 is without end.
	MaxReceives int
	// DeadLetters takes what was delivered MaxReceives times.
	DeadLetters *Queue
	// Refuse decides which messages the queue does not accept; nil accepts all.
	Refuse func(queue.Message) error

	mu       sync.Mutex
	messages []stored
	seen     map[string]bool
	last     int
}

type stored struct {
	queue.Message

	id       int
	receives int
}

// Send implements queue.Sender.
func (q *Queue) Send(ctx context.Context, messages []queue.Message) error {
	return queue.SendBatches(ctx, messages, func(_ context.Context, batch []queue.Message) map[int]error {
		failed := map[int]error{}
		for i, m := range batch {
			if err := q.refusal(m); err != nil {
				failed[i] = err
				continue
			}
			q.add(m)
		}
		return failed
	})
}

func (q *Queue) refusal(m queue.Message) error {
	if q.Refuse == nil {
		return nil
	}
	return q.Refuse(m)
}

func (q *Queue) add(m queue.Message) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.FIFO && m.Dedup != "" {
		if q.seen[m.Dedup] {
			return
		}
		if q.seen == nil {
			q.seen = map[string]bool{}
		}
		q.seen[m.Dedup] = true
	}
	q.last++
	q.messages = append(q.messages, stored{Message: m, id: q.last})
}

// Messages returns the messages that the queue has, in their order.
func (q *Queue) Messages() []queue.Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := make([]queue.Message, len(q.messages))
	for i, m := range q.messages {
		all[i] = m.Message
	}
	return all
}

// Handler is a Lambda function behind a queue.
type Handler func(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error)

// Deliver hands at most size messages to h in one event and returns how many they were. Messages that h does
// not report as failed are gone; the others remain, or go to DeadLetters. An error of h fails all of them.
func (q *Queue) Deliver(ctx context.Context, size int, h Handler) (int, error) {
	batch := q.receive(size)
	if len(batch) == 0 {
		return 0, nil
	}
	event := events.SQSEvent{Records: make([]events.SQSMessage, len(batch))}
	for i, m := range batch {
		event.Records[i] = m.record()
	}
	out, err := h(ctx, event)
	failed := map[string]bool{}
	for _, f := range out.BatchItemFailures {
		failed[f.ItemIdentifier] = true
	}
	q.settle(batch, func(m stored) bool { return err != nil || failed[m.name()] })
	return len(batch), err
}

func (q *Queue) receive(size int) []stored {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(size, len(q.messages))
	for i := range n {
		q.messages[i].receives++
	}
	return append([]stored(nil), q.messages[:n]...)
}

// settle removes from the queue what was handled or is dead.
func (q *Queue) settle(batch []stored, failed func(stored) bool) {
	gone := map[int]bool{}
	for _, m := range batch {
		dead := q.MaxReceives > 0 && m.receives >= q.MaxReceives
		gone[m.id] = !failed(m) || dead
		if failed(m) && dead && q.DeadLetters != nil {
			q.DeadLetters.add(m.Message)
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	var left []stored
	for _, m := range q.messages {
		if !gone[m.id] {
			left = append(left, m)
		}
	}
	q.messages = left
}

// Redrive moves all messages to another queue, as an operator does with a dead-letter queue.
func (q *Queue) Redrive(to *Queue) {
	q.mu.Lock()
	moved := q.messages
	q.messages = nil
	q.mu.Unlock()
	for _, m := range moved {
		m.Dedup += "-redriven-" + strconv.Itoa(m.id)
		to.add(m.Message)
	}
}

func (m stored) name() string { return "message-" + strconv.Itoa(m.id) }

func (m stored) record() events.SQSMessage {
	r := events.SQSMessage{
		MessageId: m.name(), Body: m.Body, EventSource: "aws:sqs",
		Attributes:        map[string]string{"ApproximateReceiveCount": strconv.Itoa(m.receives)},
		MessageAttributes: map[string]events.SQSMessageAttribute{},
	}
	if m.Group != "" {
		r.Attributes["MessageGroupId"] = m.Group
		r.Attributes["MessageDeduplicationId"] = m.Dedup
	}
	for name, value := range m.Attributes {
		r.MessageAttributes[name] = events.SQSMessageAttribute{DataType: "String", StringValue: &value}
	}
	return r
}
