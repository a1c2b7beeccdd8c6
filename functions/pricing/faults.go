package pricing

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/problem"
)

var (
	classPattern = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	codePattern  = regexp.MustCompile(`^[A-Z0-9][A-Z0-9_-]{2,31}$`)
	skuPattern   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
)

// faults collects the parts of a request that break a rule.
type faults struct {
	broken []problem.FieldError
}

func (f *faults) refuse(pointer, format string, args ...any) {
	f.add(pointer, fmt.Sprintf(format, args...))
}

// add notes a fault; an empty detail is none.
func (f *faults) add(pointer, detail string) {
	if detail != "" {
		f.broken = append(f.broken, problem.FieldError{Pointer: pointer, Detail: detail})
	}
}

// err returns 422 with all faults, and nil without any.
func (f *faults) err() error {
	if len(f.broken) == 0 {
		return nil
	}
	return problem.Fields(f.broken...)
}

func (f *faults) percent(pointer string, p Percent) {
	switch {
	case p == "":
		f.add(pointer, "is required")
	case !p.Valid():
		f.add(pointer, percentFault)
	}
}

// discountPercent refuses percentages that take nothing off, too.
func (f *faults) discountPercent(p Percent) {
	if !p.Valid() || p.fraction().Sign() == 0 {
		f.add("/percent", discountPercentFault)
	}
}

// amount refuses amounts that are negative or have no currency.
func (f *faults) amount(pointer string, m money.Money) {
	f.broken = append(f.broken, m.Validate(pointer)...)
	if m.AmountMinor < 0 {
		f.refuse(pointer+"/amount_minor", "must not be negative")
	}
}

// positive refuses amounts that are not more than 0.
func (f *faults) positive(pointer string, m money.Money) {
	f.amount(pointer, m)
	if m.AmountMinor == 0 {
		f.refuse(pointer+"/amount_minor", "must be more than 0")
	}
}

// given refuses a limit of uses that is 0; nil is absent.
func (f *faults) given(pointer string, n *int64) {
	if n != nil && *n == 0 {
		f.refuse(pointer, "must be 1 to %d", MaxUses)
	}
}

// uses refuses a limit of uses that is negative or too large; 0 is no limit.
func (f *faults) uses(pointer string, n int64) {
	if n < 0 || n > MaxUses {
		f.refuse(pointer, "must be 1 to %d", MaxUses)
	}
}

// items refuses lines that no catalogue could have.
func (f *faults) items(lines []Item) {
	if len(lines) == 0 || len(lines) > MaxLines {
		f.refuse("/lines", "must have 1 to %d entries", MaxLines)
		return
	}
	seen := map[string]bool{}
	for i, line := range lines {
		pointer := fmt.Sprintf("/lines/%d", i)
		switch {
		case line.SKU == "":
			f.add(pointer+"/sku", "is required")
		case !skuPattern.MatchString(line.SKU):
			f.add(pointer+"/sku", notForSale)
		case seen[line.SKU]:
			f.add(pointer+"/sku", "is given twice")
		}
		seen[line.SKU] = true
		if line.Quantity < 1 || line.Quantity > MaxQuantity {
			f.refuse(pointer+"/quantity", "must be 1 to %d", MaxQuantity)
		}
	}
}

// codes refuses discount codes that cannot exist.
func (f *faults) codes(codes []string) {
	if len(codes) > MaxCodes {
		f.refuse(pointerCodes, "must not have more than %d entries", MaxCodes)
		return
	}
	seen := map[string]bool{}
	for i, code := range codes {
		code = NormalCode(code)
		if seen[code] {
			f.add(codePointer(i), "is given twice")
		}
		seen[code] = true
	}
}

const pointerCodes = "/discount_codes"

func codePointer(i int) string { return fmt.Sprintf("%s/%d", pointerCodes, i) }

// NormalCode returns a discount code in capitals. Letters that a code does not have stay as they are, because some of
// them have one of A-Z as their capital.
func NormalCode(code string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, code)
}

// ValidCode reports whether a code in capitals has the form of one.
func ValidCode(code string) bool { return codePattern.MatchString(code) }
