//go:build openapi

package pricing

import (
	"net/http"
	"strconv"

	"github.com/tienda-dev/tienda/internal/openapi"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/page"
	"github.com/tienda-dev/tienda/shared/problem"
)

// OpenAPI describes the prices for the API's document.
func OpenAPI() openapi.Resource {
	return openapi.Resource{
		Name:        "pricing",
		Description: "What things cost: quotes, discounts, and the rules of tax and shipping.",
		Schemas:     schemas(),
		Operations: []openapi.Operation{
			{
				Route: CreateQuoteRoute, Summary: "Ask what products cost, sent to an address",
				Description: "The quote can be ordered for " + strconv.Itoa(int(QuoteLife.Minutes())) + " minutes. " +
					"All lines have prices in one currency. Discounts in percent are added up and taken from each line; amounts are taken from what is left, " +
					"divided among the lines in proportion. Tax is for each line after its discount. Amounts are rounded half to even, once per line.",
				Body: createQuoteRequest{},
				Responses: []openapi.Response{{
					Status: http.StatusCreated, Description: "The quote.", Body: Quote{}, Example: true, Headers: []openapi.ResponseHeader{openapi.Location()},
				}},
				Problems: []*problem.Error{ErrCodeInvalid, ErrCodeUsedUp},
			},
			{
				Route: GetQuoteRoute, Summary: "Read a quote",
				Description: "The caller's own. Staff that helps customers reads all.",
				Parameters:  []openapi.Parameter{openapi.PathID("id", "The quote's id.")},
				Responses:   []openapi.Response{{Status: http.StatusOK, Description: "The quote.", Body: Quote{}, Example: true}},
				Problems:    []*problem.Error{ErrQuoteNotFound, ErrQuoteExpired},
			},
			{
				Route: GetPricingRulesRoute, Summary: "Read the rules of tax and shipping",
				Responses: []openapi.Response{{
					Status: http.StatusOK, Description: "The rules.", Body: Rules{}, Example: true, Headers: []openapi.ResponseHeader{openapi.ETag()},
				}},
			},
			{
				Route: PutPricingRulesRoute, Summary: "Replace the rules of tax and shipping",
				Description: `The first rules replace the version "0". A change is for new quotes and orders.`,
				Parameters:  []openapi.Parameter{openapi.IfMatch(true)}, Body: putPricingRulesRequest{},
				Responses: []openapi.Response{{
					Status: http.StatusOK, Description: "The new rules.", Body: Rules{}, Example: true, Headers: []openapi.ResponseHeader{openapi.ETag()},
				}},
				Problems: []*problem.Error{ErrStale},
			},
			{
				Route: CreateDiscountRoute, Summary: "Create a discount",
				Description: "It has either percent or amount.",
				Body:        createDiscountRequest{},
				Responses: []openapi.Response{{
					Status: http.StatusCreated, Description: "The discount.", Body: Discount{}, Example: true,
					Headers: []openapi.ResponseHeader{openapi.Location(), openapi.ETag()},
				}},
				Problems: []*problem.Error{ErrCodeExists},
			},
			{
				Route: ListDiscountsRoute, Summary: "List the discounts, newest first", Parameters: openapi.PageParameters(),
				Responses: []openapi.Response{{Status: http.StatusOK, Description: "A page of discounts.", Body: page.Page[Discount]{}, Example: true}},
				Problems:  []*problem.Error{page.ErrInvalidCursor},
			},
			{
				Route: GetDiscountRoute, Summary: "Read a discount", Parameters: []openapi.Parameter{codeParameter()},
				Responses: []openapi.Response{{
					Status: http.StatusOK, Description: "The discount.", Body: Discount{}, Example: true, Headers: []openapi.ResponseHeader{openapi.ETag()},
				}},
				Problems: []*problem.Error{ErrDiscountNotFound},
			},
			{
				Route: UpdateDiscountRoute, Summary: "Change a discount",
				Description: "A merge patch (RFC 7396). Null removes a member. The result has either percent or amount.",
				Parameters:  []openapi.Parameter{codeParameter(), openapi.IfMatch(true)},
				Body:        updateDiscountRequest{}, BodyType: api.ContentTypeMergePatch,
				Responses: []openapi.Response{{
					Status: http.StatusOK, Description: "The changed discount.", Body: Discount{}, Example: true, Headers: []openapi.ResponseHeader{openapi.ETag()},
				}},
				Problems: []*problem.Error{ErrDiscountNotFound, ErrStale},
			},
			{
				Route: DeleteDiscountRoute, Summary: "Delete a discount",
				Description: "Orders that used it keep their discount. Its code is never free again.",
				Parameters:  []openapi.Parameter{codeParameter(), openapi.IfMatch(true)},
				Responses:   []openapi.Response{{Status: http.StatusNoContent, Description: "The discount is deleted."}},
				Problems:    []*problem.Error{ErrDiscountNotFound, ErrStale},
			},
		},
	}
}

