package catalogddb

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/shared/ddb"
)

// The counters of a stock item, whose sum changes by adjustments only.
const (
	available = "available"
	reserved  = "reserved"
	sold      = "sold"
)

// Reserve moves pieces from available to reserved, for the transaction that makes an order. Commit returns a
// *catalog.ShortError if fewer are available.
func (s *Store) Reserve(productID string, quantity int64, now time.Time) ddb.Write {
	return s.move(productID, quantity, now, available, reserved).IfElse(atLeast(available, quantity), func(old ddb.Item) error {
		var stock stockRecord
		if err := ddb.Decode(old, &stock); err != nil {
			return err
		}
		return &catalog.ShortError{ProductID: productID, Available: stock.Available}
	})
}

// Release moves pieces from reserved to available, for the transaction that ends an unpaid order.
func (s *Store) Release(productID string, quantity int64, now time.Time) ddb.Write {
	return s.move(productID, quantity, now, reserved, available).If(atLeast(reserved, quantity), errContradiction)
}

// Sell moves pieces from reserved to sold, for the transaction that confirms an order.
func (s *Store) Sell(productID string, quantity int64, now time.Time) ddb.Write {
	return s.move(productID, quantity, now, reserved, sold).If(atLeast(reserved, quantity), errContradiction)
}

// Restock moves pieces from sold to available, for the transaction that cancels a confirmed order.
func (s *Store) Restock(productID string, quantity int64, now time.Time) ddb.Write {
	return s.move(productID, quantity, now, sold, available).If(atLeast(sold, quantity), errContradiction)
}

// CheckPrice changes nothing. Commit returns catalog.ErrProductChanged unless the product is active and has the version.
func (s *Store) CheckPrice(productID string, version int64) ddb.Write {
	same := expression.Name("status").Equal(expression.Value(catalog.Active)).
		And(expression.Name("version").Equal(expression.Value(version)))
	return s.table.Check(productKey(productID)).If(same, catalog.ErrProductChanged)
}

// move takes pieces from one counter and adds them to another. It panics if quantity is not positive: callers have
// checked it.
func (s *Store) move(productID string, quantity int64, now time.Time, from, to string) ddb.Write {
	if quantity <= 0 {
		panic("catalogddb: a movement needs a positive quantity")
	}
	less, more, version := expression.Name(from), expression.Name(to), expression.Name("version")
	return s.table.Update(stockKey(productID), expression.
		Set(less, less.Minus(expression.Value(quantity))).
		Set(more, more.Plus(expression.Value(quantity))).
		Set(version, version.Plus(expression.Value(1))).
		Set(expression.Name("updated_at"), expression.Value(now.UnixMilli())))
}

func atLeast(counter string, quantity int64) expression.ConditionBuilder {
	return expression.Name(counter).GreaterThanEqual(expression.Value(quantity))
}
