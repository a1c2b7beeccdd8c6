package payments

import (
	"context"
	"net/http"
	"time"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/clock"
)

// headerStripeSignature has the time and the signatures of a notification.
const headerStripeSignature = "Stripe-Signature"

type notified interface {
	Notify(ctx context.Context, n Notification) error
}

// ReadNotification verifies and reads a notification of the provider. It returns ErrBadSignature, ErrStaleSignature and
// ErrBadNotification.
type ReadNotification func(ctx context.Context, body []byte, signature string, now time.Time) (Notification, error)

// Received is the answer to a notification.
type Received struct {
	// Received is always true.
	Received bool `json:"received"`
}

// ReceiveStripeWebhook records what Stripe reports and answers 200, to repeated notifications, unknown ones and those that
// contradict their payment too: another answer makes Stripe send them again for days. The signature counts, not the Content-Type.
func ReceiveStripeWebhook(payments notified, read ReadNotification, now func() time.Time) api.Handler {
	now = clock.Wall(now)
	return func(w http.ResponseWriter, r *http.Request) error {
		body, err := api.ReadBody(r)
		if err != nil {
			return err
		}
		n, err := read(r.Context(), body, r.Header.Get(headerStripeSignature), now())
		if err != nil {
			return err
		}
		if err := payments.Notify(r.Context(), n); err != nil {
			return err
		}
		return api.Write(w, http.StatusOK, Received{Received: true})
	}
}
