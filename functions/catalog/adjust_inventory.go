package catalog

import (
	"context"
	"net/http"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/problem"
)

type inventoryAdjuster interface {
	Adjust(ctx context.Context, productID string, delta int64, reason string) (Adjustment, error)
}

type adjustInventoryRequest struct {
	Delta  *int64  `json:"delta"`
	Reason *string `json:"reason"`
}

// Validate implements api.Validator.
func (in adjustInventoryRequest) Validate() []problem.FieldError {
	var r rules
	if r.given("/delta", in.Delta != nil) && (*in.Delta == 0 || *in.Delta > MaxDelta || *in.Delta < -MaxDelta) {
		r.refuse("/delta", "must be -%d to %d and not 0", MaxDelta, MaxDelta)
	}
	if r.given("/reason", in.Reason != nil) {
		r.line("/reason", *in.Reason, MaxReason)
	}
	return r.broken
}

// AdjustInventory moves stock by delta pieces and answers 201 with the ledger entry. The request needs an idempotency key:
// a repeated request counts once. It is 409 when the stock would become negative.
func AdjustInventory(stock inventoryAdjuster) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		in, err := api.Decode[adjustInventoryRequest](r)
		if err != nil {
			return err
		}
		a, err := stock.Adjust(r.Context(), r.PathValue("id"), *in.Delta, *in.Reason)
		if err != nil {
			return err
		}
		return api.Write(w, http.StatusCreated, a)
	}
}
