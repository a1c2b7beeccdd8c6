package payments

import (
	"net/http"

	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
)

// maxNotification is the largest notification in bytes. Stripe's are a few thousand.
const maxNotification = 256 << 10

// The routes of payments and who may use them. Customers pay for their own orders; support moves the money after that.
// The provider has no token: it signs. What moves money is Strict: a token that was revoked a moment ago moves none.
var (
	CreatePaymentRoute = api.Route{
		Name: "create-payment", Method: http.MethodPost, Path: "/v1/orders/{id}/payments",
		Auth: api.Required, Rate: policy.RateCheckout, Revocation: identity.Strict, Idempotency: api.KeyRequired,
	}
	GetPaymentRoute = api.Route{
		Name: "get-payment", Method: http.MethodGet, Path: "/v1/payments/{id}", Auth: api.Required, Rate: policy.RateUserRead,
	}
	CapturePaymentRoute = api.Route{
		Name: "capture-payment", Method: http.MethodPost, Path: "/v1/payments/{id}/capture",
		Auth: api.Required, Rate: policy.RateStaff, Revocation: identity.Strict, Roles: []string{policy.RoleSupport}, Idempotency: api.KeyRequired,
	}
	VoidPaymentRoute = api.Route{
		Name: "void-payment", Method: http.MethodPost, Path: "/v1/payments/{id}/void",
		Auth: api.Required, Rate: policy.RateStaff, Revocation: identity.Strict, Roles: []string{policy.RoleSupport}, Idempotency: api.KeyRequired,
	}
	CreateRefundRoute = api.Route{
		Name: "create-refund", Method: http.MethodPost, Path: "/v1/payments/{id}/refunds",
		Auth: api.Required, Rate: policy.RateStaff, Revocation: identity.Strict, Roles: []string{policy.RoleSupport}, Idempotency: api.KeyRequired,
	}
	ReceiveStripeWebhookRoute = api.Route{
		Name: "receive-stripe-webhook", Method: http.MethodPost, Path: "/v1/webhooks/stripe",
		Auth: api.Public, Rate: policy.RateWebhook, MaxBody: maxNotification,
	}
)

// Routes returns every route of payments.
func Routes() []api.Route {
	return []api.Route{
		CreatePaymentRoute, GetPaymentRoute, CapturePaymentRoute, VoidPaymentRoute, CreateRefundRoute, ReceiveStripeWebhookRoute,
	}
}
