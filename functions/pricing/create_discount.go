package pricing

import (
	"context"
	"net/http"
	"net/url"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/problem"
)

type discountCreator interface {
	CreateDiscount(ctx context.Context, d Discount) (Discount, error)
}

type createDiscountRequest struct {
	Code               *string      `json:"code"`
	Percent            *Percent     `json:"percent"`
	Amount             *money.Money `json:"amount"`
	Minimum            *money.Money `json:"minimum"`
	StartsAt           *api.Time    `json:"starts_at"`
	EndsAt             *api.Time    `json:"ends_at"`
	MaxUses            *int64       `json:"max_uses"`
	MaxUsesPerCustomer *int64       `json:"max_uses_per_customer"`
}

// Validate implements api.Validator.
func (in createDiscountRequest) Validate() []problem.FieldError {
	var f faults
	switch {
	case in.Code == nil:
		f.add("/code", "is required")
	case !ValidCode(NormalCode(*in.Code)):
		f.add("/code", "must be 3 to 32 characters of A-Z 0-9 _ - and start with a letter or digit")
	}
	switch {
	case in.Percent == nil && in.Amount == nil:
		f.broken = append(f.broken, valueMissing())
	case in.Percent != nil && *in.Percent == "":
		f.discountPercent(*in.Percent)
	}
	f.given("/max_uses", in.MaxUses)
	f.given("/max_uses_per_customer", in.MaxUsesPerCustomer)
	in.discount().checkTerms(&f)
	return f.broken
}

// Moot implements api.Alternatives: an amount was given.
func (createDiscountRequest) Moot(fault problem.FieldError, unread func(pointer string) bool) bool {
	return unread("/amount") && fault == valueMissing()
}

func (in createDiscountRequest) discount() Discount {
	return Discount{
		Code: value(in.Code), Percent: value(in.Percent), Amount: in.Amount, Minimum: in.Minimum,
		StartsAt: in.StartsAt, EndsAt: in.EndsAt, MaxUses: value(in.MaxUses), MaxUsesPerCustomer: value(in.MaxUsesPerCustomer),
	}
}

// value returns what p points to, or the zero value.
func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// CreateDiscount answers 201 with the discount, its Location and ETag; 409 when there is or was one with the code. The
// request needs an Idempotency-Key.
func CreateDiscount(discounts discountCreator) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		in, err := api.Decode[createDiscountRequest](r)
		if err != nil {
			return err
		}
		d, err := discounts.CreateDiscount(r.Context(), in.discount())
		if err != nil {
			return err
		}
		w.Header().Set(headerLocation, d.location())
		w.Header().Set(headerETag, api.ETag(d.Version))
		return api.Write(w, http.StatusCreated, d)
	}
}

// location is relative to the request's URL (RFC 9110 section 10.2.2), which may have a stage or a mapping key.
func (d Discount) location() string { return "discounts/" + url.PathEscape(d.Code) }
