package simulator

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// The states of objects at Stripe.
const (
	statusConfirm   = "requires_confirmation"
	statusMethod    = "requires_payment_method"
	statusCapture   = "requires_capture"
	statusSucceeded = "succeeded"
	statusCanceled  = "canceled"
	statusFailed    = "failed"

	captureManual    = "manual"
	captureAutomatic = "automatic"
)

func invalid(param, message string) reply {
	return refuse(http.StatusBadRequest, failure{Type: "invalid_request_error", Param: param, Message: message})
}

func missing(what string) reply {
	return refuse(http.StatusNotFound, failure{Type: "invalid_request_error", Code: "resource_missing", Message: "No such " + what + "."})
}

// unexpected is the answer to an operation that the state does not allow.
func unexpected(in *intent) reply {
	return refuse(http.StatusBadRequest, failure{
		Type: "invalid_request_error", Code: "payment_intent_unexpected_state",
		Message:       "This PaymentIntent's status is " + in.Status + ".",
		PaymentIntent: in.object(),
	})
}

func amountOf(form url.Values, name string) (int64, bool) {
	n, err := strconv.ParseInt(form.Get(name), 10, 64)
	return n, err == nil && n > 0
}

// metadataOf reads metadata[name]=value.
func metadataOf(form url.Values) map[string]string {
	metadata := map[string]string{}
	for name := range form {
		if inner, ok := strings.CutPrefix(name, "metadata["); ok {
			metadata[strings.TrimSuffix(inner, "]")] = form.Get(name)
		}
	}
	return metadata
}

func (s *Simulator) newID(prefix string) string { return prefix + rand.Text()[:24] }

const mustEndInZero = "Amounts in this currency must end in 0."

// payable reports whether Stripe takes the amount (https://docs.stripe.com/currencies#special-cases).
func payable(currency string, amount int64) bool {
	return amount%10 == 0 || !slices.Contains([]string{"bhd", "jod", "kwd", "omr", "tnd"}, currency)
}

func (s *Simulator) create(_ string, form url.Values) reply {
	const currencyLetters = 3
	amount, ok := amountOf(form, "amount")
	currency := form.Get("currency")
	switch {
	case !ok:
		return invalid("amount", "Invalid positive integer.")
	case len(currency) != currencyLetters || strings.ToLower(currency) != currency:
		return invalid("currency", "Invalid currency.")
	case !payable(currency, amount):
		return invalid("amount", mustEndInZero)
	}
	method := form.Get("payment_method")
	if method != "" && !known(method) {
		return refuse(http.StatusBadRequest, failure{
			Type: "invalid_request_error", Code: "resource_missing", Param: "payment_method", Message: "No such PaymentMethod.",
		})
	}
	captureMethod := form.Get("capture_method")
	if captureMethod == "" {
		captureMethod = captureAutomatic
	}
	if captureMethod != captureAutomatic && captureMethod != captureManual {
		return invalid("capture_method", "Invalid capture_method.")
	}
	in := &intent{
		ID: s.newID("pi_"), Amount: amount, Currency: currency, CaptureMethod: captureMethod, Method: method,
		Multicapture: form.Get("payment_method_options[card][request_multicapture]") == "if_available",
		Status:       statusConfirm, Metadata: metadataOf(form), Created: s.cfg.Now().Unix(),
	}
	if method == "" {
		in.Status = statusMethod
	}
	s.books.Intents[in.ID] = in
	return reply{status: http.StatusOK, body: in.object(), method: method, events: []event{s.event("payment_intent.created", in.object())}}
}

func (s *Simulator) retrieve(id string, _ url.Values) reply {
	in, ok := s.books.Intents[id]
	if !ok {
		return missing("payment_intent")
	}
	return reply{status: http.StatusOK, body: in.object()}
}

func (s *Simulator) confirm(id string, form url.Values) reply {
	in, ok := s.books.Intents[id]
	switch {
	case !ok:
		return missing("payment_intent")
	case in.Status != statusConfirm && in.Status != statusMethod:
		return unexpected(in)
	}
	if method := form.Get("payment_method"); method != "" {
		if !known(method) {
			return missing("PaymentMethod")
		}
		in.Method = method
	}
	if code := declineOf(in.Method); code != "" {
		in.Status, in.DeclineCode = statusMethod, code
		return reply{
			status: http.StatusPaymentRequired, method: in.Method,
			body: map[string]failure{"error": {
				Type: "card_error", Code: "card_declined", DeclineCode: code, Message: "Your card was declined.",
				PaymentIntent: in.object(),
			}},
			events: []event{s.event("payment_intent.payment_failed", in.object())},
		}
	}
	in.Charge, in.DeclineCode = s.newID("ch_"), ""
	s.books.enter("authorize", in, in.Amount, in.Metadata)
	in.Status, in.Capturable = statusCapture, in.Amount
	events := []event{s.event("payment_intent.amount_capturable_updated", in.object())}
	if in.CaptureMethod == captureAutomatic {
		s.books.enter("capture", in, in.Amount, in.Metadata)
		in.Status, in.Capturable, in.Received = statusSucceeded, 0, in.Amount
		events = []event{s.event("payment_intent.succeeded", in.object())}
	}
	if in.Method == MethodWebhookShuffled { // what was true a moment ago
		old := *in
		old.Status, old.Capturable, old.Received = statusCapture, in.Amount, 0
		events = append(events, s.event("payment_intent.amount_capturable_updated", old.object()))
	}
	return reply{status: http.StatusOK, body: in.object(), method: in.Method, events: events}
}

