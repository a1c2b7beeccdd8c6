package catalogddb

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"golang.org/x/sync/errgroup"

	"github.com/tienda-dev/tienda/shared/ddb"
)

const (
	// oldWordPrefix and oldCountPrefix begin the partitions of the words of earlier releases, which nothing reads.
	oldWordPrefix  = "TOK#"
	oldCountPrefix = "COUNT#"
	// settlers is how many products are settled in parallel.
	settlers = 8
)

// Reindexed counts what Reindex did.
type Reindexed struct {
	// Products is the number of products that search finds now as it should.
	Products int
	// Rows is the number of rows that were removed.
	Rows int
}

// Reindex lets search find the products that an earlier release wrote, and removes the rows that no product
// needs. It reads the whole table and may run while the shop is open, and again. A release that writes older
// rows must not run any more.
func (s *Store) Reindex(ctx context.Context) (Reindexed, error) {
	var done Reindexed
	input := &dynamodb.ScanInput{TableName: new(s.table.Name())}
	for {
		out, err := s.table.Client().SDK().Scan(ctx, input)
		if err != nil {
			return done, err
		}
		if err := s.reindex(ctx, out.Items, &done); err != nil {
			return done, err
		}
		if input.ExclusiveStartKey = out.LastEvaluatedKey; len(input.ExclusiveStartKey) == 0 {
			return done, nil
		}
	}
}

// reindex does what Reindex does for some items.
func (s *Store) reindex(ctx context.Context, items []ddb.Item, done *Reindexed) error {
	var old []ddb.Write
	var rows []ddb.Key
	group, settling := errgroup.WithContext(ctx)
	group.SetLimit(settlers)
	for _, item := range items {
		key, _ := ddb.KeyOf(item)
		switch {
		case strings.HasPrefix(key.PK, oldWordPrefix), strings.HasPrefix(key.PK, oldCountPrefix):
			old = append(old, s.table.Delete(key))
		case strings.HasPrefix(key.PK, wordPrefix), strings.HasPrefix(key.PK, phrasePrefix):
			rows = append(rows, key)
		case strings.HasPrefix(key.PK, productPrefix):
			var record productRecord
			if err := ddb.Decode(item, &record); err != nil {
				return errors.Join(err, group.Wait())
			}
			if record.WordsVersion != wordsVersion {
				done.Products++
				group.Go(func() error { return s.settle(settling, record.ID) })
			}
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for writes := range slices.Chunk(old, ddb.MaxWrites) {
		if err := s.commit(ctx, writes...); err != nil {
			return err
		}
		done.Rows += len(writes)
	}
	return s.removeForeign(ctx, rows, done)
}

// removeForeign removes the rows that their settled products do not have: an earlier release has changed the
// products without them.
func (s *Store) removeForeign(ctx context.Context, rows []ddb.Key, done *Reindexed) error {
	keys := make([]ddb.Key, len(rows))
	for i, row := range rows {
		keys[i] = productKey(rowProduct(row))
	}
	products, err := s.table.BatchGet(ctx, keys, true)
	if err != nil {
		return err
	}
	for i, row := range rows {
		var record productRecord
		if err := ddb.Decode(products[keys[i]], &record); err != nil {
			return err
		}
		is := indexOf(record.product())
		word, _, _ := strings.Cut(row.SK, "#")
		isPhrase := strings.HasPrefix(row.PK, phrasePrefix)
		if isPhrase && slices.Contains(is.phrases, row) || !isPhrase && slices.Contains(is.words, word) {
			continue
		}
		unchanged := expression.Name("version").Equal(expression.Value(record.Version))
		err := s.commit(ctx, s.table.Check(keys[i]).If(unchanged.And(settled()), errUnsettled), s.table.Delete(row))
		if errors.Is(err, errUnsettled) { // it has just changed, or it is settled later
			continue
		}
		if err != nil {
			return err
		}
		done.Rows++
	}
	return nil
}

// rowProduct returns the id of the product that a row finds.
func rowProduct(row ddb.Key) string {
	return row.SK[strings.LastIndexByte(row.SK, '#')+1:]
}
