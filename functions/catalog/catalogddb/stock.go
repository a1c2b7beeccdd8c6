package catalogddb

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/problem"
)

// keyLife is how long an idempotency key is remembered.
const keyLife = 24 * time.Hour

// stockRecord is the stock of a SKU in pieces. UpdatedAt is in milliseconds since 1970.
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
	key := stockKey(p.SKU)
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

func stockKey(sku string) ddb.Key { return ddb.Key{PK: "STK#" + sku, SK: "S"} }

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

func (r adjustmentRecord) adjustment() catalog.Adjustment {
	return catalog.Adjustment{
		ID: r.ID, ProductID: r.ProductID, SKU: r.SKU,
		Delta: r.Delta, Reason: r.Reason, CreatedAt: api.NewTime(ddb.FromMillis(r.CreatedAt)),
	}
}

// keyRecord is the same entry by its idempotency key.
type keyRecord struct {
	adjustmentRecord

	// Fingerprint distinguishes requests.
	Fingerprint string `dynamodbav:"fingerprint"`
	// TTL is when the key can be used again, in seconds since 1970.
	TTL int64 `dynamodbav:"ttl"`
}

// usedKeyError has the adjustment that the key was used for.
type usedKeyError struct {
	first catalog.Adjustment
}

func (*usedKeyError) Error() string { return "catalogddb: the key was used before" }

// Inventory implements catalog.Store.
func (s *Store) Inventory(ctx context.Context, productID string) (catalog.Inventory, error) {
	p, err := s.Get(ctx, productID)
	if err != nil {
		return catalog.Inventory{}, err
	}
	var stock stockRecord
	found, err := s.table.Get(ctx, stockKey(p.SKU), &stock, true)
	if err != nil {
		return catalog.Inventory{}, err
	}
	if !found {
		return catalog.Inventory{}, errContradiction
	}
	return stock.inventory(), nil
}

// Adjust implements catalog.Store. The key is the first item of the transaction: a repeated request gets its
// first answer even if the stock would not allow it now.
func (s *Store) Adjust(ctx context.Context, key catalog.AdjustmentKey, a catalog.Adjustment) (catalog.Adjustment, bool, error) {
	p, err := s.Get(ctx, a.ProductID)
	if err != nil {
		return catalog.Adjustment{}, false, err
	}
	a.SKU = p.SKU
	entry := newAdjustmentRecord(ddb.Key{PK: stockKey(a.SKU).PK, SK: "ADJ#" + a.ID}, a)

	err = s.commit(ctx, s.useKey(key, a), s.moveStock(a), s.table.Put(entry).If(ddb.Absent(), errContradiction))
	if used, ok := errors.AsType[*usedKeyError](err); ok {
		return used.first, used.first.ID != a.ID, nil
	}
	if err != nil {
		return catalog.Adjustment{}, false, err
	}
	return a, false, nil
}

// useKey stores the adjustment under its key, unless the key is in use.
func (s *Store) useKey(key catalog.AdjustmentKey, a catalog.Adjustment) ddb.Write {
	record := keyRecord{
		adjustmentRecord: newAdjustmentRecord(keyOf(key), a),
		Fingerprint:      fingerprint(a),
		TTL:              a.CreatedAt.Add(keyLife).Unix(),
	}
	// DynamoDB may remove expired items days later.
	expired := expression.Name("ttl").LessThanEqual(expression.Value(a.CreatedAt.Unix()))
	return s.table.Put(record).IfElse(ddb.Absent().Or(expired), func(old ddb.Item) error {
		var used keyRecord
		if err := ddb.Decode(old, &used); err != nil {
			return err
		}
		if used.Fingerprint != record.Fingerprint {
			return catalog.ErrKeyReused
		}
		return &usedKeyError{first: used.adjustment()}
	})
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
	return s.table.Update(stockKey(a.SKU), change).IfElse(enough, func(old ddb.Item) error {
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

// keyOf hashes the key together with its owner, who is a person.
func keyOf(key catalog.AdjustmentKey) ddb.Key {
	return ddb.Key{PK: "ID#" + digest(key.Principal, catalog.AdjustInventoryRoute.Name, key.Key), SK: "I"}
}

// fingerprint is equal for equal requests.
func fingerprint(a catalog.Adjustment) string {
	return digest(a.ProductID, strconv.FormatInt(a.Delta, 10), a.Reason)
}

// digest is the SHA-256 of the parts in hex. The length of each part precedes it, so that different lists of
// parts have different digests.
func digest(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		_ = binary.Write(h, binary.BigEndian, uint64(len(part)))
		_, _ = h.Write([]byte(part))
	}
	return hex.EncodeToString(h.Sum(nil))
}
