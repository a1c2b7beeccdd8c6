package simulator

import "strings"

// The payment methods of Stripe's own test mode.
const (
	MethodVisa              = "pm_card_visa"
	MethodDeclined          = "pm_card_chargeDeclined"
	MethodInsufficientFunds = "pm_card_chargeDeclinedInsufficientFunds"
)

// The simulator's payment methods. A fault happens at the first confirmation.
const (
	// MethodTimeoutThenSuccess carries the confirmation out and does not answer.
	MethodTimeoutThenSuccess = "pm_sim_timeout_then_success"
	// MethodTimeoutThenDecline declines and does not answer.
	MethodTimeoutThenDecline = "pm_sim_timeout_then_decline"
	// MethodLostThenSuccess does not answer and does nothing; the next attempt succeeds.
	MethodLostThenSuccess = "pm_sim_lost_then_success"
	// MethodFailureThenSuccess answers 500 and does nothing; the next attempt with a new key succeeds.
	MethodFailureThenSuccess = "pm_sim_500_then_success"
	// MethodFailureAfterSuccess carries the confirmation out and answers 500.
	MethodFailureAfterSuccess = "pm_sim_500_after_success"
	// MethodWebhookFirst sends the notification before the answer.
	MethodWebhookFirst = "pm_sim_webhook_first"
	// MethodWebhookTwice sends every notification twice.
	MethodWebhookTwice = "pm_sim_webhook_twice"
	// MethodWebhookShuffled sends an outdated notification after the newest one.
	MethodWebhookShuffled = "pm_sim_webhook_out_of_order"
	// MethodSlow answers after Config.Slow.
	MethodSlow = "pm_sim_slow"
	// MethodRefundFails refuses refunds after they have succeeded, as a bank can.
	MethodRefundFails = "pm_sim_refund_fails"
)

// Methods returns every payment method that the simulator knows.
func Methods() []string {
	return []string{
		MethodVisa, MethodDeclined, MethodInsufficientFunds, MethodTimeoutThenSuccess, MethodTimeoutThenDecline,
		MethodLostThenSuccess, MethodFailureThenSuccess, MethodFailureAfterSuccess, MethodWebhookFirst,
		MethodWebhookTwice, MethodWebhookShuffled, MethodSlow, MethodRefundFails,
	}
}

// Fault is what goes wrong with one request.
type Fault int

// The faults.
const (
	// NoFault carries the request out and answers.
	NoFault Fault = iota
	// LoseAnswer carries the request out and does not answer.
	LoseAnswer
	// LoseRequest does nothing and does not answer. The key is as good as new.
	LoseRequest
	// FailBefore does nothing and answers 500. The key keeps that answer.
	FailBefore
	// FailAfter carries the request out and answers 500. The key keeps that answer.
	FailAfter
	// Late does not answer, and carries the request out just before the next change: it was on its way for so long.
	Late
	// Refuse does nothing and answers 400, as for an operation that the account may not do. The key is as good as new.
	Refuse
)

// Faults returns every fault that leaves the outcome open: all but Refuse.
func Faults() []Fault { return []Fault{NoFault, LoseAnswer, LoseRequest, FailBefore, FailAfter, Late} }

// String returns the name of the fault.
func (f Fault) String() string {
	return [...]string{"NoFault", "LoseAnswer", "LoseRequest", "FailBefore", "FailAfter", "Late", "Refuse"}[f]
}

// methodFault is the fault of a confirmation with the method. try counts from 1.
func methodFault(method string, try int) Fault {
	if try > 1 {
		return NoFault
	}
	switch method {
	case MethodTimeoutThenSuccess, MethodTimeoutThenDecline:
		return LoseAnswer
	case MethodLostThenSuccess:
		return LoseRequest
	case MethodFailureThenSuccess:
		return FailBefore
	case MethodFailureAfterSuccess:
		return FailAfter
	default:
		return NoFault
	}
}

// declineOf is the reason for which a confirmation with the method is declined, empty if it is not.
func declineOf(method string) string {
	switch method {
	case MethodDeclined, MethodTimeoutThenDecline:
		return "generic_decline"
	case MethodInsufficientFunds:
		return "insufficient_funds"
	default:
		return ""
	}
}

// known reports whether there is a payment method of the id. Stripe's own test methods that are not listed here are
// accepted like a Visa card.
func known(method string) bool { return strings.HasPrefix(method, "pm_") && len(method) > len("pm_") }
