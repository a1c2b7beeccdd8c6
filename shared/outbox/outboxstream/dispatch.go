// Package outboxstream sends the events of an outbox from a table's stream to the queues of their subscribers.
package outboxstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"go.uber.org/zap"

	"github.com/tienda-dev/tienda/shared/batch"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/outbox"
	"github.com/tienda-dev/tienda/shared/queue"
)

// The names that outboxddb gives its items. They are repeated here so that a dispatcher does not link a
// client of DynamoDB; a test compares them.
const (
	sortKey       = "SK"
	sortKeyPrefix = "EV#"
	attrEvent     = "event"
)

const inserted = "INSERT"

// Config is who receives which events.
type Config struct {
	// Subscribers returns the names of the queues that receive the event; none is right for an event that
	// nobody waits for.
	Subscribers func(e outbox.Event) []string
	// Queues holds the queues by their names. They are FIFO queues: the group is the event's subject.
	Queues map[string]queue.Sender
	// DeadLetters takes the records that can never be sent, as JSON, so that they do not hold others.
	DeadLetters queue.Sender
}

// Dispatch returns the Lambda function of the stream. It sends each event to its subscribers, those of one
// subject in their order, and checks the result of every message. Its answer names the records that could
// not be sent to every subscriber: Lambda delivers them, and the records behind them, again. A FIFO queue drops
// what it got within the last 5 minutes, and consumers drop what comes again later (outboxddb.Consume). The
// error is always nil. Dispatch panics on an incomplete Config.
func Dispatch(cfg Config) func(context.Context, events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
	if cfg.Subscribers == nil || len(cfg.Queues) == 0 || cfg.DeadLetters == nil {
		panic("outboxstream: Dispatch needs subscribers, their queues and a dead-letter queue")
	}
	return func(ctx context.Context, event events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
		d := dispatch{cfg: cfg, failed: make([]error, len(event.Records)), messages: map[string]*addressed{}}
		for i, r := range event.Records {
			if err := d.read(i, r); err != nil {
				d.failed[i] = err
			}
		}
		limited, cancel := batch.Limit(ctx) // the rest is for the dead letters and the answer
		defer cancel()
		for _, name := range slices.Sorted(maps.Keys(d.messages)) {
			d.send(limited, name)
		}
		logging.EntryFrom(ctx).Add(zap.Int("events", d.events))
		return batch.Settle(ctx, cfg.DeadLetters, event.Records, d.failed), nil
	}
}

// dispatch is one batch on its way.
type dispatch struct {
	cfg      Config
	failed   []error // by record
	messages map[string]*addressed
	events   int
}

// addressed are the messages for one queue, each with the index of its record.
type addressed struct {
	messages []queue.Message
	records  []int
}

// read adds the event of a record to its subscribers' messages. A record that is not a new event is nobody's.
func (d *dispatch) read(i int, r events.DynamoDBEventRecord) error {
	if !isEvent(r) {
		return nil
	}
	e, body, err := Event(r)
	if err != nil {
		return batch.Permanent(err)
	}
	d.events++
	for _, name := range d.cfg.Subscribers(e) {
		if _, ok := d.cfg.Queues[name]; !ok {
			return fmt.Errorf("dispatch %s: unknown queue %q", e.Type, name)
		}
		to := d.messages[name]
		if to == nil {
			to = &addressed{}
			d.messages[name] = to
		}
		to.messages = append(to.messages, queue.Message{Body: body, Group: e.Subject, Dedup: e.ID})
		to.records = append(to.records, i)
	}
	return nil
}

func (d *dispatch) send(ctx context.Context, name string) {
	to := d.messages[name]
	err := d.cfg.Queues[name].Send(ctx, to.messages)
	if err == nil {
		return
	}
	for at, i := range to.records {
		cause := err
		if partial, ok := errors.AsType[*queue.PartialError](err); ok {
			cause = partial.Failed[at]
		}
		if cause == nil {
			continue
		}
		cause = fmt.Errorf("send to %s: %w", name, cause)
		// A failure that may pass wins: its record comes again, for all of its queues.
		if d.failed[i] == nil || batch.IsPermanent(d.failed[i]) {
			d.failed[i] = cause
		}
	}
}

func isEvent(r events.DynamoDBEventRecord) bool {
	key, ok := r.Change.Keys[sortKey]
	return r.EventName == inserted && ok && key.DataType() == events.DataTypeString && strings.HasPrefix(key.String(), sortKeyPrefix)
}

// Event reads the event of a record of an outbox's item, and its JSON.
func Event(r events.DynamoDBEventRecord) (outbox.Event, string, error) {
	text, ok := r.Change.NewImage[attrEvent]
	if !ok || text.DataType() != events.DataTypeString {
		return outbox.Event{}, "", errors.New("read stream record: the item has no event")
	}
	if size := len(text.String()); size > queue.MaxBytes {
		return outbox.Event{}, "", fmt.Errorf("read stream record: an event of %d bytes, want at most %d", size, queue.MaxBytes)
	}
	var e outbox.Event
	if err := json.Unmarshal([]byte(text.String()), &e); err != nil {
		return outbox.Event{}, "", fmt.Errorf("read stream record: %w", err)
	}
	return e, text.String(), nil
}
