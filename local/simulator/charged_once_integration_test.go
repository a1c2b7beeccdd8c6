//go:build integration

package simulator_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/functions/catalog/catalogddb"
	"github.com/tienda-dev/tienda/functions/catalog/catalogtest"
	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/functions/payments/paymentsddb"
	"github.com/tienda-dev/tienda/functions/pricing/pricingtest"
	"github.com/tienda-dev/tienda/internal/checkout"
	"github.com/tienda-dev/tienda/local/simulator"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
	"github.com/tienda-dev/tienda/shared/idempotency"
)

// tables is storage in DynamoDB, with orders as the shop makes them. Each world has its own; several share a table.
type tables struct {
	*paymentsddb.Store

	t      *testing.T
	table  *ddb.Table
	sku    string
	orders *orders.Service
	order  string
}

// newTable returns a table with a product that is never sold out, and the product's SKU.
func newTable(t *testing.T) (*ddb.Table, string) {
	t.Helper()
	table, now := ddbtest.Table(t), api.NewTime(newClock().now())
	p := catalogtest.NewProduct()
	stock := catalogddb.New(table)
	if err := stock.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if err := stock.Adjust(t.Context(), idempotency.Record{}, catalog.Adjustment{
		ID: catalogtest.NewID(now), ProductID: p.ID, SKU: p.SKU, Delta: 10_000, Reason: "delivery", CreatedAt: now,
	}); err != nil {
		t.Fatal(err)
	}
	return table, p.SKU
}

func (s *tables) NewOrder(t *testing.T, now time.Time) payments.Order {
	t.Helper()
	s.t, s.orders = t, checkout.Orders(s.table, func() time.Time { return now })
	address := pricingtest.Address("ES")
	made, err := s.orders.Create(t.Context(), orders.NewOrder{
		Customer: customer, Items: []orders.Item{{SKU: s.sku, Quantity: 1}}, ShipTo: &address,
	})
	if err != nil {
		t.Fatal(err)
	}
	o, err := s.Order(t.Context(), made.ID)
	if err != nil {
		t.Fatal(err)
	}
	s.order = o.ID
	return o
}

func (s *tables) MoveOrder(id string, state payments.OrderState) {
	s.t.Helper()
	if state != payments.OrderCancelled {
		s.t.Fatalf("an order moves to the state %d", state)
	}
	if _, err := s.orders.Cancel(s.t.Context(), id, orders.Reader{Staff: true}, orders.ReasonMistake); err != nil {
		s.t.Fatal(err)
	}
}

// Due leaves out the payments of other worlds.
func (s *tables) Due(ctx context.Context, now time.Time, limit int) ([]string, error) {
	own, err := s.OfOrder(ctx, s.order)
	if err != nil {
		return nil, err
	}
	due, err := s.Store.Due(ctx, now, 10*limit)
	return slices.DeleteFunc(due, func(id string) bool { return !slices.Contains(own, id) }), err
}

// Each stage of TestChargedOnce on DynamoDB, whose transactions and conditions are the real ones: a process that is killed at
// every point, while the answer of the provider is lost.
func TestChargedOnceOnItsTables(t *testing.T) {
	t.Parallel()
	for _, s := range stages() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			table, sku := newTable(t)
			r := trial{s, s.operations[0], simulator.LoseAnswer, never}
			if s.notified {
				r.fault, r.arrive = simulator.NoFault, later
			}
			everyPoint(t, r, func(t *testing.T) *world {
				t.Helper()
				return newWorld(t, &tables{Store: checkout.Payments(table), table: table, sku: sku})
			})
		})
	}
}
