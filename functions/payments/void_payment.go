package payments

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
)

type voider interface {
	Void(ctx context.Context, id string) (p Payment, ended bool, err error)
}

// VoidPayment releases what an authorised payment holds. It needs no body. It answers 200 with the payment, and 202 if the
// provider's answer was lost.
func VoidPayment(payments voider) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		p, ended, err := payments.Void(r.Context(), r.PathValue("id"))
		if err != nil {
			return err
		}
		return api.Write(w, operatedStatus(ended), p)
	}
}
