package pricing

import (
	"time"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/problem"
)

// MaxUses is the largest limit of a code's uses.
const MaxUses = 1_000_000_000

// Discount is a code that makes an order cheaper: by a part of each line, or by an amount that is divided among the
// lines.
type Discount struct {
	// Code is in capitals: 3 to 32 characters of A-Z 0-9 _ -. Requests may have it in any letter case.
	Code string `json:"code"`
	// Percent is the part of each line; absent if Amount is given.
	Percent Percent `json:"percent,omitempty"`
	// Amount is the value of the code, for orders in its currency; absent if Percent is given.
	Amount *money.Money `json:"amount,omitempty"`
	// Minimum is the least subtotal; absent for none. The code is for orders in its currency.
	Minimum *money.Money `json:"minimum,omitempty"`
	// StartsAt is when the code begins to be valid; absent for no beginning.
	StartsAt *api.Time `json:"starts_at,omitempty"`
	// EndsAt is when the code is no longer valid; absent for no end.
	EndsAt *api.Time `json:"ends_at,omitempty"`
	// MaxUses is how many orders may use the code in all; absent for no limit.
	MaxUses int64 `json:"max_uses,omitempty"`
	// MaxUsesPerCustomer is how many orders of each customer may use the code; absent for no limit.
	MaxUsesPerCustomer int64 `json:"max_uses_per_customer,omitempty"`
	// Uses is how many orders use the code. It moves without a new version.
	Uses int64 `json:"uses"`
	// Version is the number of changes, from 1: the entity tag.
	Version   int64    `json:"version"`
	CreatedAt api.Time `json:"created_at"`
	UpdatedAt api.Time `json:"updated_at"`
}

// valueMissing is the fault of a discount that has neither a percentage nor an amount.
func valueMissing() problem.FieldError {
	return problem.FieldError{Pointer: "/percent", Detail: "is required, or else amount"}
}

const discountPercentFault = "must be a decimal number above 0 and up to 100 as a string, with at most 4 digits after the point, such as 8.875"

// check refuses what a discount must not have.
func (d Discount) check(f *faults) {
	if d.Percent == "" && d.Amount == nil {
		f.broken = append(f.broken, valueMissing())
	}
	d.checkTerms(f)
}

// checkTerms refuses what the terms of a discount must not have, and allows it to have none.
func (d Discount) checkTerms(f *faults) {
	if d.Percent != "" {
		if d.Amount != nil {
			f.add("/amount", "must not be given together with percent")
		}
		f.discountPercent(d.Percent)
	}
	if d.Amount != nil {
		f.positive("/amount", *d.Amount)
	}
	if d.Minimum != nil {
		f.amount("/minimum", *d.Minimum)
		if d.Amount != nil && d.Amount.Currency != d.Minimum.Currency {
			f.add("/minimum/currency", "must be the amount's")
		}
	}
	if d.StartsAt != nil && d.EndsAt != nil && !d.EndsAt.After(d.StartsAt.Time) {
		f.add("/ends_at", "must be after starts_at")
	}
	f.uses("/max_uses", d.MaxUses)
	f.uses("/max_uses_per_customer", d.MaxUsesPerCustomer)
}

// Valid returns nil while the code is valid, and else the CodeError of ErrCodeInvalid.
func (d Discount) Valid(now time.Time) error {
	switch {
	case d.StartsAt != nil && now.Before(d.StartsAt.Time):
		return d.invalid("is not valid yet")
	case d.EndsAt != nil && !now.Before(d.EndsAt.Time):
		return d.invalid("has expired")
	default:
		return nil
	}
}

// invalid returns the CodeError of ErrCodeInvalid.
func (d Discount) invalid(detail string) error { return &CodeError{d.Code, detail, ErrCodeInvalid} }

// Left returns nil if one more order of a customer may use the code, and else UsedUp. uses are the customer's.
func (d Discount) Left(uses int64) error {
	if d.MaxUses > 0 && d.Uses >= d.MaxUses {
		return UsedUp(d.Code)
	}
	if d.MaxUsesPerCustomer > 0 && uses >= d.MaxUsesPerCustomer {
		return UsedUp(d.Code)
	}
	return nil
}

// fits returns nil if the code is for an order with the subtotal, and else the CodeError of ErrCodeInvalid.
func (d Discount) fits(subtotal money.Money) error {
	for _, m := range []*money.Money{d.Amount, d.Minimum} {
		if m != nil && m.Currency != subtotal.Currency {
			return d.invalid("is for orders in " + m.Currency)
		}
	}
	if d.Minimum != nil && subtotal.AmountMinor < d.Minimum.AmountMinor {
		return d.invalid("is for orders of at least " + d.Minimum.String())
	}
	return nil
}
