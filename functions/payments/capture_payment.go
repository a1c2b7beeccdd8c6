package payments

import (
	"context"
	"fmt"
	"net/http"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/problem"
)

type taker interface {
	Take(ctx context.Context, id string, amount *money.Money) (p Payment, ended bool, err error)
}

type capturePaymentRequest struct {
	// Amount is nil for everything that can be captured.
	Amount *money.Money `json:"amount"`
}

// Validate implements api.Validator.
func (in capturePaymentRequest) Validate() []problem.FieldError {
	if in.Amount == nil {
		return nil
	}
	return payable("/amount", *in.Amount)
}

// payable returns the faults of an amount that is to be moved: it must be greater than zero, and one that providers take.
func payable(pointer string, m money.Money) []problem.FieldError {
	broken := m.Validate(pointer)
	if m.AmountMinor <= 0 {
		broken = append(broken, problem.FieldError{Pointer: pointer + "/amount_minor", Detail: "must be greater than 0"})
	}
	if unit := policy.PayableUnit(m.Currency); broken == nil && m.AmountMinor%unit != 0 {
		broken = append(broken, problem.FieldError{
			Pointer: pointer + "/amount_minor", Detail: fmt.Sprintf("must be a multiple of %d in %s", unit, m.Currency),
		})
	}
	return broken
}

// CapturePayment takes authorised money: the amount of the body, or everything. It answers 200 with the payment, and 202 if
// the provider's answer was lost.
func CapturePayment(payments taker) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		in, err := api.Decode[capturePaymentRequest](r)
		if err != nil {
			return err
		}
		p, ended, err := payments.Take(r.Context(), r.PathValue("id"), in.Amount)
		if err != nil {
			return err
		}
		return api.Write(w, operatedStatus(ended), p)
	}
}
