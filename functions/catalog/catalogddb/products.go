package catalogddb

import (
	"context"
	"errors"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/shared/ddb"
)

// errContradiction: the items of a product contradict each other, which no call can cause.
var errContradiction = errors.New("catalogddb: the items of a product contradict each other")

// skuRecord names the product that has a SKU.
type skuRecord struct {
	PK        string `dynamodbav:"PK"`
	SK        string `dynamodbav:"SK"`
	ProductID string `dynamodbav:"product_id"`
}

func skuKey(sku string) ddb.Key { return ddb.Key{PK: "SKU#" + sku, SK: "U"} }

// Create implements catalog.Store. Repeating it is not an error.
func (s *Store) Create(ctx context.Context, p catalog.Product) error {
	writes := []ddb.Write{
		s.claimSKU(p),
		s.table.Put(newProductRecord(p)).If(ddb.Absent(), errContradiction),
		s.table.Put(newStockRecord(p)).If(ddb.Absent(), errContradiction),
	}
	writes = append(writes, s.countWrites(catalog.Product{}, p)...)
	return s.commit(ctx, append(writes, s.indexWrites(catalog.Product{}, p)...)...)
}

func (s *Store) claimSKU(p catalog.Product) ddb.Write {
	key := skuKey(p.SKU)
	record := skuRecord{PK: key.PK, SK: key.SK, ProductID: p.ID}
	return s.table.Put(record).IfElse(ddb.Absent(), func(old ddb.Item) error {
		var owner skuRecord
		if err := ddb.Decode(old, &owner); err != nil {
			return err
		}
		if owner.ProductID == p.ID {
			return ddb.ErrDone
		}
		return catalog.ErrSKUExists
	})
}

// Update implements catalog.Store. Repeating it is not an error. The id and the SKU must not change, and the
// version must be the next one.
func (s *Store) Update(ctx context.Context, before, after catalog.Product) error {
	if after.ID != before.ID || after.SKU != before.SKU || after.Version != before.Version+1 {
		return errors.New("catalogddb: an update keeps id and SKU and has the next version")
	}
	return s.change(ctx, before, after)
}

func (s *Store) replace(version int64, record productRecord) ddb.Write {
	unchanged := expression.Name("version").Equal(expression.Value(version))
	return s.table.Put(record).IfElse(unchanged.And(settled()), func(old ddb.Item) error {
		if old == nil {
			return catalog.ErrNotFound
		}
		var stored productRecord
		if err := ddb.Decode(old, &stored); err != nil {
			return err
		}
		switch {
		case reflect.DeepEqual(stored.product(), record.product()):
			return ddb.ErrDone
		case stored.Version == version:
			return errUnsettled
		default:
			return catalog.ErrStale
		}
	})
}