func codeParameter() openapi.Parameter {
	return openapi.Parameter{
		In: openapi.Path, Name: "code", Description: "The discount's code, in any letter case.",
		Rules: openapi.Rules{Pattern: `^[A-Za-z0-9][A-Za-z0-9_-]{2,31}$`}, Example: "SPRING-10",
	}
}

func percentRules() openapi.Rules { return openapi.Rules{Pattern: percentPattern.String()} }

func nullable(rules openapi.Rules) openapi.Rules {
	rules.Nullable = true
	return rules
}

func schemas() []openapi.Schema {
	sku := openapi.Rules{Pattern: skuPattern.String()}
	quantity := openapi.Between(1, MaxQuantity)
	code := openapi.Rules{Pattern: codePattern.String()}
	anyCase := codeParameter().Rules
	country := openapi.Country()
	class := openapi.Rules{MaxLength: maxTaxClass, Pattern: classPattern.String()}
	uses := openapi.Between(1, MaxUses)
	percent, time := nullable(percentRules()), openapi.Rules{Nullable: true}
	return []openapi.Schema{
		{Name: "Quote", Value: Quote{}, Members: map[string]openapi.Rules{
			"id": openapi.ULID(), "lines": {MinItems: 1, MaxItems: MaxLines}, "discount_codes": {MaxItems: MaxCodes, Items: &code},
		}},
		{Name: "QuoteLine", Value: Line{}, Members: map[string]openapi.Rules{
			"sku": sku, "product_id": openapi.ULID(), "quantity": quantity,
		}},
		{
			Name: "CreateQuote", Value: createQuoteRequest{}, Required: []string{"lines", "ship_to"},
			Members: map[string]openapi.Rules{
				"lines":          {MinItems: 1, MaxItems: MaxLines},
				"discount_codes": nullable(openapi.Rules{MaxItems: MaxCodes, Items: &anyCase}),
			},
		},
		{
			Name: "QuoteItem", Value: Item{}, Required: []string{"sku", "quantity"},
			Members: map[string]openapi.Rules{"sku": sku, "quantity": quantity},
		},
		{Name: "PricingRules", Value: Rules{}, Members: map[string]openapi.Rules{
			"tax": {MaxItems: MaxTaxRates}, "shipping": {MaxItems: MaxShippingRates}, "version": openapi.AtLeast(0),
		}},
		{
			Name: "PutPricingRules", Value: putPricingRulesRequest{}, Required: []string{"tax", "shipping"},
			Members: map[string]openapi.Rules{"tax": {MaxItems: MaxTaxRates}, "shipping": {MaxItems: MaxShippingRates}},
		},
		{
			Name: "TaxRate", Value: TaxRate{}, Required: []string{"country", "class", "percent"},
			Members: map[string]openapi.Rules{"country": country, "class": class, "percent": percentRules()},
		},
		{
			Name: "ShippingRate", Value: ShippingRate{}, Required: []string{"bands"},
			Members: map[string]openapi.Rules{
				"countries": nullable(openapi.Rules{MaxItems: len(policy.Countries()), Items: &country}), "bands": {MinItems: 1, MaxItems: MaxBands},
			},
		},
		{Name: "ShippingBand", Value: Band{}, Required: []string{"from", "price"}},
		{Name: "Discount", Value: Discount{}, Members: map[string]openapi.Rules{
			"code": code, "percent": percentRules(), "max_uses": uses, "max_uses_per_customer": uses, "uses": openapi.AtLeast(0), "version": openapi.AtLeast(1),
		}},
		{Name: "DiscountPage", Value: page.Page[Discount]{}, Members: map[string]openapi.Rules{"data": {MaxItems: page.MaxLimit}}},
		{
			Name: "CreateDiscount", Value: createDiscountRequest{}, Required: []string{"code"},
			Members: map[string]openapi.Rules{
				"code": anyCase, "percent": percent, "amount": {Nullable: true}, "minimum": {Nullable: true}, "starts_at": time, "ends_at": time,
				"max_uses": nullable(uses), "max_uses_per_customer": nullable(uses),
			},
		},
		{
			Name: "UpdateDiscount", Value: updateDiscountRequest{}, Required: []string{},
			Members: map[string]openapi.Rules{
				"percent": percent, "amount": {Nullable: true}, "minimum": {Nullable: true}, "starts_at": time, "ends_at": time,
				"max_uses": nullable(uses), "max_uses_per_customer": nullable(uses),
			},
		},
		{
			Name: "UpdateAmount", Value: amountPatch{}, Required: []string{},
			Members: map[string]openapi.Rules{"amount_minor": openapi.Between(0, money.MaxAmount), "currency": openapi.Currency()},
		},
	}
}
