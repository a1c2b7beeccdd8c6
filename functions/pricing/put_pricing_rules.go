package pricing

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/problem"
)

type rulesPutter interface {
	PutRules(ctx context.Context, matches func(version int64) bool, after Rules) (Rules, error)
}

type putPricingRulesRequest struct {
	Tax      *[]TaxRate      `json:"tax"`
	Shipping *[]ShippingRate `json:"shipping"`
}

// Validate implements api.Validator.
func (in putPricingRulesRequest) Validate() []problem.FieldError {
	var f faults
	if in.Tax == nil {
		f.add("/tax", "is required")
	}
	if in.Shipping == nil {
		f.add("/shipping", "is required")
	}
	in.rules().check(&f)
	return f.broken
}

func (in putPricingRulesRequest) rules() Rules {
	var rules Rules
	if in.Tax != nil {
		rules.Tax = *in.Tax
	}
	if in.Shipping != nil {
		rules.Shipping = *in.Shipping
	}
	return rules
}

// PutPricingRules replaces the version of the rules that If-Match names and answers 200 with the new ones and their
// ETag; 428 without If-Match, 412 when the rules have changed.
func PutPricingRules(rules rulesPutter) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		matches, err := api.IfMatch(r)
		if err != nil {
			return err
		}
		in, err := api.Decode[putPricingRulesRequest](r)
		if err != nil {
			return err
		}
		stored, err := rules.PutRules(r.Context(), matches, in.rules())
		if err != nil {
			return err
		}
		return writeRules(w, stored)
	}
}
