package payments

import (
	"context"
	"net/http"
	"regexp"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/problem"
)

type payer interface {
	Pay(ctx context.Context, r Request) (Payment, error)
}

// methodPattern is what tokens of payment methods look like.
var methodPattern = regexp.MustCompile(`^pm_[A-Za-z0-9_]{1,120}$`)

type createPaymentRequest struct {
	PaymentMethod *string  `json:"payment_method"`
	Capture       *Capture `json:"capture"`
}

// Validate implements api.Validator.
func (in createPaymentRequest) Validate() []problem.FieldError {
	var broken []problem.FieldError
	switch {
	case in.PaymentMethod == nil:
		broken = append(broken, problem.FieldError{Pointer: "/payment_method", Detail: "is required"})
	case HasCardNumber(*in.PaymentMethod):
		broken = append(broken, refuseCard("/payment_method", *in.PaymentMethod)...)
	case !methodPattern.MatchString(*in.PaymentMethod):
		broken = append(broken, problem.FieldError{Pointer: "/payment_method", Detail: "must be a token of the payment provider, such as pm_card_visa"})
	}
	if in.Capture != nil && *in.Capture != Automatic && *in.Capture != Manual {
		broken = append(broken, problem.FieldError{Pointer: "/capture", Detail: "must be automatic or manual"})
	}
	return broken
}

// CreatePayment authorises the total of the caller's order and answers 201 with the payment and its Location. It is 202 if
// the provider's answer was lost: the payment is then unknown, and GET shows its outcome later. It is 402 if the payment
// is declined.
func CreatePayment(payments payer) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		in, err := api.Decode[createPaymentRequest](r)
		if err != nil {
			return err
		}
		capture := Automatic
		if in.Capture != nil {
			capture = *in.Capture
		}
		p, err := payments.Pay(r.Context(), Request{
			Customer: identity.MustUserID(r.Context()), OrderID: r.PathValue("id"), Method: *in.PaymentMethod, Capture: capture,
		})
		if err != nil {
			return err
		}
		w.Header().Set("Location", p.location())
		return api.Write(w, p.createdStatus(), p)
	}
}
