//go:build integration

package ordersddb_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/functions/catalog/catalogddb"
	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/functions/orders/ordersddb"
	"github.com/tienda-dev/tienda/functions/orders/orderstest"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
	"github.com/tienda-dev/tienda/shared/problem"
)

// shop is the store with the catalogue's stock and offers of its own.
type shop struct {
	*ordersddb.Store

	table *ddb.Table
}

func newShop(t *testing.T, faults *ddbtest.Faults) shop {
	t.Helper()
	table := ddbtest.Table(t, faults.Option)
	return shop{ordersddb.New(table, catalogddb.New(table), offers{table}), table}
}

func TestStore(t *testing.T) {
	t.Parallel()
	orderstest.Run(t, func(t *testing.T) orderstest.Shop {
		t.Helper()
		return newShop(t, &ddbtest.Faults{})
	})
}

// Put implements orderstest.Shop. It writes the items that catalogddb reads.
func (s shop) Put(ctx context.Context, sku, productID string, version, pieces int64) error {
	product := ddb.Key{PK: "P#" + productID, SK: "META"}
	change := expression.Set(expression.Name("version"), expression.Value(version)).
		Set(expression.Name("status"), expression.Value(catalog.Active))
	stock := ddb.Key{PK: "STK#" + productID, SK: "S"}
	zero := func(name string) expression.SetValueBuilder {
		return expression.IfNotExists(expression.Name(name), expression.Value(0))
	}
	fill := expression.Set(expression.Name("available"), expression.Plus(zero("available"), expression.Value(pieces))).
		Set(expression.Name("reserved"), zero("reserved")).Set(expression.Name("sold"), zero("sold")).
		Set(expression.Name("version"), zero("version")).Set(expression.Name("sku"), expression.Value(sku))
	return ddb.Commit(ctx, s.table.Client(), s.table.Update(product, change), s.table.Update(stock, fill))
}

// Stock implements orderstest.Shop.
func (s shop) Stock(ctx context.Context, productID string) (orderstest.Stock, error) {
	var record struct {
		Available int64 `dynamodbav:"available"`
		Reserved  int64 `dynamodbav:"reserved"`
		Sold      int64 `dynamodbav:"sold"`
	}
	_, err := s.table.Get(ctx, ddb.Key{PK: "STK#" + productID, SK: "S"}, &record, true)
	return orderstest.Stock(record), err
}

// Uses implements orderstest.Shop.
func (s shop) Uses(ctx context.Context, code, customer string) (int64, error) {
	var record struct {
		Uses int64 `dynamodbav:"uses"`
	}
	_, err := s.table.Get(ctx, useKey(code, customer), &record, true)
	return record.Uses, err
}

// Claim implements orderstest.Shop.
func (s shop) Claim(ctx context.Context, o orders.Order, paymentID string, now time.Time) error {
	return ddb.Commit(ctx, s.table.Client(), s.ClaimForPayment(o, paymentID, now))
}

// Record implements orderstest.Shop.
func (s shop) Record(ctx context.Context, orderID, paymentID string, status orders.PaymentStatus, now time.Time) error {
	return ddb.Commit(ctx, s.table.Client(), s.RecordPayment(orderID, paymentID, status, now))
}

// Ship implements orderstest.Shop.
func (s shop) Ship(ctx context.Context, o orders.Order, lines []orders.Shipped, shipmentID string, now time.Time) error {
	writes, err := s.Store.Ship(o, lines, shipmentID, now)
	if err != nil {
		return err
	}
	return ddb.Commit(ctx, s.table.Client(), writes...)
}

// offers counts the uses of codes, and remembers which quotes were used.
type offers struct{ table *ddb.Table }

func useKey(code, customer string) ddb.Key { return ddb.Key{PK: "DC#" + code, SK: "C#" + customer} }

func (o offers) add(code, customer string, n int) []ddb.Write {
	uses := expression.Name("uses")
	return []ddb.Write{o.table.Update(useKey(code, customer),
		expression.Set(uses, expression.Plus(expression.IfNotExists(uses, expression.Value(0)), expression.Value(n))))}
}

// refused is a code that cannot be used.
type refused struct {
	error

	code, detail string
}

func (r refused) Unwrap() error { return r.error }

func (r refused) Unusable() (code, detail string) { return r.code, r.detail }

// codeRecord is a code that a test has put.
type codeRecord struct {
	PK    string `dynamodbav:"PK"`
	SK    string `dynamodbav:"SK"`
	Ended bool   `dynamodbav:"ended"`
	Left  int64  `dynamodbav:"left"`
}

// PutCode implements orderstest.Shop.
func (s shop) PutCode(ctx context.Context, code string, c orderstest.Code) error {
	return ddb.Commit(ctx, s.table.Client(), s.table.Put(codeRecord{"DC#" + code, "META", c.Ended, c.Left}))
}

// UseCode refuses an ended code at once, and one that is used up in the transaction.
func (o offers) UseCode(ctx context.Context, code, customer string, _ time.Time) ([]ddb.Write, error) {
	var record codeRecord
	if _, err := o.table.Get(ctx, ddb.Key{PK: "DC#" + code, SK: "META"}, &record, true); err != nil {
		return nil, err
	}
	if record.Ended {
		return nil, refused{orderstest.ErrCodeInvalid, code, orderstest.CodeHasEnded}
	}
	return o.UseQuotedCode(ctx, code, customer)
}

