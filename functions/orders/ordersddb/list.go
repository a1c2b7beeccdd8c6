package ordersddb

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/outbox"
	"github.com/tienda-dev/tienda/shared/outbox/outboxddb"
	"github.com/tienda-dev/tienda/shared/page"
)

// listPosition is where the next page of a list starts.
type listPosition struct {
	// After is the sort key in the index of the last item that was returned.
	After string `json:"after"`
}

// ListOf implements orders.Store. A list shows a change a moment later.
func (s *Store) ListOf(ctx context.Context, customer string, limit int, after []byte) ([]orders.Order, []byte, error) {
	return list(ctx, s.table, part{index: byCustomer, partition: customerPartition(customer), prefix: customerPrefix, newest: true, sk: orderSK},
		limit, after, decodeOrder)
}

// List implements orders.Store. A list shows a change a moment later.
func (s *Store) List(ctx context.Context, status orders.Status, day time.Time, limit int, after []byte) ([]orders.Order, []byte, error) {
	return list(ctx, s.table, part{index: byStatus, partition: statusPartition(status, day), newest: true, sk: orderSK}, limit, after, decodeOrder)
}

// Held implements orders.Store.
func (s *Store) Held(ctx context.Context, before time.Time, limit int, after []byte) ([]orders.Reservation, []byte, error) {
	return list(ctx, s.table, part{index: byExpiry, partition: heldPartition, before: sortKey(before, ""), sk: reservationSK}, limit, after,
		func(item ddb.Item) (orders.Reservation, error) {
			var record reservationRecord
			err := ddb.Decode(item, &record)
			return record.reservation(), err
		})
}

// Events implements orders.Store.
func (s *Store) Events(ctx context.Context, id string, limit int, after []byte) ([]outbox.Event, []byte, error) {
	return outboxddb.List(ctx, s.table, partition(id), limit, after)
}

func decodeOrder(item ddb.Item) (orders.Order, error) {
	var record orderRecord
	err := ddb.Decode(item, &record)
	return record.order(), err
}

// part is a range of one partition of an index.
type part struct {
	index, partition string
	// prefix begins every sort key of the range; empty if anything may.
	prefix string
	// before is the sort key that follows the range; empty if nothing follows it.
	before string
	// newest reads from the end.
	newest bool
	// sk is the sort key in the table of the items of the range, and their partition is an order's.
	sk string
}

func (p part) where() expression.KeyConditionBuilder {
	partition, sort := expression.Key(p.index+"PK").Equal(expression.Value(p.partition)), expression.Key(p.index+"SK")
	switch {
	case p.prefix != "":
		return partition.And(sort.BeginsWith(p.prefix))
	case p.before != "":
		return partition.And(sort.LessThan(expression.Value(p.before)))
	default:
		return partition
	}
}

// start returns the place of the item with a sort key, nil for the beginning.
func (p part) start(after string) ddb.Position {
	if after == "" {
		return nil
	}
	return ddb.Position{
		p.index + "PK": p.partition, p.index + "SK": after,
		ddb.AttrPK: partition(after[strings.LastIndex(after, "#")+1:]), ddb.AttrSK: p.sk,
	}
}

// list reads a page of a range. A page is one query, unless DynamoDB cuts the answer at its limit of 1 MB.
func list[T any](ctx context.Context, table *ddb.Table, p part, limit int, position []byte, decode func(ddb.Item) (T, error)) ([]T, []byte, error) {
	after, err := parsePosition(position)
	if err != nil {
		return nil, nil, err
	}
	q := ddb.Query{Index: p.index, Where: p.where(), Descending: p.newest, Start: p.start(after)}
	var items []ddb.Item
	for {
		q.Limit = int32(limit + 1 - len(items)) // one more shows whether there is a next page
		read, next, err := table.Query(ctx, q)
		if err != nil {
			return nil, nil, err
		}
		items = append(items, read...)
		if next == nil || len(items) > limit {
			break
		}
		q.Start = next
	}
	more := len(items) > limit
	items = items[:min(len(items), limit)]
	found := make([]T, len(items))
	for i, item := range items {
		if found[i], err = decode(item); err != nil {
			return nil, nil, err
		}
	}
	if !more {
		return found, nil, nil
	}
	var last map[string]string
	if err := ddb.Decode(ddb.Item{p.index + "SK": items[limit-1][p.index+"SK"]}, &last); err != nil {
		return nil, nil, err
	}
	next, err := json.Marshal(listPosition{After: last[p.index+"SK"]})
	return found, next, err
}

// parsePosition returns the sort key of a position, empty for the first page.
func parsePosition(position []byte) (string, error) {
	if len(position) == 0 {
		return "", nil
	}
	var p listPosition
	if err := json.Unmarshal(position, &p); err != nil || !strings.Contains(p.After, "#") {
		return "", page.ErrInvalidCursor
	}
	return p.After, nil
}
