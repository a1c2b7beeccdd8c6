// Package pricingddb keeps quotes, rules and discounts in DynamoDB.
//
//	PK            SK              item
//	Q#<id>        META            quote; removed a day after it has expired
//	RULES         META            rules of tax and shipping
//	DC#<code>     META            discount; in GSI1 under DISCOUNTS, newest first; kept when it is deleted
//	DC#<code>     C#<customer>    how often a customer uses the discount
//
// GSI1SK is <created at, milliseconds since 1970, 15 digits>#<code>.
package pricingddb

import (
	"context"

	"github.com/tienda-dev/tienda/functions/pricing"
	"github.com/tienda-dev/tienda/shared/ddb"
)

// Store is the pricing.Store on a table with the index GSI1. It is safe for concurrent use.
type Store struct {
	table *ddb.Table
}

var _ pricing.Store = (*Store)(nil)

// New returns a store on the table. It panics when the table is nil, which no input can cause.
func New(table *ddb.Table) *Store {
	if table == nil {
		panic("pricingddb: New needs a table")
	}
	return &Store{table: table}
}

// Terms implements pricing.Store. It is one consistent read of all items, which a change may fall between.
func (s *Store) Terms(ctx context.Context, customer string, codes []string) (pricing.Terms, error) {
	keys := []ddb.Key{rulesKey()}
	for _, code := range codes {
		keys = append(keys, discountKey(code), useKey(code, customer))
	}
	items, err := s.table.BatchGet(ctx, keys, true)
	if err != nil {
		return pricing.Terms{}, err
	}
	terms := pricing.Terms{Discounts: map[string]pricing.Discount{}, Uses: map[string]int64{}}
	if item, ok := items[rulesKey()]; ok {
		var record rulesRecord
		if err := ddb.Decode(item, &record); err != nil {
			return pricing.Terms{}, err
		}
		terms.Rules = record.rules()
	}
	for _, code := range codes {
		if item, ok := items[discountKey(code)]; ok {
			var record discountRecord
			if err := ddb.Decode(item, &record); err != nil {
				return pricing.Terms{}, err
			}
			if !record.Deleted {
				terms.Discounts[code] = record.discount()
			}
		}
		if item, ok := items[useKey(code, customer)]; ok {
			var record useRecord
			if err := ddb.Decode(item, &record); err != nil {
				return pricing.Terms{}, err
			}
			terms.Uses[code] = record.Uses
		}
	}
	return terms, nil
}

func (s *Store) commit(ctx context.Context, writes ...ddb.Write) error {
	return ddb.Commit(ctx, s.table.Client(), writes...)
}
