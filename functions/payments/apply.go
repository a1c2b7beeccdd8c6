package payments

import (
	"slices"
	"time"

	"github.com/tienda-dev/tienda/shared/api"
)

// The types of the events of a payment.
const (
	EventCreated      = "payment.created"
	EventAuthorized   = "payment.authorized"
	EventCaptured     = "payment.captured"
	EventDeclined     = "payment.declined"
	EventUnknown      = "payment.unknown"
	EventVoided       = "payment.voided"
	EventRefunded     = "payment.refunded"
	EventRefundFailed = "payment.refund_failed"
)

// fact is an event before it has the version of the change.
type fact struct {
	typ    string
	amount int64
	refund string
}

// apply returns the payment as the report leaves it, and what has happened by that. Amounts only grow and states only
// move forward, so late and repeated reports change nothing, and an answer and a notification of the same call lead to
// the same payment in both orders.
func (p Payment) apply(in Report, now time.Time) (Payment, []fact, error) {
	if rule := p.broken(in); rule != "" {
		return p, nil, contradicts(rule)
	}
	after := p.Clone()
	var facts []fact
	if in.State != ReportNothing {
		facts = after.applyPayment(in)
	}
	for _, r := range in.Refunds {
		more, err := after.applyRefund(r, now)
		if err != nil {
			return p, nil, err
		}
		facts = append(facts, more...)
	}
	failed := func(f fact) bool { return f.typ == EventRefundFailed }
	switch {
	case slices.ContainsFunc(facts, failed):
		after.Failures++
	case len(facts) > 0:
		after.Failures = 0
	}
	return after, facts, nil
}

// broken returns the rule that the report breaks, empty if it is about this payment.
func (p Payment) broken(in Report) string {
	switch {
	case in.PaymentID != p.ID, p.Ref != "" && in.Ref != p.Ref:
		return ruleReference
	case in.Currency != p.Amount.Currency:
		return ruleCurrency
	case in.State == ReportNothing:
		return ""
	case in.Amount != p.Amount.AmountMinor:
		return ruleAmount
	case in.Captured < 0, in.Capturable < 0, in.Captured > in.Amount, in.Capturable > in.Amount-in.Captured:
		return ruleCaptured
	default:
		return ""
	}
}

// undecided reports whether the payment may be authorised yet.
func (p Payment) undecided() bool { return p.Status == Authorizing || p.Status == Unknown }

// held reports whether the payment was authorised.
func (p Payment) held() bool {
	return !p.undecided() && p.Status != Declined
}

func (p *Payment) applyPayment(in Report) []fact {
	switch in.State {
	case ReportDeclined, ReportCanceled:
		if p.undecided() {
			p.decline(in.Code)
			return []fact{{typ: EventDeclined}}
		}
		if in.State == ReportCanceled && p.Captured.AmountMinor == 0 && p.held() && p.Status != Voided {
			p.Status, p.Capturable = Voided, 0
			p.ends(OpVoid, true)
			p.ends(OpCapture, false)
			return []fact{{typ: EventVoided, amount: p.Authorized.AmountMinor}}
		}
	case ReportAuthorized, ReportClosed:
		return p.applyMoney(in)
	case ReportNothing, ReportOpen, ReportProcessing:
	}
	return nil
}

// decline ends a payment without money.
func (p *Payment) decline(code string) {
	p.Status, p.DeclineCode, p.Reverse = Declined, shownCode(code), false
	p.ends(OpAuthorize, true)
}

// shownCode returns the reason of a decline as the customer may know it: who holds a stolen card does not learn that it was
// reported (https://docs.stripe.com/declines/codes). The provider's dashboard has the other one.
func shownCode(code string) string {
	switch code {
	case "fraudulent", "lost_card", "merchant_blacklist", "pickup_card", "stolen_card":
		return "generic_decline"
	default:
		return code
	}
}

