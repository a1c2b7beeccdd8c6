// Package outboxtest has an outbox in memory and the suite that every outbox passes.
package outboxtest

import (
	"bytes"
	"context"
	"errors"
	"sort"
	"sync"
	"time"

	"github.com/tienda-dev/tienda/shared/outbox"
)

// Memory is an outbox in memory. The zero value is empty and ready. It is safe for concurrent use.
type Memory struct {
	mu       sync.Mutex
	events   map[string][]outbox.Event // by partition, in the order of their ids
	log      []outbox.Event            // in the order of Append
	consumed map[string]bool
}

// Append publishes all events at once.
func (m *Memory) Append(ctx context.Context, partition string, events ...outbox.Event) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if partition == "" || len(events) == 0 {
		return errors.New("append events: want a partition and an event")
	}
	for _, e := range events {
		if e.ID == "" {
			return errors.New("append events: an event without an id")
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.events == nil {
		m.events = map[string][]outbox.Event{}
	}
	of := m.events[partition]
	for _, e := range events {
		of = append(of, e)
		m.log = append(m.log, e)
	}
	sort.SliceStable(of, func(i, j int) bool { return of[i].ID < of[j].ID })
	m.events[partition] = of
	return nil
}

// Consume marks e as consumed. It returns outbox.ErrConsumed when the consumer has had it.
func (m *Memory) Consume(ctx context.Context, consumer string, e outbox.Event, _ time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if consumer == "" || e.ID == "" {
		return errors.New("consume event: want a consumer and an event with an id")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.consumed == nil {
		m.consumed = map[string]bool{}
	}
	key := consumer + "#" + e.ID
	if m.consumed[key] {
		return outbox.ErrConsumed
	}
	m.consumed[key] = true
	return nil
}

// List returns at most limit events of a partition, oldest first, after a position, and the position of the
// next page.
func (m *Memory) List(_ context.Context, partition string, limit int, after []byte) ([]outbox.Event, []byte, error) {
	if limit < 1 {
		return nil, nil, errors.New("list events: want a limit of at least 1")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []outbox.Event
	for _, e := range m.events[partition] {
		if bytes.Compare([]byte(e.ID), after) <= 0 {
			continue
		}
		if len(found) == limit {
			return found, []byte(found[limit-1].ID), nil
		}
		found = append(found, e)
	}
	return found, nil, nil
}

// Published returns all events of all partitions in the order in which they were appended.
func (m *Memory) Published() []outbox.Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]outbox.Event(nil), m.log...)
}
