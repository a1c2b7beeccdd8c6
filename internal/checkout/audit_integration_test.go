//go:build integration

package checkout_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/functions/pricing/pricingtest"
	"github.com/tienda-dev/tienda/internal/checkout"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
)

// Each rule is broken in the items of DynamoDB, and the auditor names it.
func TestBrokenTablesAreNamed(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	name := expression.Name
	add := func(attribute string, n int64) expression.UpdateBuilder {
		return expression.Add(name(attribute), expression.Value(n))
	}
	for rule, tc := range map[string]struct {
		// item is "stock", or the sort key of an item of the order; change is what breaks it.
		item   string
		change expression.UpdateBuilder
		after  time.Duration
		want   []string
	}{
		"Kept":         {want: nil},
		"PieceIsLost":  {item: "stock", change: add("available", -1), want: []string{orders.RuleLedger + " TEA"}},
		"PieceIsExtra": {item: "stock", change: add("sold", 1), want: []string{orders.RuleLedger + " TEA"}},
		"ReservedForNobody": {
			item: "stock", change: add("available", -1).Add(name("reserved"), expression.Value(1)),
			want: []string{orders.RuleReserved + " TEA"},
		},
		"HeldByTheOrderOnly": {
			item: "RES", change: expression.Remove(name("GSI1PK")).Remove(name("GSI1SK")),
			want: []string{orders.RuleReserved + " TEA"},
		},
		"ReservationIsReleased": {
			item: "RES", change: expression.Set(name("state"), expression.Value(orders.Released)),
			want: []string{orders.RuleReservation + " ORDER"},
		},
		"NeverExpired": {
			after: orders.HoldFor + orders.PaymentGrace + 11*time.Minute, want: []string{orders.RuleOverdue + " ORDER"},
		},
		"TotalIsWrong": {
			item: "META", change: expression.Set(name("total.amount_minor"), expression.Value(1)),
			want: []string{orders.RuleMoney + " ORDER"},
		},
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			table := ddbtest.Table(t)
			o := orderOfTea(t, table, now)
			key := ddb.Key{PK: "O#" + o.ID, SK: tc.item}
			if tc.item == "stock" {
				key = ddb.Key{PK: "STK#" + o.Lines[0].ProductID, SK: "S"}
			}
			if tc.item != "" {
				if _, done, err := table.UpdateIf(t.Context(), key, tc.change, ddb.Present()); err != nil || !done {
					t.Fatalf("the item was not changed: %v", err)
				}
			}
			broken, err := checkout.Auditor(table, func() time.Time { return now.Add(tc.after) }).Invariants(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, v := range broken {
				subject := v.Subject
				if subject == o.ID {
					subject = "ORDER"
				}
				got = append(got, v.Rule+" "+subject)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("violations (-want +got):\n%s", diff)
			}
		})
	}
}

// orderOfTea makes an order of two of five pieces.
func orderOfTea(t *testing.T, table *ddb.Table, now time.Time) orders.Order {
	t.Helper()
	fiveOfTea(t, table, now)
	address := pricingtest.Address("ES")
	o, err := checkout.Orders(table, func() time.Time { return now }).Create(t.Context(), orders.NewOrder{
		Customer: "c", Items: []orders.Item{{SKU: "TEA", Quantity: 2}}, ShipTo: &address,
	})
	if err != nil {
		t.Fatal(err)
	}
	return o
}
