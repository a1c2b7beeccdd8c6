package pricingddb

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/functions/pricing"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/idempotency/idempotencyddb"
	"github.com/tienda-dev/tienda/shared/money"
)

// quoteGrace is how long a quote is kept after it has expired.
const quoteGrace = 24 * time.Hour

// errTaken: the id is in use, which cannot happen by chance.
var errTaken = errors.New("pricingddb: the quote exists")

// quoteRecord is a quote's item. Times are in milliseconds since 1970.
type quoteRecord struct {
	PK        string         `dynamodbav:"PK"`
	SK        string         `dynamodbav:"SK"`
	ID        string         `dynamodbav:"id"`
	Customer  string         `dynamodbav:"customer"`
	Lines     []lineRecord   `dynamodbav:"lines"`
	Codes     []string       `dynamodbav:"codes"`
	Subtotal  money.Money    `dynamodbav:"subtotal"`
	Discount  money.Money    `dynamodbav:"discount"`
	Shipping  money.Money    `dynamodbav:"shipping"`
	Tax       money.Money    `dynamodbav:"tax"`
	Total     money.Money    `dynamodbav:"total"`
	ShipTo    policy.Address `dynamodbav:"ship_to"`
	CreatedAt int64          `dynamodbav:"created_at"`
	ExpiresAt int64          `dynamodbav:"expires_at"`
	// OrderID is absent until the quote is ordered.
	OrderID string `dynamodbav:"order_id,omitempty"`
	// TTL is when the item may be removed, in seconds since 1970.
	TTL int64 `dynamodbav:"ttl"`
}

type lineRecord struct {
	SKU            string      `dynamodbav:"sku"`
	ProductID      string      `dynamodbav:"product_id"`
	ProductVersion int64       `dynamodbav:"product_version"`
	Name           string      `dynamodbav:"name"`
	Quantity       int64       `dynamodbav:"quantity"`
	UnitPrice      money.Money `dynamodbav:"unit_price"`
	Discount       money.Money `dynamodbav:"discount"`
	Tax            money.Money `dynamodbav:"tax"`
	Total          money.Money `dynamodbav:"total"`
}

func quoteKey(id string) ddb.Key { return ddb.Key{PK: "Q#" + id, SK: "META"} }

func newQuoteRecord(q pricing.Quote) quoteRecord {
	key := quoteKey(q.ID)
	record := quoteRecord{
		PK: key.PK, SK: key.SK, ID: q.ID, Customer: q.Customer, Codes: q.Codes,
		Subtotal: q.Subtotal, Discount: q.Discount, Shipping: q.Shipping, Tax: q.Tax, Total: q.Total, ShipTo: q.ShipTo,
		CreatedAt: q.CreatedAt.UnixMilli(), ExpiresAt: q.ExpiresAt.UnixMilli(), OrderID: q.OrderID,
		TTL: q.ExpiresAt.Add(quoteGrace).Unix(),
	}
	for _, line := range q.Lines {
		record.Lines = append(record.Lines, lineRecord(line))
	}
	return record
}

func (r quoteRecord) quote() pricing.Quote {
	q := pricing.Quote{
		ID: r.ID, Customer: r.Customer, Lines: []pricing.Line{}, Codes: r.Codes,
		Subtotal: r.Subtotal, Discount: r.Discount, Shipping: r.Shipping, Tax: r.Tax, Total: r.Total, ShipTo: r.ShipTo,
		CreatedAt: api.NewTime(ddb.FromMillis(r.CreatedAt)), ExpiresAt: api.NewTime(ddb.FromMillis(r.ExpiresAt)), OrderID: r.OrderID,
	}
	if q.Codes == nil {
		q.Codes = []string{}
	}
	for _, line := range r.Lines {
		q.Lines = append(q.Lines, pricing.Line(line))
	}
	return q
}

// CreateQuote implements pricing.Store.
func (s *Store) CreateQuote(ctx context.Context, q pricing.Quote, record idempotency.Record) error {
	return s.commit(ctx, append(idempotencyddb.Write(s.table, record), s.table.Put(newQuoteRecord(q)).If(ddb.Absent(), errTaken))...)
}

// Quote implements pricing.Store. It reads consistently: a client that has just received an id must find it.
func (s *Store) Quote(ctx context.Context, id string) (pricing.Quote, error) {
	var record quoteRecord
	found, err := s.table.Get(ctx, quoteKey(id), &record, true)
	if err != nil {
		return pricing.Quote{}, err
	}
	if !found {
		return pricing.Quote{}, pricing.ErrQuoteNotFound
	}
	return record.quote(), nil
}

// ConsumeQuote uses the quote for an order, for the transaction that makes the order. Commit returns
// pricing.ErrQuoteNotFound also for another customer's quote, pricing.ErrQuoteUsed if there is another order of it, and
// pricing.ErrQuoteExpired. The same order again is not an error.
func (s *Store) ConsumeQuote(quoteID, customer, orderID string, now time.Time) ddb.Write {
	order := expression.Name("order_id")
	open := expression.Name("customer").Equal(expression.Value(customer)).
		And(expression.Name("expires_at").GreaterThan(expression.Value(now.UnixMilli()))).
		And(expression.AttributeNotExists(order))
	return s.table.Update(quoteKey(quoteID), expression.Set(order, expression.Value(orderID))).IfElse(open, func(old ddb.Item) error {
		var stored quoteRecord
		if err := ddb.Decode(old, &stored); err != nil {
			return err
		}
		switch {
		case stored.PK == "" || stored.Customer != customer:
			return pricing.ErrQuoteNotFound
		case stored.OrderID == orderID:
			return ddb.ErrDone
		case stored.OrderID != "":
			return pricing.ErrQuoteUsed
		default:
			return pricing.ErrQuoteExpired
		}
	})
}
