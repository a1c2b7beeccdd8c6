package shipments

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/problem"
)

type shipmentCreator interface {
	Create(ctx context.Context, orderID string, lines []Line, carrier string) (Shipment, error)
}

type lineRequest struct {
	SKU      *string `json:"sku"`
	Quantity *int64  `json:"quantity"`
}

type createShipmentRequest struct {
	// Lines are the pieces of the parcel. Without them it has all pieces that are left.
	Lines *[]lineRequest `json:"lines"`
	// Carrier is the name of the company that carries the parcel.
	Carrier *string `json:"carrier"`
}

// Validate implements api.Validator.
func (in createShipmentRequest) Validate() []problem.FieldError {
	var r rules
	if in.Lines != nil {
		r.lines(*in.Lines)
	}
	if r.given("/carrier", in.Carrier != nil) {
		r.carrier(*in.Carrier)
	}
	return r.broken
}

func (in createShipmentRequest) lines() []Line {
	if in.Lines == nil {
		return nil
	}
	lines := make([]Line, len(*in.Lines))
	for i, l := range *in.Lines {
		lines[i] = Line{SKU: *l.SKU, Quantity: *l.Quantity}
	}
	return lines
}

// CreateShipment puts a part of an order, or all that is left of it, into a parcel and answers 201 with the shipment.
// It is 409 not_paid or invalid_transition where the order is not to be shipped, and 422 over_ship for more than is left.
func CreateShipment(shipments shipmentCreator) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		in, err := api.Decode[createShipmentRequest](r)
		if err != nil {
			return err
		}

		s, err := shipments.Create(r.Context(), r.PathValue("id"), in.lines(), *in.Carrier)
		if err != nil {
			return err
		}

		w.Header().Set("Location", location(s))
		return api.Write(w, http.StatusCreated, s)
	}
}

// location returns the shipment's URL, relative to that of the order's shipments.
func location(s Shipment) string { return "../../shipments/" + s.ID }
