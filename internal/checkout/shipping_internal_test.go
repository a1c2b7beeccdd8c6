package checkout

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/functions/shipments"
	"github.com/tienda-dev/tienda/shared/money"
)

// What may be shipped is what the state machine of orders lets ship, as long as the shop has money for it.
func TestPhasesFollowTheStateMachine(t *testing.T) {
	t.Parallel()
	funded := []orders.PaymentStatus{
		orders.PaymentAuthorized, orders.PaymentCaptured, orders.PaymentPartiallyCaptured, orders.PaymentPartiallyRefunded,
	}
	for _, status := range orders.Statuses() {
		for _, payment := range orders.PaymentStatuses() {
			_, err := status.Next(orders.ShipRest)
			want := shipments.Closed
			switch {
			case err == nil && slices.Contains(funded, payment):
				want = shipments.Open
			case err == nil || status == orders.StatusPendingPayment:
				want = shipments.Unpaid
			}
			if got := forShipping(orders.Order{Status: status, PaymentStatus: payment}).Phase; got != want {
				t.Errorf("%s with a payment that is %s is in phase %d, want %d", status, payment, got, want)
			}
		}
	}
}

func TestForShippingKeepsWhatShippingNeeds(t *testing.T) {
	t.Parallel()
	eur := func(minor int64) money.Money { return money.Money{AmountMinor: minor, Currency: "EUR"} }
	got := forShipping(orders.Order{
		ID: "O", Customer: "maria", Status: orders.StatusPartiallyShipped, PaymentStatus: orders.PaymentPartiallyCaptured,
		Version: 4, Total: eur(1990), Shipping: eur(490),
		Lines: []orders.Line{{SKU: "CUP", Quantity: 3, ToShip: 2, Total: eur(1500), UnitPrice: eur(400)}},
	})
	want := shipments.Order{
		ID: "O", Customer: "maria", Phase: shipments.Open, Version: 4, Total: eur(1990),
		Lines: []shipments.OrderLine{{SKU: "CUP", Quantity: 3, ToShip: 2, Total: eur(1500)}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}
