package catalogddb

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/page"
)

// Balance is the stock of a product together with the sum of its ledger.
type Balance struct {
	catalog.Inventory

	// Adjusted is the sum of the ledger's deltas in pieces.
	Adjusted int64
}

// balanceReads is how often a stock that changes is read with its ledger.
const balanceReads = 5

// Balance returns the stock and the ledger of a product as they were at one time, or catalog.ErrNotFound. A stock that
// changes all the time is ddb.ErrUnavailable.
func (s *Store) Balance(ctx context.Context, productID string) (Balance, error) {
	for range balanceReads {
		var before, after stockRecord
		found, err := s.table.Get(ctx, stockKey(productID), &before, true)
		if err != nil {
			return Balance{}, err
		}
		if !found {
			return Balance{}, catalog.ErrNotFound
		}
		sum, err := s.ledger(ctx, productID)
		if err != nil {
			return Balance{}, err
		}
		if _, err := s.table.Get(ctx, stockKey(productID), &after, true); err != nil {
			return Balance{}, err
		}
		if before.Version == after.Version {
			return Balance{Inventory: after.inventory(), Adjusted: sum}, nil
		}
	}
	return Balance{}, ddb.ErrUnavailable
}

// ledger returns the sum of all adjustments of a product.
func (s *Store) ledger(ctx context.Context, productID string) (int64, error) {
	var sum int64
	q := ddb.Query{
		Where: expression.Key(ddb.AttrPK).Equal(expression.Value(stockKey(productID).PK)).
			And(expression.Key(ddb.AttrSK).BeginsWith("ADJ#")),
		Consistent: true,
	}
	for {
		items, next, err := s.table.Query(ctx, q)
		if err != nil {
			return 0, err
		}
		for _, item := range items {
			var entry adjustmentRecord
			if err := ddb.Decode(item, &entry); err != nil {
				return 0, err
			}
			sum += entry.Delta
		}
		if next == nil {
			return sum, nil
		}
		q.Start = next
	}
}

// balancePosition is where the next page of balances starts.
type balancePosition struct {
	Status catalog.Status `json:"status"`
	After  []byte         `json:"after"`
}

// Balances returns the balances of some products, of every status, and the position of the next ones, nil at the end. A
// page may be empty.
func (s *Store) Balances(ctx context.Context, limit int, after []byte) ([]Balance, []byte, error) {
	statuses := []catalog.Status{catalog.Active, catalog.Draft, catalog.Archived}
	at := balancePosition{Status: statuses[0]}
	if len(after) > 0 {
		if err := json.Unmarshal(after, &at); err != nil || !at.Status.Valid() {
			return nil, nil, page.ErrInvalidCursor
		}
	}
	products, next, err := s.List(ctx, catalog.Filter{Status: at.Status}, limit, at.After)
	if err != nil {
		return nil, nil, err
	}
	found := make([]Balance, len(products))
	for i, p := range products {
		if found[i], err = s.Balance(ctx, p.ID); err != nil {
			return nil, nil, fmt.Errorf("stock of product %s: %w", p.ID, err)
		}
	}
	at.After = next
	if next == nil {
		i := slices.Index(statuses, at.Status) + 1
		if i == len(statuses) {
			return found, nil, nil
		}
		at.Status = statuses[i]
	}
	position, err := json.Marshal(at)
	return found, position, err
}
