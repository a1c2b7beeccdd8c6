package pricing

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/problem"
)

type discountUpdater interface {
	UpdateDiscount(ctx context.Context, code string, matches func(version int64) bool, change func(Discount) Discount) (Discount, error)
}

// updateDiscountRequest is a merge patch (RFC 7396). Null removes a member. The result must have either percent or
// amount.
type updateDiscountRequest struct {
	Percent            api.PatchField[Percent]     `json:"percent"`
	Amount             api.PatchField[amountPatch] `json:"amount"`
	Minimum            api.PatchField[amountPatch] `json:"minimum"`
	StartsAt           api.PatchField[api.Time]    `json:"starts_at"`
	EndsAt             api.PatchField[api.Time]    `json:"ends_at"`
	MaxUses            api.PatchField[int64]       `json:"max_uses"`
	MaxUsesPerCustomer api.PatchField[int64]       `json:"max_uses_per_customer"`
}

type amountPatch struct {
	AmountMinor api.PatchField[int64]  `json:"amount_minor"`
	Currency    api.PatchField[string] `json:"currency"`
}

// Validate implements api.Validator. The service checks the result of the patch.
func (in updateDiscountRequest) Validate() []problem.FieldError {
	var f faults
	if in.Percent.Set && !in.Percent.Null && in.Percent.Value == "" {
		f.discountPercent(in.Percent.Value)
	}
	in.Amount.Value.validate(&f, "/amount")
	in.Minimum.Value.validate(&f, "/minimum")
	for _, limit := range []struct {
		pointer string
		field   api.PatchField[int64]
	}{{"/max_uses", in.MaxUses}, {"/max_uses_per_customer", in.MaxUsesPerCustomer}} {
		if limit.field.Set && !limit.field.Null {
			f.given(limit.pointer, &limit.field.Value)
			f.uses(limit.pointer, limit.field.Value)
		}
	}
	return f.broken
}

func (p amountPatch) validate(f *faults, pointer string) {
	if p.AmountMinor.Null {
		f.add(pointer+"/amount_minor", "must not be null")
	}
	if p.Currency.Null {
		f.add(pointer+"/currency", "must not be null")
	}
}

// apply returns the patched discount.
func (in updateDiscountRequest) apply(d Discount) Discount {
	in.Percent.Apply(&d.Percent)
	d.Amount = applyAmount(d.Amount, in.Amount)
	d.Minimum = applyAmount(d.Minimum, in.Minimum)
	d.StartsAt = applyTime(d.StartsAt, in.StartsAt)
	d.EndsAt = applyTime(d.EndsAt, in.EndsAt)
	in.MaxUses.Apply(&d.MaxUses)
	in.MaxUsesPerCustomer.Apply(&d.MaxUsesPerCustomer)
	return d
}

func applyAmount(old *money.Money, patch api.PatchField[amountPatch]) *money.Money {
	switch {
	case patch.Null:
		return nil
	case !patch.Set:
		return old
	}
	var amount money.Money
	if old != nil {
		amount = *old
	}
	patch.Value.AmountMinor.Apply(&amount.AmountMinor)
	patch.Value.Currency.Apply(&amount.Currency)
	return &amount
}

func applyTime(old *api.Time, patch api.PatchField[api.Time]) *api.Time {
	switch {
	case patch.Null:
		return nil
	case !patch.Set:
		return old
	default:
		return &patch.Value
	}
}

// UpdateDiscount applies a merge patch to a version that If-Match names and answers 200 with the discount and its new
// ETag; 428 without If-Match, 412 when the discount has changed.
func UpdateDiscount(discounts discountUpdater) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		matches, err := api.IfMatch(r)
		if err != nil {
			return err
		}
		in, err := api.Decode[updateDiscountRequest](r)
		if err != nil {
			return err
		}
		d, err := discounts.UpdateDiscount(r.Context(), r.PathValue("code"), matches, in.apply)
		if err != nil {
			return err
		}
		w.Header().Set(headerETag, api.ETag(d.Version))
		return api.Write(w, http.StatusOK, d)
	}
}
