package paymentsstripe

import (
	"errors"
	"strings"

	"github.com/stripe/stripe-go/v84"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/money"
)

// report reads a PaymentIntent.
func report(intent *stripe.PaymentIntent) (payments.Report, error) {
	in := intentFields{
		ID: intent.ID, Status: string(intent.Status), Currency: string(intent.Currency), Amount: intent.Amount,
		Received: intent.AmountReceived, Capturable: intent.AmountCapturable, Metadata: intent.Metadata,
	}
	if failed := intent.LastPaymentError; failed != nil {
		in.Error = &intentError{Code: string(failed.Code), DeclineCode: string(failed.DeclineCode), Type: string(failed.Type)}
	}
	return in.report()
}

// intentFields are the members of a PaymentIntent that count, as a notification has them too.
type intentFields struct {
	ID         string            `json:"id"`
	Status     string            `json:"status"`
	Currency   string            `json:"currency"`
	Amount     int64             `json:"amount"`
	Received   int64             `json:"amount_received"`
	Capturable int64             `json:"amount_capturable"`
	Metadata   map[string]string `json:"metadata"`
	Error      *intentError      `json:"last_payment_error"`
}

type intentError struct {
	Code        string `json:"code"`
	DeclineCode string `json:"decline_code"`
	Type        string `json:"type"`
}

func (in intentFields) report() (payments.Report, error) {
	out := payments.Report{
		PaymentID: in.Metadata[MetadataPayment], Ref: in.ID, Currency: currency(in.Currency),
		Amount: fromStripe(in.Amount, in.Currency), Captured: fromStripe(in.Received, in.Currency),
		Capturable: fromStripe(in.Capturable, in.Currency),
	}
	switch stripe.PaymentIntentStatus(in.Status) {
	case stripe.PaymentIntentStatusRequiresConfirmation:
		out.State = payments.ReportOpen
	case stripe.PaymentIntentStatusProcessing:
		out.State = payments.ReportProcessing
	case stripe.PaymentIntentStatusRequiresPaymentMethod, stripe.PaymentIntentStatusRequiresAction:
		out.State = payments.ReportDeclined
		if in.Error == nil {
			out.Code = in.Status
		} else {
			out.Code = reason(in.Error.DeclineCode, in.Error.Code, in.Error.Type)
		}
	case stripe.PaymentIntentStatusRequiresCapture:
		out.State = payments.ReportAuthorized
	case stripe.PaymentIntentStatusSucceeded:
		out.State = payments.ReportClosed
	case stripe.PaymentIntentStatusCanceled:
		out.State, out.Code = payments.ReportCanceled, "canceled"
	default:
		return payments.Report{}, errors.New("read a payment: unknown status")
	}
	return out, nil
}

func refundReport(id, status, code string, amount int64, metadata map[string]string) payments.RefundReport {
	out := payments.RefundReport{ID: metadata[MetadataRefund], Ref: id, Amount: fromStripe(amount, code), Status: payments.RefundPending}
	switch stripe.RefundStatus(status) {
	case stripe.RefundStatusSucceeded:
		out.Status = payments.RefundSucceeded
	case stripe.RefundStatusFailed, stripe.RefundStatusCanceled:
		out.Status = payments.RefundFailed
	case stripe.RefundStatusPending, stripe.RefundStatusRequiresAction:
	}
	return out
}

// reason returns the first code that is not empty, if it is a plain word.
func reason(codes ...string) string {
	const longest = 64
	for _, code := range codes {
		if code == "" || len(code) > longest {
			continue
		}
		plain := func(r rune) bool { return r == '_' || (r >= 'a' && r <= 'z') || (r >= '0' && r <= '9') }
		if strings.IndexFunc(code, func(r rune) bool { return !plain(r) }) < 0 {
			return code
		}
	}
	return "unknown"
}

func currency(code string) string { return strings.ToUpper(code) }

// hundredfold reports whether Stripe counts a currency without decimals in hundredths
// (https://docs.stripe.com/currencies#special-cases).
func hundredfold(code string) bool {
	switch currency(code) {
	case "ISK", "UGX":
		return true
	default:
		return false
	}
}

const hundred = 100

// toStripe returns the amount as Stripe counts it. It refuses one that Stripe cannot take.
func toStripe(m money.Money) (int64, error) {
	if hundredfold(m.Currency) {
		scaled, err := m.Mul(hundred)
		if err != nil {
			return 0, &payments.RefusedError{Code: "amount_too_large"}
		}
		return scaled.AmountMinor, nil
	}
	if _, known := money.Exponent(m.Currency); !known || m.AmountMinor%policy.PayableUnit(m.Currency) != 0 {
		return 0, &payments.RefusedError{Code: "amount_not_supported"}
	}
	return m.AmountMinor, nil
}

func fromStripe(amount int64, code string) int64 {
	if hundredfold(code) {
		return amount / hundred
	}
	return amount
}
