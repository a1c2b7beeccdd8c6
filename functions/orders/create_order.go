package orders

import (
	"context"
	"fmt"
	"net/http"
	"regexp"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/problem"
)

// Limits of a request for an order, which are those of a quote.
const (
	// MaxQuantity is the most pieces of a line.
	MaxQuantity = 10_000
	// MaxCodes is the most discount codes of an order.
	MaxCodes = 3
)

var skuPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

type orderCreator interface {
	Create(ctx context.Context, in NewOrder) (Order, error)
}

type createOrderRequest struct {
	QuoteID       *string         `json:"quote_id"`
	Lines         []Item          `json:"lines"`
	Codes         []string        `json:"discount_codes"`
	ShipTo        *policy.Address `json:"ship_to"`
	ExpectedTotal *money.Money    `json:"expected_total"`
}

// Validate implements api.Validator.
func (in createOrderRequest) Validate() []problem.FieldError {
	var r rules
	if in.QuoteID != nil {
		if _, ok := api.ULID(*in.QuoteID); !ok {
			r.refuse("/quote_id", "must be the id of a quote")
		}
		if in.Lines != nil {
			r.refuse(pointerLines, "must be absent with a quote, which has them")
		}
		if in.Codes != nil {
			r.refuse("/discount_codes", "must be absent with a quote, which has them")
		}
	} else {
		r.lines(in.Lines)
		r.codes(in.Codes)
		if in.ShipTo == nil {
			r.refuse(pointerShipTo, missing)
		}
	}
	if in.ShipTo != nil {
		r.broken = append(r.broken, in.ShipTo.Validate(pointerShipTo)...)
	}
	if in.ExpectedTotal != nil {
		r.broken = append(r.broken, in.ExpectedTotal.Validate("/expected_total")...)
		if in.ExpectedTotal.AmountMinor < 0 {
			r.refuse("/expected_total/amount_minor", "must not be negative")
		}
	}
	return r.broken
}

// Moot implements api.Alternatives: a quote has the lines and the address.
func (createOrderRequest) Moot(fault problem.FieldError, unread func(pointer string) bool) bool {
	return unread("/quote_id") && fault.Detail == missing && (fault.Pointer == pointerLines || fault.Pointer == pointerShipTo)
}

const (
	pointerLines  = "/lines"
	pointerShipTo = "/ship_to"
	missing       = "is required"
)

// CreateOrder makes an order of lines or of a quote and answers 201 with it and its Location. It holds the stock for
// HoldFor; the order expires unless a payment is authorised until then. The request needs an Idempotency-Key. It is 409
// out_of_stock with the line, and 409 price_changed with the new total.
func CreateOrder(orders orderCreator) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		in, err := api.Decode[createOrderRequest](r)
		if err != nil {
			return err
		}
		wanted := NewOrder{
			Customer: identity.MustUserID(r.Context()), Items: in.Lines, Codes: in.Codes, ShipTo: in.ShipTo, ExpectedTotal: in.ExpectedTotal,
		}
		if in.QuoteID != nil {
			wanted.QuoteID, _ = api.ULID(*in.QuoteID)
		}

		o, err := orders.Create(r.Context(), wanted)
		if err != nil {
			return err
		}

		w.Header().Set("Location", location(o.ID))
		return api.Write(w, http.StatusCreated, o)
	}
}

// rules collects the fields that break a rule.
type rules struct {
	broken []problem.FieldError
}

func (r *rules) refuse(pointer, format string, args ...any) {
	r.broken = append(r.broken, problem.FieldError{Pointer: pointer, Detail: fmt.Sprintf(format, args...)})
}

func (r *rules) lines(lines []Item) {
	if lines == nil {
		r.refuse(pointerLines, missing)
		return
	}
	if len(lines) == 0 || len(lines) > MaxLines {
		r.refuse(pointerLines, "must have 1 to %d entries", MaxLines)
		return
	}
	seen := map[string]bool{}
	for i, line := range lines {
		pointer := fmt.Sprintf("/lines/%d", i)
		switch {
		case !skuPattern.MatchString(line.SKU):
			r.refuse(pointer+"/sku", "must be the SKU of a product")
		case seen[line.SKU]:
			r.refuse(pointer+"/sku", "is given twice")
		}
		seen[line.SKU] = true
		if line.Quantity < 1 || line.Quantity > MaxQuantity {
			r.refuse(pointer+"/quantity", "must be 1 to %d", MaxQuantity)
		}
	}
}

// codes checks the number of codes. Package pricing checks the codes.
func (r *rules) codes(codes []string) {
	if len(codes) > MaxCodes {
		r.refuse("/discount_codes", "must not have more than %d entries", MaxCodes)
	}
}
