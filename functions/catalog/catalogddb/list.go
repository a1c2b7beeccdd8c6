package catalogddb

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/page"
)

// listPosition is where the next page of a list starts.
type listPosition struct {
	// Before is the sort key of the last product that was returned.
	Before string `json:"before"`
}

// List implements catalog.Store. A page is one query of one partition, unless DynamoDB cuts the answer at
// its limit of 1 MB. A list shows a change a moment later.
func (s *Store) List(ctx context.Context, filter catalog.Filter, limit int, after []byte) ([]catalog.Product, []byte, error) {
	before, err := parseListPosition(after)
	if err != nil {
		return nil, nil, err
	}
	q := listQuery(filter, before)
	var items []ddb.Item
	for {
		q.Limit = int32(limit + 1 - len(items)) // one more shows whether there is a next page
		read, next, err := s.table.Query(ctx, q)
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
	products := make([]catalog.Product, len(items))
	for i, item := range items {
		var record productRecord
		if err := ddb.Decode(item, &record); err != nil {
			return nil, nil, err
		}
		products[i] = record.product()
	}
	if !more {
		return products, nil, nil
	}
	last := products[limit-1]
	next, err := json.Marshal(listPosition{Before: newestSortKey(last.CreatedAt, last.ID)})
	return products, next, err
}

// listQuery reads the filter's products from a sort key on, newest first.
func listQuery(filter catalog.Filter, before string) ddb.Query {
	index, partition := byStatus, statusPartition(filter.Status)
	if filter.Category != "" {
		index, partition = byCategory, categoryPartition(filter.Category, filter.Status)
	}
	where := expression.Key(index + "PK").Equal(expression.Value(partition))
	if before != "" {
		where = where.And(expression.Key(index + "SK").LessThan(expression.Value(before)))
	}
	return ddb.Query{Index: index, Where: where, Descending: true}
}

// parseListPosition returns the sort key of a position, empty for the first page.
func parseListPosition(position []byte) (string, error) {
	if len(position) == 0 {
		return "", nil
	}
	var p listPosition
	if err := json.Unmarshal(position, &p); err != nil {
		return "", page.ErrInvalidCursor
	}
	millis, id, _ := strings.Cut(p.Before, "#")
	digits := strings.Trim(millis, "0123456789") == ""
	if len(millis) != 15 || !digits || id == "" || len(p.Before) > maxSortKey {
		return "", page.ErrInvalidCursor
	}
	return p.Before, nil
}
