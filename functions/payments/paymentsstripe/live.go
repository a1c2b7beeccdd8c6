package paymentsstripe

import (
	"context"
	"time"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/shared/money"
)

// Live is the provider whose keys may change while the process runs: each call asks it for the client of the newest
// keys.
type Live func(ctx context.Context) *Client

var _ payments.Provider = Live(nil)

// Create implements payments.Provider.
func (l Live) Create(ctx context.Context, key string, p payments.Payment) (string, error) {
	return l(ctx).Create(ctx, key, p)
}

// Confirm implements payments.Provider.
func (l Live) Confirm(ctx context.Context, key string, p payments.Payment) (payments.Report, error) {
	return l(ctx).Confirm(ctx, key, p)
}

// Capture implements payments.Provider.
func (l Live) Capture(ctx context.Context, key string, p payments.Payment, amount money.Money, final bool) (payments.Report, error) {
	return l(ctx).Capture(ctx, key, p, amount, final)
}

// Cancel implements payments.Provider.
func (l Live) Cancel(ctx context.Context, key string, p payments.Payment) (payments.Report, error) {
	return l(ctx).Cancel(ctx, key, p)
}

// Refund implements payments.Provider.
func (l Live) Refund(ctx context.Context, key string, p payments.Payment, r payments.Refund) (payments.Report, error) {
	return l(ctx).Refund(ctx, key, p, r)
}

// Lookup implements payments.Provider.
func (l Live) Lookup(ctx context.Context, p payments.Payment) (payments.Report, error) {
	return l(ctx).Lookup(ctx, p)
}

// Notification is a payments.ReadNotification.
func (l Live) Notification(ctx context.Context, body []byte, signature string, now time.Time) (payments.Notification, error) {
	return l(ctx).Notification(body, signature, now)
}
