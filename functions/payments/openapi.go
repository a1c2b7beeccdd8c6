//go:build openapi

package payments

import (
	"net/http"

	"github.com/tienda-dev/tienda/internal/openapi"
	"github.com/tienda-dev/tienda/shared/problem"
)

// OpenAPI describes payments for the API's document.
func OpenAPI() openapi.Resource {
	payment := func(status int, description string, headers ...openapi.ResponseHeader) openapi.Response {
		return openapi.Response{Status: status, Description: description, Body: Payment{}, Example: status != http.StatusAccepted, Headers: headers}
	}
	return openapi.Resource{
		Name: "payments",
		Description: "Money for orders. An answer of the payment provider that is lost makes a payment unknown, never declined, and " +
			"an operation pending: its outcome appears later.",
		Schemas: schemas(),
		Operations: []openapi.Operation{
			{
				Route: CreatePaymentRoute, Summary: "Pay for an order",
				Description: "Authorises the order's total with a token of the payment provider. Card numbers are refused. " +
					"An order has one payment; after a decline another one may follow.",
				Parameters: []openapi.Parameter{openapi.PathID("id", "The order's id.")},
				Body:       createPaymentRequest{},
				Responses: []openapi.Response{
					payment(http.StatusCreated, "The payment.", openapi.Location()),
					payment(http.StatusAccepted, "The payment, whose outcome is unknown: read it again later.", openapi.Location()),
				},
				Problems: []*problem.Error{
					ErrOrderNotFound, errDeclined("insufficient_funds"), ErrAlreadyPaid, ErrInProgress, ErrInvalidTransition, ErrOrderChanged, ErrOrderExpired, ErrStale,
				},
			},
			{
				Route: GetPaymentRoute, Summary: "Read a payment",
				Description: "Customers read their own payments; support, fulfilment and admins read all.",
				Parameters:  []openapi.Parameter{paymentID()},
				Responses:   []openapi.Response{payment(http.StatusOK, "The payment.")},
				Problems:    []*problem.Error{ErrNotFound},
			},
			{
				Route: CapturePaymentRoute, Summary: "Take authorised money",
				Description: "Without an amount it takes everything that is authorised and not captured. " + threeDecimals,
				Parameters:  []openapi.Parameter{paymentID()},
				Body:        capturePaymentRequest{},
				Responses: []openapi.Response{
					payment(http.StatusOK, "The payment."),
					payment(http.StatusAccepted, "The payment, with the operation pending."),
				},
				Problems: []*problem.Error{ErrNotFound, ErrInvalidTransition, ErrInProgress, ErrStale, ErrRefused, ErrAmountExceedsAuthorized},
			},
			{
				Route: VoidPaymentRoute, Summary: "Release authorised money",
				Parameters: []openapi.Parameter{paymentID()},
				Responses: []openapi.Response{
					payment(http.StatusOK, "The payment."),
					payment(http.StatusAccepted, "The payment, with the operation pending."),
				},
				Problems: []*problem.Error{ErrNotFound, ErrInvalidTransition, ErrInProgress, ErrStale, ErrRefused},
			},
			{
				Route: CreateRefundRoute, Summary: "Give captured money back",
				Description: threeDecimals,
				Parameters:  []openapi.Parameter{paymentID()},
				Body:        createRefundRequest{},
				Responses: []openapi.Response{
					{Status: http.StatusCreated, Description: "The refund.", Body: Refund{}, Example: true, Headers: []openapi.ResponseHeader{openapi.Location()}},
					{Status: http.StatusAccepted, Description: "The refund, which the provider has not decided yet.", Body: Refund{}, Headers: []openapi.ResponseHeader{openapi.Location()}},
				},
				Problems: []*problem.Error{ErrNotFound, ErrInvalidTransition, ErrInProgress, ErrStale, ErrRefused, ErrAmountExceedsRefundable},
			},
			{
				Route: ReceiveStripeWebhookRoute, Summary: "Receive a notification of Stripe",
				Description: "For Stripe, which signs the body in the header Stripe-Signature. Repeated and unknown notifications get 200 too, and " +
					"those that contradict their payment, which stays as it is.",
				Responses: []openapi.Response{{Status: http.StatusOK, Description: "The notification is recorded.", Body: Received{}}},
				Problems:  []*problem.Error{ErrBadSignature, ErrStaleSignature, ErrBadNotification, ErrStale},
			},
		},
	}
}

func paymentID() openapi.Parameter { return openapi.PathID("id", "The payment's id.") }

func schemas() []openapi.Schema {
	token := openapi.Rules{Pattern: methodPattern.String()}
	capture := openapi.OneOf(Automatic, Manual)
	return []openapi.Schema{
		{Name: "Payment", Value: Payment{}, Members: map[string]openapi.Rules{
			"id": openapi.ULID(), "order_id": openapi.ULID(), "version": openapi.AtLeast(1),
			"decline_code": {MinLength: 1},
		}},
		{Name: "PaymentStatus", Value: Authorizing, Members: map[string]openapi.Rules{"": openapi.OneOf(
			Authorizing, Unknown, Declined, Authorized, PartiallyCaptured, Captured, Voided, PartiallyRefunded, Refunded,
		)}},
		{Name: "PaymentCapture", Value: Automatic, Members: map[string]openapi.Rules{"": capture}},
		{Name: "PaymentOperation", Value: OpAuthorize, Members: map[string]openapi.Rules{"": openapi.OneOf(OpAuthorize, OpCapture, OpVoid, OpRefund)}},
		{Name: "PendingOperation", Value: Attempt{}},
		{Name: "Refund", Value: Refund{}, Members: map[string]openapi.Rules{
			"id": openapi.ULID(), "payment_id": openapi.ULID(), "order_id": openapi.ULID(), "reason": openapi.Name(MaxReason),
		}},
		{Name: "RefundStatus", Value: RefundPending, Members: map[string]openapi.Rules{"": openapi.OneOf(RefundPending, RefundSucceeded, RefundFailed)}},
		{
			Name: "CreatePayment", Value: createPaymentRequest{}, Required: []string{"payment_method"},
			Members: map[string]openapi.Rules{"payment_method": token, "capture": nullable(withDefault(capture, string(Automatic)))},
		},
		{Name: "CapturePayment", Value: capturePaymentRequest{}, Required: []string{}, Members: map[string]openapi.Rules{"amount": {Nullable: true}}},
		{
			Name: "CreateRefund", Value: createRefundRequest{}, Required: []string{"amount", "reason"},
			Members: map[string]openapi.Rules{"reason": openapi.Name(MaxReason)},
		},
		{Name: "Received", Value: Received{}},
	}
}

// threeDecimals is the rule of payable.
const threeDecimals = "In a currency with three decimals an amount must end in 0."

func nullable(rules openapi.Rules) openapi.Rules {
	rules.Nullable = true
	return rules
}

func withDefault(rules openapi.Rules, value any) openapi.Rules {
	rules.Default = value
	return rules
}
