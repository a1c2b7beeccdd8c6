package policy

import "github.com/tienda-dev/tienda/shared/money"

// PayableUnit returns what every amount of the currency that is paid, captured or refunded is a multiple of, in minor
// units: 10 if the currency has three decimals, and else 1. Stripe demands it, and has no currency with four
// (https://docs.stripe.com/currencies#special-cases).
func PayableUnit(currency string) int64 {
	if exponent, _ := money.Exponent(currency); exponent == 3 {
		return 10
	}
	return 1
}
