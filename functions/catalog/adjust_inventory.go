package catalog

import (
	"context"
	"net/http"
	"strings"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/problem"
)

const (
	// HeaderIdempotencyKey makes a repeated request recognisable
	// (draft-ietf-httpapi-idempotency-key-header-07).
	HeaderIdempotencyKey = "Idempotency-Key"
	// HeaderIdempotentReplayed is "true" if the request was carried out before.
	HeaderIdempotentReplayed = "Idempotent-Replayed"

	maxIdempotencyKey = 255
)

type inventoryAdjuster interface {
	Adjust(ctx context.Context, productID string, key AdjustmentKey, delta int64, reason string) (Adjustment, bool, error)
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

// AdjustInventory moves stock by delta pieces and answers 201 with the ledger entry. The request
// needs an Idempotency-Key: a repeated request counts once and gets the same answer, with
// Idempotent-Replayed; the same key with another body is 422. It is 409 when the stock would
// become negative.
func AdjustInventory(stock inventoryAdjuster) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		key, err := idempotencyKey(r)
		if err != nil {
			return err
		}
		in, err := api.Decode[adjustInventoryRequest](r)
		if err != nil {
			return err
		}

		owner := AdjustmentKey{Principal: identity.MustUserID(r.Context()), Key: key}
		a, replayed, err := stock.Adjust(r.Context(), r.PathValue("id"), owner, *in.Delta, *in.Reason)
		if err != nil {
			return err
		}

		if replayed {
			w.Header().Set(HeaderIdempotentReplayed, "true")
		}
		return api.Write(w, http.StatusCreated, a)
	}
}

func errKeyRequired() *problem.Error {
	return problem.New(problem.BadRequest, "idempotency_key_required", "Send an Idempotency-Key header with a value of your own choice.").
		WithFields(problem.FieldError{Pointer: HeaderIdempotencyKey, Detail: "is required"})
}

// idempotencyKey returns the request's key: 1 to 255 visible ASCII characters, bare or as the
// quoted string of the draft.
func idempotencyKey(r *http.Request) (string, error) {
	values := r.Header.Values(HeaderIdempotencyKey)
	if len(values) == 0 {
		return "", errKeyRequired()
	}
	key := values[0]
	if inner, ok := strings.CutPrefix(key, `"`); ok {
		if inner, ok = strings.CutSuffix(inner, `"`); ok {
			key = inner
		}
	}
	// With two headers the gateway joins the values by a comma.
	visible := !strings.ContainsFunc(key, func(c rune) bool { return c < '!' || c > '~' || c == '"' || c == ',' })
	if len(values) > 1 || key == "" || len(key) > maxIdempotencyKey || !visible {
		return "", problem.Parameter(HeaderIdempotencyKey, "must be one value of 1 to 255 visible ASCII characters without quotes and commas")
	}
	return key, nil
}
