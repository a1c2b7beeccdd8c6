package sam

import (
	"context"
	"errors"
	"time"

	"github.com/tienda-dev/tienda/functions/pricing"
	"github.com/tienda-dev/tienda/functions/pricing/pricingddb"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/money"
)

const (
	// givenCode is the discount and givenQuote the quote in the sample events. The quote is for two pieces of
	// givenProduct with the discount.
	givenCode  = "SPRING-10"
	givenQuote = "01JD7QE5T1Q0W3N8B6Z2Y4X7CM"
)

func eur(cents int64) money.Money { return money.Money{AmountMinor: cents, Currency: "EUR"} }

// givenPrices writes rules of tax and shipping, a discount and a quote that does not expire.
func givenPrices(ctx context.Context, store *pricingddb.Store) error {
	at := api.NewTime(givenAt())
	err := store.PutRules(ctx, 0, pricing.Rules{
		Tax: []pricing.TaxRate{{Country: "ES", Class: "standard", Percent: "21"}, {Country: "DE", Class: "standard", Percent: "19"}},
		Shipping: []pricing.ShippingRate{
			{Countries: []string{"ES", "PT"}, Bands: []pricing.Band{{From: eur(0), Price: eur(490)}, {From: eur(5000), Price: eur(0)}}},
			{Bands: []pricing.Band{{From: eur(0), Price: eur(1490)}}},
		},
		Version: 1, UpdatedAt: &at,
	})
	if err != nil && !errors.Is(err, pricing.ErrStale) {
		return err
	}
	minimum := eur(2000)
	err = store.CreateDiscount(ctx, pricing.Discount{
		Code: givenCode, Percent: "10", Minimum: &minimum, Version: 1, CreatedAt: at, UpdatedAt: at,
	}, idempotency.Record{})
	if err != nil && !errors.Is(err, pricing.ErrCodeExists) {
		return err
	}
	if _, err := store.Quote(ctx, givenQuote); !errors.Is(err, pricing.ErrQuoteNotFound) {
		return err
	}
	return store.CreateQuote(ctx, pricing.Quote{
		ID: givenQuote, Customer: givenUser,
		Lines: []pricing.Line{{
			SKU: "CUP-ESP-RED", ProductID: givenProduct, ProductVersion: 1, Name: "Espresso cup, red", Quantity: 2,
			UnitPrice: eur(1290), Discount: eur(258), Tax: eur(488), Total: eur(2810),
		}},
		Codes: []string{givenCode}, Subtotal: eur(2580), Discount: eur(258), Shipping: eur(490), Tax: eur(488), Total: eur(3300),
		ShipTo:    policy.Address{Name: "María López", Line1: "Calle Mayor 1", City: "Madrid", PostalCode: "28013", Country: "ES"},
		CreatedAt: at, ExpiresAt: api.NewTime(time.Date(2100, time.January, 1, 0, 0, 0, 0, time.UTC)),
	}, idempotency.Record{})
}
