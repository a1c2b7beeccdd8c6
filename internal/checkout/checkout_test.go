package checkout_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/functions/catalog/catalogtest"
	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/functions/pricing"
	"github.com/tienda-dev/tienda/functions/pricing/pricingtest"
	"github.com/tienda-dev/tienda/internal/checkout"
	"github.com/tienda-dev/tienda/internal/prices"
)

// An offer has every amount, line and version of the quote that it is made from.
func TestOffers(t *testing.T) {
	t.Parallel()
	store := catalogtest.NewMemory()
	p := catalogtest.NewProduct(func(p *catalog.Product) { p.SKU, p.Version = "TEA", 7 })
	if err := store.Create(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	service := pricing.NewService(pricingtest.NewMemory(), prices.Products{Catalog: store}, time.Now)
	offers := checkout.Offers{Prices: service}
	address := pricingtest.Address("ES")
	q, err := service.CreateQuote(t.Context(), pricing.Request{Customer: "c", Lines: []pricing.Item{{SKU: "TEA", Quantity: 2}}, ShipTo: address})
	if err != nil {
		t.Fatal(err)
	}
	line := q.Lines[0]
	want := orders.Offer{
		Lines: []orders.Line{{
			SKU: "TEA", ProductID: p.ID, Name: p.Name, Quantity: 2,
			UnitPrice: line.UnitPrice, Discount: line.Discount, Tax: line.Tax, Total: line.Total,
		}},
		Subtotal: q.Subtotal, Discount: q.Discount, Shipping: q.Shipping, Tax: q.Tax, Total: q.Total,
		Codes: q.Codes, ShipTo: address, Versions: map[string]int64{p.ID: 7},
	}
	priced, err := offers.Price(t.Context(), orders.Basket{Customer: "c", Items: []orders.Item{{SKU: "TEA", Quantity: 2}}, ShipTo: address})
	if diff := cmp.Diff(want, priced); diff != "" || err != nil {
		t.Errorf("Price: %v (-want +got):\n%s", err, diff)
	}
	quoted, err := offers.Quoted(t.Context(), q.ID, "c")
	if diff := cmp.Diff(want, quoted); diff != "" || err != nil {
		t.Errorf("Quoted: %v (-want +got):\n%s", err, diff)
	}
	if _, err := offers.Quoted(t.Context(), q.ID, "somebody else"); err == nil {
		t.Error("a foreign quote makes an offer")
	}
}

// The API's document has the text of payments; the order answers.
func TestPaidOrderIsRefusedAsDocumented(t *testing.T) {
	t.Parallel()
	if got, want := orders.ErrPaid.Error(), payments.ErrAlreadyPaid.Error(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
