package shipmentsddb

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/functions/shipments"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/page"
)

// listPosition is where the next page of a list starts.
type listPosition struct {
	// After is the id of the last shipment that was returned.
	After string `json:"after"`
}

// List implements shipments.Store. It reads consistently: the order's pointers, and then the shipments.
func (s *Store) List(ctx context.Context, orderID string, limit int, after []byte) ([]shipments.Shipment, []byte, error) {
	from, err := parseListPosition(after)
	if err != nil {
		return nil, nil, err
	}
	// The next character after every ULID's ends the range of pointers.
	where := expression.Key(ddb.AttrPK).Equal(expression.Value(orderPartition(orderID))).
		And(expression.Key(ddb.AttrSK).Between(expression.Value(pointerPrefix+from), expression.Value(pointerPrefix+"~")))
	q := ddb.Query{Where: where, Consistent: true}
	var keys []ddb.Key
	for {
		q.Limit = int32(limit + 1 - len(keys)) // one more shows whether there is a next page
		items, next, err := s.table.Query(ctx, q)
		if err != nil {
			return nil, nil, err
		}
		for _, item := range items {
			var p pointerRecord
			if err := ddb.Decode(item, &p); err != nil {
				return nil, nil, err
			}
			keys = append(keys, shipmentKey(p.ShipmentID))
		}
		if next == nil || len(keys) > limit {
			break
		}
		q.Start = next
	}

	more := len(keys) > limit
	keys = keys[:min(len(keys), limit)]
	list, err := s.shipments(ctx, keys)
	if err != nil || !more {
		return list, nil, err
	}
	next, err := json.Marshal(listPosition{After: list[limit-1].ID})
	return list, next, err
}

func (s *Store) shipments(ctx context.Context, keys []ddb.Key) ([]shipments.Shipment, error) {
	list := make([]shipments.Shipment, len(keys))
	if len(keys) == 0 {
		return list, nil
	}
	items, err := s.table.BatchGet(ctx, keys, true)
	if err != nil {
		return nil, err
	}
	for i, key := range keys {
		item, found := items[key]
		if !found {
			return nil, errContradiction
		}
		var r record
		if err := ddb.Decode(item, &r); err != nil {
			return nil, err
		}
		list[i] = r.shipment()
	}
	return list, nil
}

// parseListPosition returns the beginning of the ids that follow a position, empty for the first page.
func parseListPosition(position []byte) (string, error) {
	if len(position) == 0 {
		return "", nil
	}
	var p listPosition
	if err := json.Unmarshal(position, &p); err != nil {
		return "", page.ErrInvalidCursor
	}
	id, ok := api.ULID(p.After)
	if !ok {
		return "", page.ErrInvalidCursor
	}
	return id + "!", nil // behind the id itself
}
