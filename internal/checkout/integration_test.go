//go:build integration

package checkout_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/functions/catalog/catalogddb"
	"github.com/tienda-dev/tienda/functions/catalog/catalogtest"
	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/functions/payments/paymentstest"
	"github.com/tienda-dev/tienda/functions/pricing"
	"github.com/tienda-dev/tienda/functions/pricing/pricingddb"
	"github.com/tienda-dev/tienda/functions/pricing/pricingtest"
	"github.com/tienda-dev/tienda/internal/checkout"
	"github.com/tienda-dev/tienda/internal/prices"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
	"github.com/tienda-dev/tienda/shared/idempotency"
)

// fiveOfTea creates a product with five pieces.
func fiveOfTea(t *testing.T, table *ddb.Table, now time.Time) (*catalogddb.Store, catalog.Product) {
	t.Helper()
	stock := catalogddb.New(table)
	p := catalogtest.NewProduct(func(p *catalog.Product) { p.SKU = "TEA" })
	if err := stock.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if err := stock.Adjust(t.Context(), idempotency.Record{}, catalog.Adjustment{
		ID: catalogtest.NewID(api.NewTime(now)), ProductID: p.ID, SKU: "TEA", Delta: 5, Reason: "delivery", CreatedAt: api.NewTime(now),
	}); err != nil {
		t.Fatal(err)
	}
	return stock, p
}

// Orders of a real catalogue with real prices and codes balance at each step, and the auditor sees it.
func TestOrdersOnTheirTables(t *testing.T) {
	t.Parallel()
	table := ddbtest.Table(t)
	now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	stock, p := fiveOfTea(t, table, now)
	if err := pricingddb.New(table).CreateDiscount(t.Context(), pricing.Discount{
		Code: "TEN", Percent: "10", MaxUsesPerCustomer: 1, Version: 1, CreatedAt: api.NewTime(now), UpdatedAt: api.NewTime(now),
	}, idempotency.Record{}); err != nil {
		t.Fatal(err)
	}
	shop := checkout.Orders(table, clock)
	want := func(available, reserved int64) {
		t.Helper()
		got, err := stock.Inventory(t.Context(), p.ID)
		if err != nil || got.Available != available || got.Reserved != reserved || got.Sold != 0 {
			t.Errorf("stock %+v, %v; want %d available, %d reserved", got, err, available, reserved)
		}
		broken, err := checkout.Auditor(table, clock).Invariants(t.Context())
		if len(broken) > 0 || err != nil {
			t.Errorf("violations %+v, %v", broken, err)
		}
	}
	address := pricingtest.Address("ES")
	q, err := prices.Service(table, clock).CreateQuote(t.Context(), pricing.Request{
		Customer: "c", Lines: []pricing.Item{{SKU: "TEA", Quantity: 2}}, Codes: []string{"ten"}, ShipTo: address,
	})
	if err != nil {
		t.Fatal(err)
	}
	o, err := shop.Create(t.Context(), orders.NewOrder{Customer: "c", QuoteID: q.ID})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(q.Total, o.Total); diff != "" {
		t.Errorf("total (-quote +order):\n%s", diff)
	}
	want(3, 2)
	if _, err := shop.Create(t.Context(), orders.NewOrder{Customer: "c", QuoteID: q.ID}); !errors.Is(err, pricing.ErrQuoteUsed) {
		t.Errorf("the quote again: %v, want %v", err, pricing.ErrQuoteUsed)
	}
	withCode := orders.NewOrder{Customer: "c", Items: []orders.Item{{SKU: "TEA", Quantity: 1}}, Codes: []string{"TEN"}, ShipTo: &address}
	if _, err := shop.Create(t.Context(), withCode); !errors.Is(err, pricing.ErrCodeUsedUp) {
		t.Errorf("the code again: %v, want %v", err, pricing.ErrCodeUsedUp)
	}
	tooMany := orders.NewOrder{Customer: "c", Items: []orders.Item{{SKU: "TEA", Quantity: 4}}, ShipTo: &address}
	if _, err := shop.Create(t.Context(), tooMany); !errors.Is(err, orders.ErrOutOfStock) {
		t.Errorf("too many: %v, want %v", err, orders.ErrOutOfStock)
	}
	want(3, 2)
	if _, err := shop.Cancel(t.Context(), o.ID, orders.Reader{ID: "c"}, orders.ReasonMistake); err != nil {
		t.Fatal(err)
	}
	want(5, 0)
	if _, err := shop.Create(t.Context(), withCode); err != nil { // the use came back
		t.Errorf("the code after the cancellation: %v", err)
	}
	want(4, 1)
	now = now.Add(orders.HoldFor + time.Millisecond)
	if n, err := shop.Expire(t.Context()); n != 1 || err != nil {
		t.Errorf("%d orders expired, %v; want 1", n, err)
	}
	want(5, 0)

	unpaid, err := shop.Create(t.Context(), orders.NewOrder{Customer: "c", Items: []orders.Item{{SKU: "TEA", Quantity: 1}}, ShipTo: &address})
	if err != nil {
		t.Fatal(err)
	}
	ledger := checkout.Payments(table)
	payable, err := ledger.Order(t.Context(), unpaid.ID)
	if err != nil {
		t.Fatal(err)
	}
	paid := paymentstest.NewPayment(payable)
	paid.Amount.AmountMinor++ // no service asks for more than the order's total
	paid.CreatedAt = api.NewTime(now)
	if err := ledger.Create(t.Context(), payments.Creation{Payment: paid, Order: payable, Event: paymentstest.NewEvent(t, payments.EventCreated, unpaid.ID)}); err != nil {
		t.Fatal(err)
	}
	broken, err := checkout.Auditor(table, clock).Invariants(t.Context())
	if len(broken) != 1 || broken[0].Rule != orders.RulePayments || broken[0].Subject != unpaid.ID || err != nil {
		t.Errorf("violations %+v, %v; want %s of %s", broken, err, orders.RulePayments, unpaid.ID)
	}
}
