package catalogddb

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/shared/ddb"
)

const categoriesPK = "CATEGORIES"

// categoryRecord counts the active products of a category. It is kept when the count is 0.
type categoryRecord struct {
	Name           string `dynamodbav:"SK"`
	ActiveProducts int64  `dynamodbav:"active_products"`
}

// Categories implements catalog.Store.
func (s *Store) Categories(ctx context.Context) ([]catalog.Category, error) {
	categories := []catalog.Category{}
	q := ddb.Query{Where: expression.Key(ddb.AttrPK).Equal(expression.Value(categoriesPK))}
	for {
		items, next, err := s.table.Query(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, item := range items {
			var record categoryRecord
			if err := ddb.Decode(item, &record); err != nil {
				return nil, err
			}
			if record.ActiveProducts > 0 {
				categories = append(categories, catalog.Category{Name: record.Name, ActiveProducts: record.ActiveProducts})
			}
		}
		if next == nil {
			return categories, nil
		}
		q.Start = next
	}
}

// countWrites moves a changed product from the count of one category to that of another. Only active
// products are counted; a product that does not exist has no status.
func (s *Store) countWrites(before, after catalog.Product) []ddb.Write {
	from, to := countedIn(before), countedIn(after)
	if from == to {
		return nil
	}
	var writes []ddb.Write
	if from != "" {
		writes = append(writes, s.count(from, -1))
	}
	if to != "" {
		writes = append(writes, s.count(to, 1))
	}
	return writes
}

func countedIn(p catalog.Product) string {
	if p.Status != catalog.Active {
		return ""
	}
	return p.Category
}

// count adds n to a category's count. Commit's token prevents that a retry adds it twice.
func (s *Store) count(category string, n int) ddb.Write {
	change := expression.Add(expression.Name("active_products"), expression.Value(n))
	return s.table.Update(ddb.Key{PK: categoriesPK, SK: category}, change)
}
