// Package ordersddb keeps orders in DynamoDB. Every change is one transaction over all the items that it concerns:
// the order's own, and those of the stock, the discount codes and the quote, for which other stores make the writes.
//
//	PK        SK          item
//	O#<id>    META        order; in GSI1 by customer, in GSI2 by status and day, newest first
//	O#<id>    RES         reservation; in GSI1 by its expiry while it holds stock
//	O#<id>    EV#<ulid>   event of the order, of its payments and of its shipments
//
// GSI1PK of an order is C#<customer>, with O#<created at>#<id> as GSI1SK; GSI2PK is OST#<status>#<yyyymmdd>, with
// <created at>#<id>. GSI1PK of a reservation that holds stock is RES#held, with <expires at>#<id>. Times in keys are
// milliseconds since 1970 with 15 digits.
package ordersddb

import (
	"context"
	"time"

	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/shared/ddb"
)

// Stock makes the writes of the stock. catalogddb.Store implements it.
type Stock interface {
	// Reserve's failed condition is an error that has the method Shortage() (productID string, available int64).
	Reserve(productID string, quantity int64, now time.Time) ddb.Write
	Release(productID string, quantity int64, now time.Time) ddb.Write
	Sell(productID string, quantity int64, now time.Time) ddb.Write
	Restock(productID string, quantity int64, now time.Time) ddb.Write
	// CheckPrice's failed condition is orders.ErrPriceChanged.
	CheckPrice(productID string, version int64) ddb.Write
}

// Offers makes the writes of discount codes and quotes. pricingddb.Store implements it.
type Offers interface {
	// UseCode's error and failed condition is one that has the method Unusable() (code, detail string) if the code cannot
	// be used.
	UseCode(ctx context.Context, code, customer string, now time.Time) ([]ddb.Write, error)
	// UseQuotedCode is UseCode for the code of a quote, which may have ended or be deleted in the meantime.
	UseQuotedCode(ctx context.Context, code, customer string) ([]ddb.Write, error)
	ReturnCode(code, customer string) []ddb.Write
	ConsumeQuote(quoteID, customer, orderID string, now time.Time) ddb.Write
}

// Store is the orders.Store on a table with the indexes GSI1 and GSI2. It is safe for concurrent use.
type Store struct {
	table  *ddb.Table
	stock  Stock
	offers Offers
}

var _ orders.Store = (*Store)(nil)

// New returns a store on the table. A process that makes and ends no order may pass nil for stock and offers. It
// panics when the table is nil, which no input can cause.
func New(table *ddb.Table, stock Stock, offers Offers) *Store {
	if table == nil {
		panic("ordersddb: New needs a table")
	}
	return &Store{table: table, stock: stock, offers: offers}
}

// Get implements orders.Store.
func (s *Store) Get(ctx context.Context, id string) (orders.Order, error) {
	var record orderRecord
	found, err := s.table.Get(ctx, orderKey(id), &record, true)
	if err != nil {
		return orders.Order{}, err
	}
	if !found {
		return orders.Order{}, orders.ErrNotFound
	}
	return record.order(), nil
}

// Reservation implements orders.Store.
func (s *Store) Reservation(ctx context.Context, id string) (orders.Reservation, error) {
	var record reservationRecord
	found, err := s.table.Get(ctx, reservationKey(id), &record, true)
	if err != nil {
		return orders.Reservation{}, err
	}
	if !found {
		return orders.Reservation{}, orders.ErrNotFound
	}
	return record.reservation(), nil
}

func (s *Store) commit(ctx context.Context, writes ...ddb.Write) error {
	return ddb.Commit(ctx, s.table.Client(), writes...)
}
