// Package queue sends messages to a queue. Every message's result is checked: a request to SQS may succeed
// for some of its messages only.
//
// queueaws sends to SQS, queuetest keeps messages in memory.
package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
)

const (
	// MaxBatch is the most messages that one request to SQS carries.
	MaxBatch = 10
	// MaxBytes is the most bytes that the messages of one request have together, attributes included.
	MaxBytes = 256 << 10
)

// Message is what a queue carries.
type Message struct {
	// Body is the text. SQS accepts the characters of XML 1.0, which JSON consists of.
	Body string
	// Group orders the messages of a FIFO queue: those of one group are received one after the other. Empty
	// for other queues.
	Group string
	// Dedup makes a FIFO queue drop another message with the same text within 5 minutes. Empty for other
	// queues.
	Dedup string
	// Attributes are texts beside the body, at most ten, none of them empty.
	Attributes map[string]string
}

// Sender sends messages to one queue.
type Sender interface {
	// Send sends all messages, and those of one group in their order: when one cannot be sent, the later ones
	// of its group are not sent. It returns nil when the queue has accepted every one of them, and else a
	// *PartialError, which names the others.
	Send(ctx context.Context, messages []Message) error
}

// PartialError reports which messages the queue may not have.
type PartialError struct {
	// Failed holds the cause for each message, by its index in the argument of Send.
	Failed map[int]error
}

// Error counts the messages and quotes the cause of the first of them.
func (e *PartialError) Error() string {
	return fmt.Sprintf("send messages: %d failed: %v", len(e.Failed), e.first())
}

// Unwrap returns the cause of the first message.
func (e *PartialError) Unwrap() error { return e.first() }

func (e *PartialError) first() error {
	indexes := make([]int, 0, len(e.Failed))
	for i := range e.Failed {
		indexes = append(indexes, i)
	}
	if len(indexes) == 0 {
		return nil
	}
	return e.Failed[slices.Min(indexes)]
}

// ErrBehind is the cause of a message that was not sent because one before it in its group failed.
var ErrBehind = errors.New("an earlier message of the group failed")

// ErrTooLarge is the cause of a message that no request can carry.
var ErrTooLarge = errors.New("the message is larger than " + strconv.Itoa(MaxBytes) + " bytes")

// SendBatches sends messages in requests of at most MaxBatch messages and MaxBytes, for implementations of
// Sender. send sends one request and returns the causes of the messages that failed, by their index in its
// argument. Two messages of one group never share a request, since the first of them could fail alone.
func SendBatches(ctx context.Context, messages []Message, send func(ctx context.Context, batch []Message) map[int]error) error {
	failed := map[int]error{}
	stopped := map[string]bool{} // groups with a failure
	rest := make([]int, len(messages))
	for i := range rest {
		rest[i] = i
	}
	for len(rest) > 0 {
		var batch []int
		batch, rest = next(messages, rest, stopped, failed)
		if len(batch) == 0 {
			continue
		}
		request := make([]Message, len(batch))
		for at, i := range batch {
			request[at] = messages[i]
		}
		for at, cause := range sendOne(ctx, request, send) {
			failed[batch[at]] = cause
			stop(stopped, request[at].Group)
		}
	}
	if len(failed) > 0 {
		return &PartialError{Failed: failed}
	}
	return nil
}

func sendOne(ctx context.Context, request []Message, send func(ctx context.Context, batch []Message) map[int]error) map[int]error {
	err := ctx.Err()
	if err == nil {
		return send(ctx, request)
	}
	causes := make(map[int]error, len(request))
	for at := range request {
		causes[at] = err
	}
	return causes
}

// next takes the messages of one request out of rest, in their order. It adds to failed what is never sent.
func next(messages []Message, rest []int, stopped map[string]bool, failed map[int]error) (batch, left []int) {
	size, taken := 0, map[string]bool{} // groups that have a message in this request, or one that waits
	for _, i := range rest {
		m := messages[i]
		switch {
		case stopped[m.Group]:
			failed[i] = ErrBehind
		case m.Group != "" && taken[m.Group]:
			left = append(left, i)
		case m.Size() > MaxBytes:
			failed[i] = ErrTooLarge
			stop(stopped, m.Group)
		case len(batch) == MaxBatch || size+m.Size() > MaxBytes:
			left = append(left, i)
			taken[m.Group] = true
		default:
			batch = append(batch, i)
			size += m.Size()
			taken[m.Group] = true
		}
	}
	return batch, left
}

func stop(groups map[string]bool, group string) {
	if group != "" {
		groups[group] = true
	}
}

// Size returns the bytes of the message that count for MaxBytes.
func (m Message) Size() int {
	size := len(m.Body)
	for name, value := range m.Attributes {
		size += len(name) + len(value) + len("String")
	}
	return size
}
