package pricing

import (
	"math/big"
	"regexp"
)

// Percent is a decimal number from 0 to 100 with at most four digits after the point, such as "8.875". It is a text
// because binary floating point does not have such numbers.
type Percent string

const percentFault = "must be a decimal number from 0 to 100 as a string, with at most 4 digits after the point, such as 8.875"

var percentPattern = regexp.MustCompile(`^(100(\.0{1,4})?|[1-9]?[0-9](\.[0-9]{1,4})?)$`)

// Valid reports whether p is such a number.
func (p Percent) Valid() bool { return percentPattern.MatchString(string(p)) }

// fraction returns the number as a part of one: 1/8 for "12.5", and 0 for a text that is not valid.
func (p Percent) fraction() *big.Rat {
	if !p.Valid() {
		return new(big.Rat)
	}
	number, ok := new(big.Rat).SetString(string(p))
	if !ok {
		return new(big.Rat)
	}
	return number.Quo(number, big.NewRat(100, 1)) //nolint:mnd // per cent
}

// times returns part of an amount, rounded half to even: the nearest whole number, and the even one of two that are
// equally near. Amounts are not negative and fit into an int64, and part is from 0 to 1.
func times(amount int64, part *big.Rat) int64 {
	product := new(big.Rat).Mul(new(big.Rat).SetInt64(amount), part)
	quotient, remainder := new(big.Int).QuoRem(product.Num(), product.Denom(), new(big.Int))
	switch twice := remainder.Lsh(remainder, 1).Cmp(product.Denom()); {
	case twice > 0, twice == 0 && quotient.Bit(0) == 1:
		quotient.Add(quotient, big.NewInt(1))
	}
	return quotient.Int64()
}

// split divides amount among weights in proportion, to the minor unit: each gets the whole part of its share, and what
// is left goes by one to those with the largest remainders, the first of equal ones first. No part is greater than its
// weight if amount is not greater than their sum. Nothing is negative.
func split(amount int64, weights []int64) []int64 {
	sum := new(big.Int)
	for _, w := range weights {
		sum.Add(sum, big.NewInt(w))
	}
	parts := make([]int64, len(weights))
	if sum.Sign() == 0 {
		return parts
	}
	remainders := make([]*big.Int, len(weights))
	left := amount
	for i, w := range weights {
		share := new(big.Int).Mul(big.NewInt(amount), big.NewInt(w))
		share, remainders[i] = share.QuoRem(share, sum, new(big.Int))
		parts[i] = share.Int64()
		left -= parts[i]
	}
	for ; left > 0; left-- {
		largest := 0
		for i, r := range remainders {
			if r.Cmp(remainders[largest]) > 0 {
				largest = i
			}
		}
		parts[largest]++
		remainders[largest] = big.NewInt(-1)
	}
	return parts
}
