package catalogddb

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/shared/ddb"
)

// errUnsettled: the rows that find a product may not be those that it should have.
var errUnsettled = errors.New("catalogddb: the product is not settled")

// settleAttempts is how often a product is settled, or changed after that, while others change it too.
const settleAttempts = 5

// settled is the condition that the rows that find a product are its own and of this version.
func settled() expression.ConditionBuilder {
	return expression.Name("words_version").Equal(expression.Value(wordsVersion))
}

// settle writes and removes the rows of a product that is not settled, and marks it as settled: one that an earlier
// release wrote, or whose change was too large for one transaction. It reads each row, because a product that
// several releases have changed may have some.
func (s *Store) settle(ctx context.Context, id string) error {
	for range settleAttempts {
		var record productRecord
		found, err := s.table.Get(ctx, productKey(id), &record, true)
		if err != nil || !found || record.WordsVersion == wordsVersion {
			return err
		}
		writes, err := s.settleWrites(ctx, record)
		if err != nil {
			return err
		}
		if err := s.commit(ctx, writes...); !errors.Is(err, errUnsettled) {
			return err
		}
	}
	return ddb.ErrUnavailable.WithCause(errUnsettled)
}

func (s *Store) settleWrites(ctx context.Context, record productRecord) ([]ddb.Write, error) {
	version := expression.Name("version").Equal(expression.Value(record.Version))
	change := expression.Set(expression.Name("words_version"), expression.Value(wordsVersion)).
		Remove(expression.Name("stale_words"))
	writes := []ddb.Write{
		s.table.Update(productKey(record.ID), change).If(version.And(expression.Not(settled())), errUnsettled),
	}
	is := indexOf(record.product())
	for _, phrase := range is.phrases {
		writes = append(writes, s.table.Put(phrase))
	}
	text := is.text()
	for _, word := range is.words {
		row := wordRecord{PK: wordKey(word, record.ID).PK, SK: wordKey(word, record.ID).SK, Text: text}
		var stored wordRecord
		found, err := s.table.Get(ctx, wordKey(word, record.ID), &stored, true)
		switch {
		case err != nil:
			return nil, err
		case !found:
			writes = append(writes, s.table.Put(row).If(ddb.Absent(), errUnsettled), s.countWord(word, 1))
		case stored.Text != text:
			writes = append(writes, s.table.Put(row).If(ddb.Present(), errUnsettled))
		}
	}
	for _, word := range missing(record.StaleWords, is.words) {
		found, err := s.table.Get(ctx, wordKey(word, record.ID), &wordRecord{}, true)
		if err != nil {
			return nil, err
		}
		if found {
			writes = append(writes, s.removeRow(wordKey(word, record.ID)), s.countWord(word, -1))
		}
	}
	return writes, nil
}

// removeRow removes a row that exists.
func (s *Store) removeRow(key ddb.Key) ddb.Write {
	return s.table.Delete(key).If(ddb.Present(), errUnsettled)
}

// change commits the change of a product to a record. It settles the product first if it must.
func (s *Store) change(ctx context.Context, before, after catalog.Product) error {
	record := newProductRecord(after)
	writes, removals, removed := s.indexWrites(before, after)
	writes = append(writes, s.countWrites(before, after)...)
	late := 1+len(writes)+len(removals) > ddb.MaxWrites
	if late { // search does not show what these rows find, so they can go afterwards
		record.WordsVersion, record.StaleWords = 0, removed
	} else {
		writes = append(writes, removals...)
	}
	writes = append([]ddb.Write{s.replace(before.Version, record)}, writes...)

	for range settleAttempts {
		err := s.commit(ctx, writes...)
		if err == nil && late {
			// The change has been made. If this fails, the next change or Reindex does it.
			_ = s.settle(ctx, after.ID)
		}
		if !errors.Is(err, errUnsettled) {
			return err
		}
		if err := s.settle(ctx, after.ID); err != nil {
			return err
		}
	}
	return catalog.ErrStale
}
