package pricing

import (
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/problem"
)

// price computes a quote without id and times. The codes are in capitals. Its errors are 422 and name the parts of the
// request.
//
// Every line is rounded twice, half to even: its value after the percentages of all codes together, and the tax of what
// is left. The amounts of codes are divided by largest remainders. Everything else is whole minor units.
func price(req Request, products map[string]Product, terms Terms, now time.Time) (Quote, error) {
	q := Quote{Customer: req.Customer, Codes: req.Codes, ShipTo: req.ShipTo}
	values, err := q.addLines(req.Lines, products)
	if err != nil {
		return Quote{}, err
	}
	codes, err := usable(req.Codes, terms, q.Subtotal, now)
	if err != nil {
		return Quote{}, err
	}
	discounted := discount(values, codes)

	currency := q.Subtotal.Currency
	goods := money.Money{Currency: currency}
	for i := range q.Lines {
		line := &q.Lines[i]
		line.Discount = money.Money{AmountMinor: values[i] - discounted[i], Currency: currency}
		rate := terms.Rules.taxOf(req.ShipTo.Country, products[line.SKU].TaxClass)
		line.Tax = money.Money{AmountMinor: times(discounted[i], rate), Currency: currency}
		line.Total = money.Money{AmountMinor: discounted[i] + line.Tax.AmountMinor, Currency: currency}
		goods.AmountMinor += discounted[i]
	}
	shipping, ok := terms.Rules.shippingOf(req.ShipTo.Country, goods)
	if !ok {
		return Quote{}, problem.Fields(problem.FieldError{
			Pointer: "/ship_to/country", Detail: "must be a country that the shop delivers to for a price in " + currency,
		})
	}
	q.Shipping = shipping
	if err := q.sum(); err != nil {
		return Quote{}, err
	}
	return q, nil
}

// addLines fills the lines and the subtotal and returns the lines' values before discounts.
func (q *Quote) addLines(items []Item, products map[string]Product) ([]int64, error) {
	var f faults
	values := make([]int64, len(items))
	for i, item := range items {
		pointer := fmt.Sprintf("/lines/%d", i)
		p, ok := products[item.SKU]
		if !ok || !p.ForSale {
			f.add(pointer+"/sku", notForSale)
			continue
		}
		if q.Subtotal.Currency == "" {
			q.Subtotal.Currency = p.Price.Currency
		}
		value, err := p.Price.Mul(item.Quantity)
		if err != nil {
			f.add(pointer+"/quantity", tooLarge)
			continue
		}
		sum, err := q.Subtotal.Add(value)
		switch {
		case p.Price.Currency != q.Subtotal.Currency:
			f.refuse(pointer+"/sku", "has a price in %s, and the lines before in %s", p.Price.Currency, q.Subtotal.Currency)
			continue
		case err != nil:
			f.add(pointer+"/quantity", tooLarge)
			continue
		}
		q.Subtotal = sum
		values[i] = value.AmountMinor
		q.Lines = append(q.Lines, Line{
			SKU: p.SKU, ProductID: p.ID, ProductVersion: p.Version, Name: p.Name, Quantity: item.Quantity, UnitPrice: p.Price,
		})
	}
	return values, f.err()
}

const tooLarge = "makes an amount that is too large"

// usable returns the discounts of the codes, or 422 that names each code that cannot be used. If all of them are used
// up it is ErrCodeUsedUp, else ErrCodeInvalid.
func usable(codes []string, terms Terms, subtotal money.Money, now time.Time) ([]Discount, error) {
	var broken []problem.FieldError
	answer := ErrCodeUsedUp
	discounts := make([]Discount, len(codes))
	for i, code := range codes {
		d, ok := terms.Discounts[code]
		faults := []error{UnknownCode(code)}
		if ok {
			faults = []error{d.Valid(now), d.fits(subtotal), d.Left(terms.Uses[code])}
		}
		for _, err := range faults {
			if fault, ok := errors.AsType[*CodeError](err); ok {
				if !errors.Is(fault, ErrCodeUsedUp) {
					answer = ErrCodeInvalid
				}
				broken = append(broken, problem.FieldError{Pointer: codePointer(i), Detail: fault.Detail})
				break
			}
		}
		discounts[i] = d
	}
	if len(broken) > 0 {
		return nil, answer.WithFields(broken...)
	}
	return discounts, nil
}

// discount returns the lines' values after the discounts. Percentages are added up, to at most all of it. Amounts are
// taken from what these leave, to at most all of it.
func discount(values []int64, discounts []Discount) []int64 {
	whole := big.NewRat(1, 1)
	part := new(big.Rat)
	amounts := new(big.Int)
	for _, d := range discounts {
		part.Add(part, d.Percent.fraction())
		if d.Amount != nil {
			amounts.Add(amounts, big.NewInt(d.Amount.AmountMinor))
		}
	}
	if part.Cmp(whole) > 0 {
		part = whole
	}
	left := new(big.Rat).Sub(whole, part)
	after := make([]int64, len(values))
	var sum int64
	for i, value := range values {
		after[i] = times(value, left)
		sum += after[i]
	}
	if amounts.Cmp(big.NewInt(sum)) < 0 {
		sum = amounts.Int64()
	}
	for i, share := range split(sum, after) {
		after[i] -= share
	}
	return after
}

// sum fills the sums of the lines and the total. It returns 422 if the total is too large.
func (q *Quote) sum() error {
	currency := q.Subtotal.Currency
	q.Discount, q.Tax = money.Money{Currency: currency}, money.Money{Currency: currency}
	for _, line := range q.Lines {
		q.Discount.AmountMinor += line.Discount.AmountMinor
		q.Tax.AmountMinor += line.Tax.AmountMinor // at most the subtotal, and so less than an int64 holds
	}
	goods := q.Subtotal.AmountMinor - q.Discount.AmountMinor
	total, err := money.New(goods+q.Tax.AmountMinor, currency)
	if err == nil {
		total, err = total.Add(q.Shipping)
	}
	if err != nil {
		return problem.Fields(problem.FieldError{Pointer: "/lines", Detail: "make a total that is too large"})
	}
	q.Total = total
	return nil
}
