package catalogddb

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/idempotency/idempotencyddb"
	"github.com/tienda-dev/tienda/shared/problem"
)

// stockRecord is the stock of a product in pieces. UpdatedAt is in milliseconds since 1970.
type stockRecord struct {
	PK        string `dynamodbav:"PK"`
	SK        string `dynamodbav:"SK"`
	ProductID string `dynamodbav:"product_id"`
	SKU       string `dynamodbav:"sku"`
	Available int64  `dynamodbav:"available"`
	Reserved  int64  `dynamodbav:"reserved"`
	Sold      int64  `dynamodbav:"sold"`
	Version   int64  `dynamodbav:"version"`
	UpdatedAt int64  `dynamodbav:"updated_at"`
}

// newStockRecord returns the empty stock of a new product.
func newStockRecord(p catalog.Product) stockRecord {
	key := stockKey(p.ID)
	return stockRecord{
		PK: key.PK, SK: key.SK, ProductID: p.ID, SKU: p.SKU, Version: 1, UpdatedAt: p.CreatedAt.UnixMilli(),
	}
}

func (r stockRecord) inventory() catalog.Inventory {
	return catalog.Inventory{
		ProductID: r.ProductID,
		SKU:       r.SKU,
		Available: r.Available,
		Reserved:  r.Reserved,
		Sold:      r.Sold,
		Version:   r.Version,
		UpdatedAt: api.NewTime(ddb.FromMillis(r.UpdatedAt)),
	}
}

func stockKey(productID string) ddb.Key { return ddb.Key{PK: "STK#" + productID, SK: "S"} }

// adjustmentRecord is an entry of the stock ledger. CreatedAt is in milliseconds since 1970.
type adjustmentRecord struct {
	PK        string `dynamodbav:"PK"`
	SK        string `dynamodbav:"SK"`
	ID        string `dynamodbav:"id"`
	ProductID string `dynamodbav:"product_id"`
	SKU       string `dynamodbav:"sku"`
	Delta     int64  `dynamodbav:"delta"`
	Reason    string `dynamodbav:"reason"`
	CreatedAt int64  `dynamodbav:"created_at"`
}

func newAdjustmentRecord(key ddb.Key, a catalog.Adjustment) adjustmentRecord {
	return adjustmentRecord{
		PK: key.PK, SK: key.SK, ID: a.ID, ProductID: a.ProductID, SKU: a.SKU,
		Delta: a.Delta, Reason: a.Reason, CreatedAt: a.CreatedAt.UnixMilli(),
	}
}

// Inventory implements catalog.Store. It reads consistently: a client that has just moved stock must see it.
func (s *Store) Inventory(ctx context.Context, productID string) (catalog.Inventory, error) {
	var stock stockRecord
	found, err := s.table.Get(ctx, stockKey(productID), &stock, true)
	if err != nil {
		return catalog.Inventory{}, err
	}
	if !found {
		if _, err := s.Get(ctx, productID); err != nil {
			return catalog.Inventory{}, err
		}
		return catalog.Inventory{}, errContradiction // a product without stock
	}
	return stock.inventory(), nil
}

// Adjust implements catalog.Store.
func (s *Store) Adjust(ctx context.Context, r idempotency.Record, a catalog.Adjustment) error {
	entry := newAdjustmentRecord(ddb.Key{PK: stockKey(a.ProductID).PK, SK: "ADJ#" + a.ID}, a)
	writes := append(idempotencyddb.Write(s.table, r), s.moveStock(a), s.table.Put(entry).If(ddb.Absent(), errContradiction))
	return s.commit(ctx, writes...)
}

// moveStock adds the delta to the available stock, unless the result is negative.
func (s *Store) moveStock(a catalog.Adjustment) ddb.Write {
	available, version := expression.Name("available"), expression.Name("version")
	change := expression.
		Set(available, available.Plus(expression.Value(a.Delta))).
		Set(version, version.Plus(expression.Value(1))).
		Set(expression.Name("updated_at"), expression.Value(a.CreatedAt.UnixMilli()))
	enough := ddb.Present()
	if a.Delta < 0 {
		enough = available.GreaterThanEqual(expression.Value(-a.Delta))
	}
	return s.table.Update(stockKey(a.ProductID), change).IfElse(enough, func(old ddb.Item) error {
		if old == nil {
			return errContradiction
		}
		var stock stockRecord
		if err := ddb.Decode(old, &stock); err != nil {
			return err
		}
		return catalog.ErrWouldGoNegative.WithFields(problem.FieldError{
			Pointer: "/delta", Detail: fmt.Sprintf("must not take more than the %d available", stock.Available),
		})
	})
}
