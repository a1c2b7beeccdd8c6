package catalogddb

import (
	"context"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/shared/ddb"
)

// BySKU implements catalog.Store. It reads twice, consistently: the owners of the SKUs, then their products.
func (s *Store) BySKU(ctx context.Context, skus []string) (map[string]catalog.Product, error) {
	keys := make([]ddb.Key, len(skus))
	for i, sku := range skus {
		keys[i] = skuKey(sku)
	}
	owners, err := s.table.BatchGet(ctx, keys, true)
	if err != nil {
		return nil, err
	}
	keys = keys[:0]
	for _, item := range owners {
		var owner skuRecord
		if err := ddb.Decode(item, &owner); err != nil {
			return nil, err
		}
		keys = append(keys, productKey(owner.ProductID))
	}
	items, err := s.table.BatchGet(ctx, keys, true)
	if err != nil {
		return nil, err
	}
	products := make(map[string]catalog.Product, len(items))
	for _, item := range items {
		var record productRecord
		if err := ddb.Decode(item, &record); err != nil {
			return nil, err
		}
		products[record.SKU] = record.product()
	}
	return products, nil
}
