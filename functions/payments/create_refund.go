package payments

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/problem"
)

// MaxReason is the longest reason of a refund in characters.
const MaxReason = 200

type returner interface {
	Return(ctx context.Context, id string, amount money.Money, reason string) (Refund, error)
}

type createRefundRequest struct {
	Amount *money.Money `json:"amount"`
	Reason *string      `json:"reason"`
}

// Validate implements api.Validator.
func (in createRefundRequest) Validate() []problem.FieldError {
	var broken []problem.FieldError
	if in.Amount == nil {
		broken = append(broken, problem.FieldError{Pointer: "/amount", Detail: "is required"})
	} else {
		broken = append(broken, payable("/amount", *in.Amount)...)
	}
	if in.Reason == nil {
		return append(broken, problem.FieldError{Pointer: "/reason", Detail: "is required"})
	}
	if fault := policy.NameFault(*in.Reason, MaxReason); fault != "" {
		broken = append(broken, problem.FieldError{Pointer: "/reason", Detail: fault})
	}
	return append(broken, refuseCard("/reason", *in.Reason)...)
}

// CreateRefund gives captured money back and answers 201 with the refund. It is 202 if the provider has not decided yet.
func CreateRefund(payments returner) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		in, err := api.Decode[createRefundRequest](r)
		if err != nil {
			return err
		}
		refund, err := payments.Return(r.Context(), r.PathValue("id"), *in.Amount, *in.Reason)
		if err != nil {
			return err
		}
		w.Header().Set("Location", refund.location())
		return api.Write(w, refund.createdStatus(), refund)
	}
}
