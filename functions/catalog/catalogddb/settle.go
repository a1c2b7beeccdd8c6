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

// settle writes the rows of a product that an earlier release wrote, removes its stale ones, and marks it as settled.
func (s *Store) settle(ctx context.Context, id string) error {
	for range settleAttempts {
		var record productRecord
		found, err := s.table.Get(ctx, productKey(id), &record, true)
		if err != nil || !found || record.WordsVersion == wordsVersion {
			return err
		}
		if err := s.commit(ctx, s.settleWrites(record)...); !errors.Is(err, errUnsettled) {
			return err
		}
	}
	return ddb.ErrUnavailable.WithCause(errUnsettled)
}

func (s *Store) settleWrites(record productRecord) []ddb.Write {
	version := expression.Name("version").Equal(expression.Value(record.Version))
	change := expression.Set(expression.Name("words_version"), expression.Value(wordsVersion)).
		Remove(expression.Name("stale_words"))
	writes := []ddb.Write{
		s.table.Update(productKey(record.ID), change).If(version, errUnsettled),
	}
	p := record.product()
	for _, word := range missing(record.StaleWords, indexOf(p).words) {
		writes = append(writes, s.table.Delete(wordKey(word, record.ID)))
	}
	return append(writes, s.indexWrites(catalog.Product{}, p)...)
}

// change commits the change of a product. It settles the product first if it must.
func (s *Store) change(ctx context.Context, before, after catalog.Product) error {
	writes := append([]ddb.Write{s.replace(before.Version, newProductRecord(after))}, s.countWrites(before, after)...)
	writes = append(writes, s.indexWrites(before, after)...)
	for range settleAttempts {
		if err := s.commit(ctx, writes...); !errors.Is(err, errUnsettled) {
			return err
		}
		if err := s.settle(ctx, after.ID); err != nil {
			return err
		}
	}
	return catalog.ErrStale
}
