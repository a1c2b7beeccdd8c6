package pricing

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/problem"
)

type quoteCreator interface {
	CreateQuote(ctx context.Context, req Request) (Quote, error)
}

type createQuoteRequest struct {
	Lines  []Item         `json:"lines"`
	Codes  []string       `json:"discount_codes"`
	ShipTo policy.Address `json:"ship_to"`
}

// Validate implements api.Validator.
func (in createQuoteRequest) Validate() []problem.FieldError {
	return Request{Lines: in.Lines, Codes: in.Codes, ShipTo: in.ShipTo}.faults().broken
}

// CreateQuote answers 201 with a quote, valid for QuoteLife, and its Location; 422 names each line, code and part of
// the address that cannot be priced. The request may have an Idempotency-Key.
func CreateQuote(quotes quoteCreator) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		in, err := api.Decode[createQuoteRequest](r)
		if err != nil {
			return err
		}

		q, err := quotes.CreateQuote(r.Context(), Request{
			Customer: identity.MustUserID(r.Context()), Lines: in.Lines, Codes: in.Codes, ShipTo: in.ShipTo,
		})
		if err != nil {
			return err
		}

		w.Header().Set(headerLocation, q.location())
		return api.Write(w, http.StatusCreated, q)
	}
}

// location is relative to the request's URL (RFC 9110 section 10.2.2), which may have a stage or a mapping key.
func (q Quote) location() string { return "quotes/" + q.ID }
