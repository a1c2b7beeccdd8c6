package catalogddb

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/page"
)

// listPosition is where a list goes on. Sort keys order the products of all partitions together, so
// one of them is a position in all.
type listPosition struct {
	// Before is the sort key of the last product that was returned.
	Before string `json:"before"`
}

// List implements catalog.Store. It reads the partitions that the filter selects beside each other,
// each far enough to fill the page alone. They follow a change a little later.
func (s *Store) List(ctx context.Context, filter catalog.Filter, limit int, after []byte) ([]catalog.Product, []byte, error) {
	before, err := parseListPosition(after)
	if err != nil {
		return nil, nil, err
	}
	items, err := s.newest(ctx, filter, limit+1, before)
	if err != nil {
		return nil, nil, err
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
	next, err := json.Marshal(listPosition{Before: newestKeyOf(items[limit-1])})
	return products, next, err
}

// newest returns at least the n newest items before a sort key, and all when there are fewer.
func (s *Store) newest(ctx context.Context, filter catalog.Filter, n int, before string) ([]ddb.Item, error) {
	index, partitions := partitionsOf(filter)
	found := make([][]ddb.Item, len(partitions))
	group, ctx := errgroup.WithContext(ctx)
	for i, partition := range partitions {
		group.Go(func() (err error) {
			found[i], err = s.newestOf(ctx, index, partition, n, before)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	items := slices.Concat(found...)
	slices.SortFunc(items, func(a, b ddb.Item) int { return strings.Compare(newestKeyOf(b), newestKeyOf(a)) })
	return items, nil
}

func (s *Store) newestOf(ctx context.Context, index, partition string, n int, before string) ([]ddb.Item, error) {
	where := expression.Key(index + "PK").Equal(expression.Value(partition))
	if before != "" {
		where = where.And(expression.Key(index + "SK").LessThan(expression.Value(before)))
	}
	q := ddb.Query{Index: index, Where: where, Descending: true}
	var items []ddb.Item
	for {
		q.Limit = int32(n - len(items))
		read, next, err := s.table.Query(ctx, q)
		if err != nil {
			return nil, err
		}
		items = append(items, read...)
		if next == nil || len(items) >= n {
			return items, nil
		}
		q.Start = next
	}
}

// partitionsOf returns the partitions that hold the filter's products, and their index.
func partitionsOf(filter catalog.Filter) (index string, partitions []string) {
	statuses := []catalog.Status{filter.Status}
	if filter.Status == "" {
		statuses = []catalog.Status{catalog.Draft, catalog.Active, catalog.Archived}
	}
	for _, status := range statuses {
		if filter.Category != "" {
			partitions = append(partitions, categoryPartition(filter.Category, status))
			continue
		}
		for n := range uint32(shards) {
			partitions = append(partitions, statusPartition(status, n))
		}
	}
	if filter.Category != "" {
		return byCategory, partitions
	}
	return byStatus, partitions
}

// newestKeyOf returns the sort key of a product's item in both indexes.
func newestKeyOf(item ddb.Item) string {
	key, ok := item[byStatus+"SK"].(*types.AttributeValueMemberS)
	if !ok { // then it would not be in the index
		return ""
	}
	return key.Value
}

// parseListPosition returns the sort key of a position, empty for the beginning.
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
