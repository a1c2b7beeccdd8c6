package orders

import (
	"context"
	"net/http"
	"slices"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/problem"
)

type orderCanceller interface {
	Cancel(ctx context.Context, id string, reader Reader, reason Reason) (Order, error)
}

type cancelOrderRequest struct {
	Reason *Reason `json:"reason"`
}

// Validate implements api.Validator.
func (in cancelOrderRequest) Validate() []problem.FieldError {
	if in.Reason != nil && !slices.Contains(Reasons(), *in.Reason) {
		return []problem.FieldError{{Pointer: "/reason", Detail: "must be one of the reasons"}}
	}
	return nil
}

// cancellerOf returns the caller of a request. Of the staff only support cancels orders of customers.
func cancellerOf(r *http.Request) Reader {
	return callerWith(r, policy.RoleSupport)
}

// cancelledStatus returns the status of the answer to a cancellation: 202 as long as money has to go back, or the outcome of
// a payment is not known.
func (o Order) cancelledStatus() int {
	if o.PaymentStatus.Open() || o.PaymentStatus.Funded() {
		return http.StatusAccepted
	}
	return http.StatusOK
}

// CancelOrder ends an order of which nothing is shipped and answers with it: 200, or 202 if money has still to go back. It
// is 409 invalid_transition for another order. The stock is available again. The request needs an Idempotency-Key.
func CancelOrder(orders orderCanceller) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		in, err := api.Decode[cancelOrderRequest](r)
		if err != nil {
			return err
		}
		reason := ReasonCustomer
		if in.Reason != nil {
			reason = *in.Reason
		}

		o, err := orders.Cancel(r.Context(), r.PathValue("id"), cancellerOf(r), reason)
		if err != nil {
			return err
		}
		return api.Write(w, o.cancelledStatus(), o)
	}
}
