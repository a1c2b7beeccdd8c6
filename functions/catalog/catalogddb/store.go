// Package catalogddb keeps the catalogue in DynamoDB. Every change is one transaction over all the
// items that it concerns, so no item contradicts another.
//
//	PK             SK              item
//	P#<id>         META            product; in GSI1 by category and status, in GSI2 by status, newest first
//	SKU#<sku>      U               the product that has the SKU; kept when the product is archived
//	STK#<id>       S               stock of the product
//	STK#<id>       ADJ#<ulid>      stock ledger; kept for good
//	ID#<key>       I               answer of an adjustment by its idempotency key; kept for a day
//	CATEGORIES     <category>      sum of the category's active products
//	CATEGORIES     <category>#...  a change that is not in the sum yet
//	WORD#<start>   <word>#<id>     active product by a word of its SKU, name or tags
//	PHRASE#<text>  1#<id>          active product by its whole SKU, folded
//	PHRASE#<text>  2#<id>          active product by its whole name, folded
//
// GSI1PK is CAT#<category>#<status>, GSI2PK is PST#<status>; GSI1SK and GSI2SK are both
// <created at, milliseconds since 1970, 15 digits>#<id>. Statuses and categories have one partition each: a
// page would have to read every shard of a partition, and a catalogue has few writes.
//
// <start> is what a word begins with: one or two characters. A product of n words costs n writes more to create
// or archive. Transactions of different products have no item in common: products of one category or with the
// same words are created and changed in parallel without a conflict.
package catalogddb

import (
	"context"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/shared/ddb"
)

// Store is the catalog.Store on a table with the indexes GSI1 and GSI2. It is safe for concurrent
// use.
type Store struct {
	table *ddb.Table
}

var _ catalog.Store = (*Store)(nil)

// New returns a store on the table. It panics when the table is nil, which no input can cause.
func New(table *ddb.Table) *Store {
	if table == nil {
		panic("catalogddb: New needs a table")
	}
	return &Store{table: table}
}

// Get implements catalog.Store. It reads consistently: a client that has just received a version must not be
// told that the version is stale.
func (s *Store) Get(ctx context.Context, id string) (catalog.Product, error) {
	var record productRecord
	found, err := s.table.Get(ctx, productKey(id), &record, true)
	if err != nil {
		return catalog.Product{}, err
	}
	if !found {
		return catalog.Product{}, catalog.ErrNotFound
	}
	return record.product(), nil
}

func (s *Store) commit(ctx context.Context, writes ...ddb.Write) error {
	return ddb.Commit(ctx, s.table.Client(), writes...)
}
