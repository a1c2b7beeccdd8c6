package checkout

import (
	"context"
	"errors"
	"time"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/functions/catalog/catalogddb"
	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/functions/orders/ordersddb"
	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/functions/payments/paymentsddb"
	"github.com/tienda-dev/tienda/shared/ddb"
)

// settle is how long an index of DynamoDB may be late.
const settle = 2 * time.Second

// ledgerTries is how often payments that do not balance are read.
const ledgerTries = 3

// Auditor returns what checks the stock, the orders and the payments of the table; now is the clock.
func Auditor(table *ddb.Table, now func() time.Time) *orders.Auditor {
	return orders.NewAuditor(ordersddb.New(table, nil, nil), Balances{catalogddb.New(table)}, Ledger{Payments(table)}, now, settle)
}

// Ledger is the payments as an auditor sees them.
type Ledger struct {
	// Payments has the payments of every order.
	Payments *paymentsddb.Store
}

var _ orders.Ledger = Ledger{}

// Unbalanced implements orders.Ledger. Items that one transaction writes may be read from before and after it, so that
// what contradicts is read again.
func (l Ledger) Unbalanced(ctx context.Context, o orders.Order, settled time.Time) (string, error) {
	var detail string
	for range ledgerTries {
		ids, err := l.Payments.OfOrder(ctx, o.ID)
		if err != nil {
			return "", err
		}
		found := make([]payments.Payment, len(ids))
		for i, id := range ids {
			if found[i], err = l.Payments.Get(ctx, id); err != nil {
				return "", err
			}
		}
		if detail = payments.Unbalanced(payable(o), found, settled); detail == "" {
			return "", nil
		}
	}
	return detail, nil
}

// Balances is the stock as an auditor sees it.
type Balances struct {
	// Catalog has the stock and its ledger.
	Catalog *catalogddb.Store
}

var _ orders.Balances = Balances{}

// Balances implements orders.Balances.
func (b Balances) Balances(ctx context.Context, limit int, after []byte) ([]orders.Balance, []byte, error) {
	found, next, err := b.Catalog.Balances(ctx, limit, after)
	if err != nil {
		return nil, nil, err
	}
	list := make([]orders.Balance, len(found))
	for i, read := range found {
		list[i] = balance(read)
	}
	return list, next, nil
}

// Balance implements orders.Balances. A product that does not exist has no stock.
func (b Balances) Balance(ctx context.Context, productID string) (orders.Balance, error) {
	read, err := b.Catalog.Balance(ctx, productID)
	if errors.Is(err, catalog.ErrNotFound) {
		return orders.Balance{ProductID: productID}, nil
	}
	return balance(read), err
}

func balance(b catalogddb.Balance) orders.Balance {
	return orders.Balance{
		ProductID: b.ProductID, SKU: b.SKU,
		Available: b.Available, Reserved: b.Reserved, Sold: b.Sold, Adjusted: b.Adjusted, Version: b.Version,
	}
}
