package simulator

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/tienda-dev/tienda/functions/payments/paymentsstripe"
)

// apiVersion is the version of Stripe's API that the objects have.
const apiVersion = "2026-02-25.clover"

// object is the PaymentIntent as the API shows it.
func (in *intent) object() map[string]any {
	o := map[string]any{
		"id": in.ID, "object": "payment_intent", "amount": in.Amount, "amount_capturable": in.Capturable,
		"amount_received": in.Received, "capture_method": in.CaptureMethod, "confirmation_method": captureAutomatic,
		"client_secret": nil, "created": in.Created, "currency": in.Currency, "livemode": false,
		"metadata": in.Metadata, "payment_method": nil, "payment_method_types": []string{"card"}, "status": in.Status,
		"latest_charge": nil, "last_payment_error": nil, "canceled_at": nil, "cancellation_reason": nil,
	}
	if in.Method != "" {
		o["payment_method"] = in.Method
	}
	if in.Charge != "" {
		o["latest_charge"] = in.Charge
	}
	if in.CanceledAt != 0 {
		o["canceled_at"] = in.CanceledAt
	}
	if in.DeclineCode != "" {
		o["last_payment_error"] = map[string]any{
			"type": "card_error", "code": "card_declined", "decline_code": in.DeclineCode, "message": "Your card was declined.",
		}
	}
	return o
}

// object is the Refund as the API shows it.
func (r *refund) object() map[string]any {
	return map[string]any{
		"id": r.ID, "object": "refund", "amount": r.Amount, "charge": r.Charge, "created": r.Created, "currency": r.Currency,
		"metadata": r.Metadata, "payment_intent": r.Intent, "reason": nil, "status": r.Status,
		"balance_transaction": nil, "receipt_number": nil, "source_transfer_reversal": nil, "transfer_reversal": nil,
	}
}

// event is a notification.
type event map[string]any

func (s *Simulator) event(typ string, object map[string]any) event {
	return event{
		"id": s.newID("evt_"), "object": "event", "api_version": apiVersion, "created": s.cfg.Now().Unix(),
		"data": map[string]any{"object": object}, "livemode": false, "pending_webhooks": 1, "request": nil, "type": typ,
	}
}

// Notify sends notifications to the URL from now on; empty sends none.
func (s *Simulator) Notify(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.target = url
}

// Wait returns when every notification so far was delivered or given up.
func (s *Simulator) Wait() {
	s.mu.Lock() // after the requests so far
	sending := &s.sending
	s.mu.Unlock()
	sending.Wait()
}

// deliver sends the notifications of an answer in order, as often as the payment method says.
func (s *Simulator) deliver(answer reply) {
	s.mu.Lock()
	target := s.target
	s.mu.Unlock()
	if target == "" {
		return
	}
	times := 1
	if answer.method == MethodWebhookTwice {
		times = 2
	}
	for _, e := range answer.events {
		for range times {
			s.send(target, encode(e))
		}
	}
}

// send delivers one notification. Stripe repeats for three days; here five attempts are enough.
func (s *Simulator) send(target string, body []byte) {
	const tries, pause, timeout = 5, 200 * time.Millisecond, 10 * time.Second
	for try := range tries {
		if try > 0 && !s.pause(pause<<try) {
			return
		}
		_, secrets, err := s.cfg.Keys()
		if err != nil || len(secrets) == 0 {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		status := s.post(ctx, target, body, paymentsstripe.Sign(body, secrets[0], s.cfg.Now()))
		cancel()
		if status/100 == 2 {
			return
		}
	}
}

// pause waits, and reports whether the simulator is still open.
func (s *Simulator) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-s.closed:
		return false
	case <-timer.C:
		return true
	}
}

// post returns the status of the answer, 0 if there is none.
func (s *Simulator) post(ctx context.Context, target string, body []byte, signature string) int {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-s.closed:
			cancel()
		case <-ctx.Done():
		}
	}()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return 0
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set(paymentsstripe.HeaderSignature, signature)
	answer, err := s.cfg.Client.Do(r)
	if err != nil {
		return 0
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, maxBody))
	return answer.StatusCode
}
