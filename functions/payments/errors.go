package payments

import "github.com/tienda-dev/tienda/shared/problem"

// The errors of payments. Any other error is a failure of the store or the provider, which is answered with 503 or 500.
var (
	// ErrNotFound: the payment does not exist, or belongs to another customer.
	ErrNotFound = problem.New(problem.NotFound, "payment_not_found", "There is no such payment.")
	// ErrOrderNotFound: the order does not exist, or belongs to another customer.
	ErrOrderNotFound = problem.New(problem.NotFound, "order_not_found", "There is no such order.")
	// ErrAlreadyPaid: the order has a payment that succeeded, which may be voided or refunded by now.
	ErrAlreadyPaid = problem.New(problem.Conflict, "already_paid", "The order has a payment already.")
	// ErrInProgress: another payment of the order, or another operation of the payment, has no outcome yet.
	ErrInProgress = problem.New(problem.Conflict, "payment_in_progress", "Another payment operation is in progress.")
	// ErrOrderChanged: the order changed since it was read.
	ErrOrderChanged = problem.New(problem.Conflict, "order_changed", "The order has changed meanwhile. Try again.")
	// ErrOrderExpired: the order was not paid in time.
	ErrOrderExpired = problem.New(problem.Gone, "order_expired", "The order has expired.")
	// ErrInvalidTransition: the operation is not possible in the state of the payment or the order.
	ErrInvalidTransition = problem.New(problem.Conflict, "invalid_transition", "The state does not allow this.")
	// ErrStale: the payment changed since it was read.
	ErrStale = problem.New(problem.Conflict, "payment_changed", "The payment has changed. Try again.")
	// ErrAmountExceedsAuthorized: the capture takes more than is authorised and not captured.
	ErrAmountExceedsAuthorized = problem.New(problem.Invalid, "amount_exceeds_authorized", "The amount exceeds what can be captured.").
					WithFields(problem.FieldError{Pointer: "/amount/amount_minor", Detail: "must not exceed what can be captured"})
	// ErrAmountExceedsRefundable: the refund gives back more than was captured and not refunded.
	ErrAmountExceedsRefundable = problem.New(problem.Invalid, "amount_exceeds_refundable", "The amount exceeds what can be refunded.").
					WithFields(problem.FieldError{Pointer: "/amount/amount_minor", Detail: "must not exceed what can be refunded"})
	// ErrRefused: the provider refused the operation.
	ErrRefused = problem.New(problem.Conflict, "provider_refused", "The payment provider refused the operation.")
	// ErrBadSignature: the notification was not signed by the provider.
	ErrBadSignature = problem.New(problem.Unauthorized, "bad_signature", "The signature is missing or wrong.").
			WithFields(problem.FieldError{Pointer: headerStripeSignature, Detail: "must sign the request's body with the provider's key"})
	// ErrStaleSignature: the notification was signed too long ago, or in the future.
	ErrStaleSignature = problem.New(problem.BadRequest, "stale_signature", "The signature is too old or from the future.").
				WithFields(problem.FieldError{Pointer: headerStripeSignature, Detail: "must not be older than five minutes"})
	// ErrBadNotification: the signed body is not a notification.
	ErrBadNotification = problem.New(problem.BadRequest, "malformed_notification", "The body is not a notification.")
)
