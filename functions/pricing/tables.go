package pricing

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/money"
)

// Limits of the pricing rules.
const (
	MaxTaxRates      = 1000
	MaxShippingRates = 50
	MaxBands         = 20
	maxTaxClass      = 64 // in ASCII
)

// Rules are the shop's rules of tax and shipping. Without any there is neither tax nor a price of shipping.
type Rules struct {
	// Tax has a rate for each country and class. A class without a rate has the country's standard one; a country
	// without rates has no tax.
	Tax []TaxRate `json:"tax"`
	// Shipping has prices by country and value. If it is empty, shipping costs nothing.
	Shipping []ShippingRate `json:"shipping"`
	// Version is the number of changes, 0 before the first one: the entity tag.
	Version int64 `json:"version"`
	// UpdatedAt is absent before the first change.
	UpdatedAt *api.Time `json:"updated_at,omitempty"`
}

// TaxRate is the tax of a class of products in a country.
type TaxRate struct {
	// Country is an alphabetic ISO 3166-1 code of two capitals.
	Country string `json:"country" dynamodbav:"country"`
	// Class is the value of the products' attribute tax_class, "standard" for products without one.
	Class string `json:"class" dynamodbav:"class"`
	// Percent is the rate.
	Percent Percent `json:"percent" dynamodbav:"percent"`
}

// ShippingRate is what a delivery costs in some countries.
type ShippingRate struct {
	// Countries are alphabetic ISO 3166-1 codes of two capitals. An empty list is all countries that no other rate of
	// the currency names.
	Countries []string `json:"countries" dynamodbav:"countries"`
	// Bands have one currency. The first one is from 0, and each one from more than the one before.
	Bands []Band `json:"bands" dynamodbav:"bands"`
}

// Band is the price of a delivery by the value of the lines after their discounts, without tax.
type Band struct {
	// From is the least value of the band.
	From money.Money `json:"from" dynamodbav:"from"`
	// Price is what the customer pays: tax is not added to it.
	Price money.Money `json:"price" dynamodbav:"price"`
}

// taxOf returns the rate of tax for a class in a country, as a part of one.
func (r Rules) taxOf(country, class string) *big.Rat {
	if class == "" {
		class = ClassStandard
	}
	standard := new(big.Rat)
	for _, rate := range r.Tax {
		if rate.Country != country {
			continue
		}
		switch rate.Class {
		case class:
			return rate.Percent.fraction()
		case ClassStandard:
			standard = rate.Percent.fraction()
		}
	}
	return standard
}

// shippingOf returns the price of a delivery of a value, and false if the shop does not deliver there in the value's
// currency.
func (r Rules) shippingOf(country string, value money.Money) (money.Money, bool) {
	if len(r.Shipping) == 0 {
		return money.Money{Currency: value.Currency}, true
	}
	var elsewhere []Band
	for _, rate := range r.Shipping {
		if len(rate.Bands) == 0 || rate.Bands[0].From.Currency != value.Currency {
			continue
		}
		if slices.Contains(rate.Countries, country) {
			return bandOf(rate.Bands, value), true
		}
		if len(rate.Countries) == 0 {
			elsewhere = rate.Bands
		}
	}
	if elsewhere == nil {
		return money.Money{}, false
	}
	return bandOf(elsewhere, value), true
}

func bandOf(bands []Band, value money.Money) money.Money {
	price := bands[0].Price
	for _, band := range bands {
		if band.From.AmountMinor <= value.AmountMinor {
			price = band.Price
		}
	}
	return price
}

// check refuses what the rules of a request must not have.
func (r Rules) check(f *faults) {
	if len(r.Tax) > MaxTaxRates {
		f.refuse("/tax", "must not have more than %d entries", MaxTaxRates)
	} else {
		r.checkTax(f)
	}
	if len(r.Shipping) > MaxShippingRates {
		f.refuse("/shipping", "must not have more than %d entries", MaxShippingRates)
		return
	}
	seen := map[string]bool{}
	for i, rate := range r.Shipping {
		pointer := fmt.Sprintf("/shipping/%d", i)
		currency := rate.checkBands(f, pointer+"/bands")
		rate.checkCountries(f, pointer+"/countries", currency, seen)
	}
}

func (r Rules) checkTax(f *faults) {
	type place struct{ country, class string }
	seen := map[place]bool{}
	for i, rate := range r.Tax {
		pointer := fmt.Sprintf("/tax/%d", i)
		f.add(pointer+"/country", policy.CountryFault(rate.Country))
		f.add(pointer+"/class", classFault(rate.Class))
		f.percent(pointer+"/percent", rate.Percent)
		at := place{rate.Country, rate.Class}
		if seen[at] {
			f.refuse(pointer, "has the country and class of an earlier entry")
		}
		seen[at] = true
	}
}

func classFault(class string) string {
	if class == "" {
		return "is required"
	}
	if len(class) > maxTaxClass || !classPattern.MatchString(class) {
		return fmt.Sprintf("must be a slug of 1 to %d characters, such as standard", maxTaxClass)
	}
	return ""
}

const otherCurrency = "must be the first band's"

// checkBands returns the currency of the bands, empty if they have none.
func (s ShippingRate) checkBands(f *faults, pointer string) string {
	if len(s.Bands) == 0 || len(s.Bands) > MaxBands {
		f.refuse(pointer, "must have 1 to %d entries", MaxBands)
		return ""
	}
	currency := s.Bands[0].From.Currency
	for i, band := range s.Bands {
		at := fmt.Sprintf("%s/%d", pointer, i)
		f.amount(at+"/from", band.From)
		f.amount(at+"/price", band.Price)
		if band.From.Currency != currency {
			f.add(at+"/from/currency", otherCurrency)
		}
		if band.Price.Currency != currency {
			f.add(at+"/price/currency", otherCurrency)
		}
		switch {
		case i == 0 && band.From.AmountMinor != 0:
			f.refuse(at+"/from/amount_minor", "must be 0 in the first band")
		case i > 0 && band.From.AmountMinor <= s.Bands[i-1].From.AmountMinor:
			f.refuse(at+"/from/amount_minor", "must be more than in the band before")
		}
	}
	return currency
}

func (s ShippingRate) checkCountries(f *faults, pointer, currency string, seen map[string]bool) {
	if len(s.Countries) == 0 {
		if seen["*"+currency] {
			f.refuse(pointer, "must not be empty: an earlier rate of the currency is for all other countries")
		}
		seen["*"+currency] = true
		return
	}
	if most := len(policy.Countries()); len(s.Countries) > most {
		f.refuse(pointer, "must not have more than %d entries", most)
		return
	}
	for i, country := range s.Countries {
		at := fmt.Sprintf("%s/%d", pointer, i)
		if fault := policy.CountryFault(country); fault != "" {
			f.add(at, fault)
			continue
		}
		if seen[country+currency] {
			f.refuse(at, "has a rate in this currency already")
		}
		seen[country+currency] = true
	}
}