func (o offers) UseQuotedCode(_ context.Context, code, customer string) ([]ddb.Write, error) {
	left := expression.Name("left")
	unlimited := expression.AttributeNotExists(left).Or(left.GreaterThan(expression.Value(0)))
	check := o.table.Check(ddb.Key{PK: "DC#" + code, SK: "META"}).If(unlimited, refused{orderstest.ErrCodeUsedUp, code, orderstest.CodeIsUsedUp})
	return append(o.add(code, customer, 1), check), nil
}

func (o offers) ReturnCode(code, customer string) []ddb.Write { return o.add(code, customer, -1) }

func (o offers) ConsumeQuote(quoteID, _, orderID string, _ time.Time) ddb.Write {
	return o.table.Put(ddb.Key{PK: "Q#" + quoteID, SK: "META"}.Item()).
		If(ddb.Absent(), problem.New(problem.Conflict, "quote_used", orderID))
}

// naive makes an order without a transaction: it reads the stock, decides and writes.
func (s shop) naive(ctx context.Context, c orders.Creation) error {
	line := c.Order.Lines[0]
	stock, err := s.Stock(ctx, line.ProductID)
	if err != nil {
		return err
	}
	if stock.Available < line.Quantity {
		return orders.ErrOutOfStock
	}
	change := expression.Set(expression.Name("available"), expression.Value(stock.Available-line.Quantity)).
		Set(expression.Name("reserved"), expression.Value(stock.Reserved+line.Quantity))
	return ddb.Commit(ctx, s.table.Client(), s.table.Update(ddb.Key{PK: "STK#" + line.ProductID, SK: "S"}, change))
}

// The suite's sale must distinguish a store that oversells from one that does not.
func TestNaiveStoreOversells(t *testing.T) {
	t.Parallel()
	s := newShop(t, &ddbtest.Faults{})
	sale, err := orderstest.Sell(t.Context(), s, s.naive, 50, 200)
	if err != nil {
		t.Fatal(err)
	}
	if sale.Sold <= 50 {
		t.Errorf("%d of 50 pieces are sold: the sale would not notice a store that oversells", sale.Sold)
	}
}

// Every change happens once although DynamoDB's answer is lost, or is a conflict or a throttle.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]ddbtest.Fault{
		"LostResponse": ddbtest.LoseResponse, "FailAfterCommit": ddbtest.FailAfterCommit, "BrokenOff": ddbtest.BreakOff,
		"Conflict": ddbtest.Conflict, "Throttle": ddbtest.Throttle,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faults := &ddbtest.Faults{}
			s := newShop(t, faults)
			orderstest.Stocked(t, s, 5, "A")
			check := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			o := orderstest.NewOrder("A")
			o.Codes = []string{"TEN"}
			faults.Inject("TransactWriteItems", fault, ddbtest.Throttle, fault)
			check(s.Create(t.Context(), orderstest.Creation(o)))
			faults.Inject("TransactWriteItems", fault, ddbtest.Throttle, fault)
			check(s.Claim(t.Context(), o, "pay-1", orderstest.Time(1).Time))
			faults.Inject("TransactWriteItems", fault, ddbtest.Throttle, fault)
			check(s.Record(t.Context(), o.ID, "pay-1", orders.PaymentCaptured, orderstest.Time(2).Time))
			paid, err := s.Get(t.Context(), o.ID)
			check(err)
			after := paid.Clone()
			after.Version, after.Status = paid.Version+1, orders.StatusConfirmed
			faults.Inject("TransactWriteItems", fault, ddbtest.Throttle, fault)
			e := orderstest.Event(paid, "payment.captured", orderstest.Time(3))
			check(s.Apply(t.Context(), orders.Change{Before: paid, After: after, Stock: orders.Commit, Consumed: &e, At: orderstest.Time(3).Time}))

			stock, err := s.Stock(t.Context(), orderstest.ProductOf("A"))
			check(err)
			uses, err := s.Uses(t.Context(), "TEN", o.Customer)
			check(err)
			got, err := s.Get(t.Context(), o.ID)
			check(err)
			if want := (orderstest.Stock{Available: 3, Sold: 2}); stock != want || uses != 1 || got.Version != 4 || got.Status != orders.StatusConfirmed {
				t.Errorf("stock %+v, %d uses, version %d, status %s", stock, uses, got.Version, got.Status)
			}
		})
	}
}

// The largest order fits into one transaction.
func TestLargestOrder(t *testing.T) {
	t.Parallel()
	s := newShop(t, &ddbtest.Faults{})
	var skus []string
	for i := range orders.MaxLines {
		skus = append(skus, "SKU-"+string(rune('A'+i%26))+string(rune('A'+i/26)))
	}
	orderstest.Stocked(t, s, 2, skus...)
	o := orderstest.NewOrder(skus...)
	o.QuoteID, o.Codes = "quote-1", []string{"ONE", "TWO", "THREE"}
	if err := s.Create(t.Context(), orderstest.Creation(o)); err != nil {
		t.Fatal(err)
	}
	after := o.Clone()
	after.Version, after.Status = 2, orders.StatusCancelled
	if err := s.Apply(t.Context(), orders.Change{Before: o, After: after, Stock: orders.Release, At: orderstest.Time(1).Time}); err != nil {
		t.Fatal(err)
	}
}
