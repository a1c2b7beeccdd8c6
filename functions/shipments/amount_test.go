package shipments_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/tienda-dev/tienda/functions/shipments"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/money"
)

// However an order is split into parcels, their amounts add up to its total and none is negative.
func TestAmountsAddUpToTheTotal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		currency := rapid.SampledFrom([]string{"JPY", "KWD"}).Draw(rt, "currency")
		unit := policy.PayableUnit(currency)
		total := rapid.Int64Range(0, 100_000).Draw(rt, "shipping")
		var lines []shipments.OrderLine
		for i := range rapid.IntRange(1, 4).Draw(rt, "lines") {
			quantity := rapid.Int64Range(1, 7).Draw(rt, "quantity")
			price := rapid.Int64Range(0, money.MaxAmount/8).Draw(rt, "total")
			total += price
			lines = append(lines, shipments.OrderLine{
				SKU: fmt.Sprintf("SKU-%d", i), Quantity: quantity, ToShip: quantity, Total: money.Money{AmountMinor: price, Currency: currency},
			})
		}
		total += (unit - total%unit) % unit // an order's total can be paid
		s := newShop(t)
		o := s.order(t, func(o *shipments.Order) {
			o.Lines, o.Total = lines, money.Money{AmountMinor: total, Currency: currency}
		})
		sum := int64(0)
		for left := o; left.Phase == shipments.Open; {
			var parcel []shipments.Line
			for _, l := range left.Lines {
				if n := rapid.Int64Range(0, l.ToShip).Draw(rt, "pieces"); n > 0 {
					parcel = append(parcel, shipments.Line{SKU: l.SKU, Quantity: n})
				}
			}
			made, err := s.service.Create(t.Context(), o.ID, parcel, "Correos")
			if err != nil {
				rt.Fatal(err)
			}
			if made.Amount.AmountMinor < 0 || made.Amount.AmountMinor%unit != 0 || made.Amount.Currency != currency {
				rt.Fatalf("a parcel costs %s", made.Amount)
			}
			sum += made.Amount.AmountMinor
			if left, err = s.store.ForShipping(t.Context(), o.ID); err != nil {
				rt.Fatal(err)
			}
		}
		if sum != total {
			rt.Fatalf("the parcels cost %d in all, want %d", sum, total)
		}
	})
}
