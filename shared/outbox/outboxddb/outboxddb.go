// Package outboxddb keeps events and the records of their consumers in a DynamoDB table with the keys PK and
// SK and the time-to-live attribute "ttl".
//
// Write and Consume return writes for the transaction of the change that they belong to. Committed on its own,
// an event promises nothing.
package outboxddb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/outbox"
)

// SortKeyPrefix starts the sort key of every event. The event's id follows, so that a partition's events are
// ordered by time.
const SortKeyPrefix = "EV#"

// AttrEvent is the attribute that holds the event as CloudEvents' JSON.
const AttrEvent = "event"

// Kept is how long the record of a consumed event remains. A queue keeps a message for at most 14 days, and its
// dead-letter queue for another 14 in which it may be moved back.
const Kept = 30 * 24 * time.Hour

type item struct {
	PK      string `dynamodbav:"PK"`
	SK      string `dynamodbav:"SK"`
	Type    string `dynamodbav:"type"`
	Subject string `dynamodbav:"subject"`
	Event   string `dynamodbav:"event"`
}

// Write returns the write that publishes e, for the transaction of the change that e is about. partition is the
// partition key of the entity whose timeline the event is part of.
func Write(table *ddb.Table, partition string, e outbox.Event) ddb.Write {
	text, err := json.Marshal(e)
	if err != nil || partition == "" || e.ID == "" {
		// An item without a key: Commit refuses it and sends nothing.
		return table.Put(item{})
	}
	return table.Put(item{PK: partition, SK: SortKeyPrefix + e.ID, Type: e.Type, Subject: e.Subject, Event: string(text)})
}

type record struct {
	PK         string `dynamodbav:"PK"`
	SK         string `dynamodbav:"SK"`
	Type       string `dynamodbav:"type"`
	ConsumedAt int64  `dynamodbav:"consumed_at"` // milliseconds since 1970
	TTL        int64  `dynamodbav:"ttl"`         // seconds since 1970
}

// Consume returns the write that marks e as consumed, for the transaction of the consumer's effect. Its failed
// condition is outbox.ErrConsumed. consumer names what consumes ("advance-orders"). The record remains for
// Kept; until DynamoDB has removed it, the event counts as consumed.
func Consume(table *ddb.Table, consumer string, e outbox.Event, now time.Time) ddb.Write {
	if consumer == "" || e.ID == "" {
		return table.Put(record{})
	}
	return table.Put(record{
		PK: "IN#" + consumer + "#" + e.ID, SK: "I", Type: e.Type, ConsumedAt: now.UnixMilli(), TTL: now.Add(Kept).Unix(),
	}).If(ddb.Absent(), outbox.ErrConsumed)
}

// List returns at most limit events of a partition, oldest first, after a position, nil for the beginning; and
// the position of the next page, nil on the last one. Its shape is that of page.Read. The read is consistent.
func List(ctx context.Context, table *ddb.Table, partition string, limit int, after []byte) ([]outbox.Event, []byte, error) {
	if limit < 1 {
		return nil, nil, fmt.Errorf("list events: limit %d, want at least 1", limit)
	}
	query := ddb.Query{
		Where: expression.Key(ddb.AttrPK).Equal(expression.Value(partition)).
			And(expression.Key(ddb.AttrSK).BeginsWith(SortKeyPrefix)),
		Limit:      int32(limit + 1),
		Consistent: true,
	}
	if after != nil {
		query.Start = ddb.Position{ddb.AttrPK: partition, ddb.AttrSK: SortKeyPrefix + string(after)}
	}
	var found []outbox.Event
	for {
		items, next, err := table.Query(ctx, query)
		if err != nil {
			return nil, nil, err
		}
		for _, stored := range items {
			e, err := decode(stored)
			if err != nil {
				return nil, nil, err
			}
			found = append(found, e)
		}
		if len(found) > limit {
			found = found[:limit]
			return found, []byte(found[limit-1].ID), nil
		}
		if next == nil {
			return found, nil, nil
		}
		query.Start = next
	}
}

func decode(stored ddb.Item) (outbox.Event, error) {
	var i item
	if err := ddb.Decode(stored, &i); err != nil {
		return outbox.Event{}, err
	}
	var e outbox.Event
	if err := json.Unmarshal([]byte(i.Event), &e); err != nil {
		return outbox.Event{}, err
	}
	if id := strings.TrimPrefix(i.SK, SortKeyPrefix); id != e.ID {
		return outbox.Event{}, errors.New("list events: an item's key and its event have different ids")
	}
	return e, nil
}

// Store appends, consumes and lists events in transactions of their own, for tests and for changes that are
// nothing but events.
type Store struct{ table *ddb.Table }

// New returns a Store on table. It panics on a nil table.
func New(table *ddb.Table) *Store {
	if table == nil {
		panic("outboxddb: New needs a table")
	}
	return &Store{table: table}
}

// Append publishes all events in one transaction.
func (s *Store) Append(ctx context.Context, partition string, events ...outbox.Event) error {
	writes := make([]ddb.Write, len(events))
	for i, e := range events {
		writes[i] = Write(s.table, partition, e)
	}
	return ddb.Commit(ctx, s.table.Client(), writes...)
}

// Consume marks e as consumed. It returns outbox.ErrConsumed when the consumer has had it.
func (s *Store) Consume(ctx context.Context, consumer string, e outbox.Event, now time.Time) error {
	return ddb.Commit(ctx, s.table.Client(), Consume(s.table, consumer, e, now))
}

// List is the function List on the store's table.
func (s *Store) List(ctx context.Context, partition string, limit int, after []byte) ([]outbox.Event, []byte, error) {
	return List(ctx, s.table, partition, limit, after)
}
