package money

import (
	"slices"
	"strings"
)

// The codes of ISO 4217 list one, published on 2026-09-17, by the number of digits of their minor
// unit. Left out are the 13 codes that have none: metals, bond units, XDR, XSU, XUA, XTS and XXX.
// https://www.six-group.com/en/products-services/financial-information/market-reference-data/data-standards.html
const (
	exponent0 = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"

	exponent2 = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD " +
		"CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP " +
		"GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD " +
		"MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP " +
		"PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT " +
		"TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG"

	exponent3 = "BHD IQD JOD KWD LYD OMR TND"

	exponent4 = "CLF UYW"
)

// Exponent returns how many digits the minor unit of an active ISO 4217 currency has (EUR 2, JPY 0,
// KWD 3), and false for any other code. Codes are in capitals.
func Exponent(currency string) (int, bool) {
	if len(currency) != 3 || strings.Contains(currency, " ") {
		return 0, false
	}
	switch {
	case strings.Contains(exponent2, currency):
		return 2, true
	case strings.Contains(exponent0, currency):
		return 0, true
	case strings.Contains(exponent3, currency):
		return 3, true
	case strings.Contains(exponent4, currency):
		return 4, true
	default:
		return 0, false
	}
}

// Currencies returns every code that Exponent knows, in alphabetical order.
func Currencies() []string {
	return slices.Sorted(slices.Values(strings.Fields(strings.Join([]string{exponent0, exponent2, exponent3, exponent4}, " "))))
}