func (s *Simulator) capture(id string, form url.Values) reply {
	in, ok := s.books.Intents[id]
	switch {
	case !ok:
		return missing("payment_intent")
	case in.Status != statusCapture:
		return unexpected(in)
	}
	amount := in.Capturable
	if form.Has("amount_to_capture") {
		if amount, ok = amountOf(form, "amount_to_capture"); !ok {
			return invalid("amount_to_capture", "Invalid positive integer.")
		}
		if !payable(in.Currency, amount) {
			return invalid("amount_to_capture", mustEndInZero)
		}
	}
	if amount > in.Capturable {
		return refuse(http.StatusBadRequest, failure{Type: "invalid_request_error", Code: "amount_too_large", Param: "amount_to_capture", Message: "The amount is too large."})
	}
	final := form.Get("final_capture") != "false"
	if !final && !in.Multicapture {
		return invalid("final_capture", "Multicapture is not available for this PaymentIntent.")
	}
	s.books.enter("capture", in, amount, in.Metadata)
	in.Received += amount
	in.Capturable -= amount
	typ := "payment_intent.amount_capturable_updated"
	if final || in.Capturable == 0 {
		s.release(in)
		in.Status, typ = statusSucceeded, "payment_intent.succeeded"
	}
	return reply{status: http.StatusOK, body: in.object(), method: in.Method, events: []event{s.event(typ, in.object())}}
}

// release gives up what was not captured.
func (s *Simulator) release(in *intent) {
	if in.Capturable > 0 {
		s.books.enter("release", in, in.Capturable, in.Metadata)
		in.Capturable = 0
	}
}

func (s *Simulator) cancel(id string, _ url.Values) reply {
	in, ok := s.books.Intents[id]
	switch {
	case !ok:
		return missing("payment_intent")
	case in.Status != statusConfirm && in.Status != statusMethod && in.Status != statusCapture:
		return unexpected(in)
	}
	s.release(in)
	in.Status, in.CanceledAt = statusCanceled, s.cfg.Now().Unix()
	typ := "payment_intent.canceled"
	if in.Received > 0 { // the part that was captured stays
		in.Status, in.CanceledAt, typ = statusSucceeded, 0, "payment_intent.succeeded"
	}
	return reply{status: http.StatusOK, body: in.object(), method: in.Method, events: []event{s.event(typ, in.object())}}
}

func (s *Simulator) refund(_ string, form url.Values) reply {
	in, ok := s.books.Intents[form.Get("payment_intent")]
	if !ok {
		return missing("payment_intent")
	}
	left := in.Received - s.books.refunded(in.ID)
	amount := left
	if form.Has("amount") {
		if amount, ok = amountOf(form, "amount"); !ok {
			return invalid("amount", "Invalid positive integer.")
		}
		if !payable(in.Currency, amount) {
			return invalid("amount", mustEndInZero)
		}
	}
	if in.Charge == "" || amount > left || left == 0 {
		return refuse(http.StatusBadRequest, failure{Type: "invalid_request_error", Code: "charge_already_refunded", Message: "The refund exceeds what is left of the charge."})
	}
	r := &refund{
		ID: s.newID("re_"), Intent: in.ID, Charge: in.Charge, Amount: amount, Currency: in.Currency, Status: statusSucceeded,
		Metadata: metadataOf(form), Created: s.cfg.Now().Unix(),
	}
	s.books.Refunds = append(s.books.Refunds, r)
	s.books.enter("refund", in, amount, r.Metadata)
	answer := reply{status: http.StatusOK, body: r.object(), method: in.Method, events: []event{s.event("refund.created", r.object())}}
	if in.Method == MethodRefundFails {
		r.Status = statusFailed
		s.books.enter("refund", in, -amount, r.Metadata)
		answer.events = append(answer.events, s.event("refund.failed", r.object()))
	}
	return answer
}

func (s *Simulator) refunds(_ string, query url.Values) reply {
	data := []any{}
	for _, r := range s.books.refundsOf(query.Get("payment_intent")) {
		data = append(data, r.object())
	}
	return reply{status: http.StatusOK, body: map[string]any{"object": "list", "url": "/v1/refunds", "has_more": false, "data": data}}
}