// ends ends the pending operation if it is this one. done is whether it was carried out.
func (p *Payment) ends(op Operation, done bool) {
	if p.Pending == nil || p.Pending.Operation != op {
		return
	}
	if !done {
		p.Refused = append(p.Refused, p.Pending.Number)
		p.Refused = p.Refused[max(len(p.Refused)-maxRefused, 0):]
	}
	p.Pending = nil
}

// applyMoney is for a report of a payment that holds money or has taken it.
func (p *Payment) applyMoney(in Report) []fact {
	if p.Status == Voided || in.Captured < p.Captured.AmountMinor {
		return nil // late
	}
	var facts []fact
	if !p.held() {
		if p.Status == Declined { // the order may be paid otherwise
			p.Reverse = true
		}
		p.Status, p.DeclineCode = Authorized, ""
		p.Authorized, p.Capturable = p.Amount, in.Capturable
		p.ends(OpAuthorize, true)
		if in.Captured == 0 {
			facts = append(facts, fact{typ: EventAuthorized, amount: p.Amount.AmountMinor})
		}
	}
	if taken := in.Captured - p.Captured.AmountMinor; taken > 0 {
		p.Captured.AmountMinor = in.Captured
		p.Capturable = in.Capturable
		p.Refundable += taken
		facts = append(facts, fact{typ: EventCaptured, amount: taken})
	}
	captured := p.Pending != nil && p.Captured.AmountMinor >= p.Pending.Base+p.Pending.Amount.AmountMinor
	if in.State == ReportClosed {
		p.Capturable = 0
		p.ends(OpVoid, p.Pending != nil && p.Captured.AmountMinor == p.Pending.Base)
		p.ends(OpCapture, captured)
	}
	if captured {
		p.ends(OpCapture, true)
	}
	p.Status = p.status()
	return facts
}

// rank orders the states of a refund: it moves forward only.
func (s RefundStatus) rank() int {
	return slices.Index([]RefundStatus{RefundPending, RefundSucceeded, RefundFailed}, s)
}

func (p *Payment) applyRefund(in RefundReport, now time.Time) ([]fact, error) {
	i := slices.IndexFunc(p.Refunds, func(r Refund) bool { return r.ID == in.ID })
	if i < 0 {
		return nil, nil // made elsewhere
	}
	r := &p.Refunds[i]
	if in.Amount != r.Amount.AmountMinor {
		return nil, contradicts(ruleRefundAmount)
	}
	if r.Ref != "" && in.Ref != r.Ref {
		return nil, contradicts(ruleRefundReference)
	}
	if p.Pending != nil && p.Pending.RefundID == r.ID {
		p.ends(OpRefund, true)
	}
	if r.Ref == "" {
		r.Ref, r.UpdatedAt = in.Ref, api.NewTime(now)
	}
	if in.Status.rank() <= r.Status.rank() {
		return nil, nil
	}
	before := r.Status
	r.Status, r.UpdatedAt = in.Status, api.NewTime(now)
	facts := []fact{{typ: EventRefunded, amount: in.Amount, refund: r.ID}}
	if in.Status == RefundSucceeded {
		p.Refunded.AmountMinor += in.Amount
	} else {
		facts[0].typ = EventRefundFailed
		p.Refundable += in.Amount
		if before == RefundSucceeded {
			p.Refunded.AmountMinor -= in.Amount
		}
	}
	p.Status = p.status()
	return facts, nil
}

// failRefund ends the pending refund without a success.
func (p *Payment) failRefund(now time.Time) []fact {
	for i := range p.Refunds {
		if r := &p.Refunds[i]; r.ID == p.Pending.RefundID && r.Status == RefundPending {
			r.Status, r.UpdatedAt = RefundFailed, api.NewTime(now)
			p.Refundable += r.Amount.AmountMinor
			return []fact{{typ: EventRefundFailed, amount: r.Amount.AmountMinor, refund: r.ID}}
		}
	}
	return nil
}
