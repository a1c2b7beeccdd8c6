package paymentsstripe

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/tienda-dev/tienda/functions/payments"
)

const (
	// HeaderSignature is the header with the time and the signatures of a notification.
	HeaderSignature = "Stripe-Signature"
	// Tolerance is how far the signed time may be from ours.
	Tolerance = 300 * time.Second
	// provider is the name of this provider in records.
	provider = "stripe"
)

// Notification verifies and reads a message from Stripe. It returns payments.ErrBadSignature,
// payments.ErrStaleSignature, and payments.ErrBadNotification for a signed body that is not one.
func (c *Client) Notification(body []byte, signature string, now time.Time) (payments.Notification, error) {
	if err := verify(body, signature, c.keys.Webhooks, now); err != nil {
		return payments.Notification{}, err
	}
	return readNotification(body)
}

// verify checks "t=<seconds>,v1=<hex>[,v1=<hex>…]". The time counts after the signature, because only that proves it.
func verify(body []byte, header string, secrets []string, now time.Time) error {
	var at string
	var signatures [][]byte
	for part := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "t":
			at = value
		case "v1":
			if sum, err := hex.DecodeString(value); err == nil {
				signatures = append(signatures, sum)
			}
		}
	}
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil || !signed(body, at, signatures, secrets) {
		return payments.ErrBadSignature
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > Tolerance || age < -Tolerance {
		return payments.ErrStaleSignature
	}
	return nil
}

func signed(body []byte, at string, signatures [][]byte, secrets []string) bool {
	ok := false
	for _, secret := range secrets {
		want := sum(body, at, secret)
		for _, got := range signatures {
			ok = hmac.Equal(got, want) || ok
		}
	}
	return ok
}

func sum(body []byte, at, secret string) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write([]byte(at + "."))
	_, _ = mac.Write(body)
	return mac.Sum(nil)
}

// Sign returns the signature header of a body, as Stripe makes it.
func Sign(body []byte, secret string, at time.Time) string {
	seconds := strconv.FormatInt(at.Unix(), 10)
	return "t=" + seconds + ",v1=" + hex.EncodeToString(sum(body, seconds, secret))
}

type refundFields struct {
	ID       string            `json:"id"`
	Intent   string            `json:"payment_intent"`
	Status   string            `json:"status"`
	Currency string            `json:"currency"`
	Amount   int64             `json:"amount"`
	Metadata map[string]string `json:"metadata"`
}

func readNotification(body []byte) (payments.Notification, error) {
	var event struct {
		ID   string `json:"id"`
		Type string `json:"type"`
		Data struct {
			Object json.RawMessage `json:"object"`
		} `json:"data"`
	}
	if json.Unmarshal(body, &event) != nil || event.ID == "" || event.Type == "" || len(event.ID) > 255 {
		return payments.Notification{}, payments.ErrBadNotification
	}
	n := payments.Notification{Provider: provider, ID: event.ID, Type: event.Type}
	switch event.Type {
	case "payment_intent.succeeded", "payment_intent.amount_capturable_updated", "payment_intent.payment_failed",
		"payment_intent.canceled":
		var in intentFields
		if json.Unmarshal(event.Data.Object, &in) != nil {
			return n, payments.ErrBadNotification
		}
		if found, err := in.report(); err == nil { // another answer than 200 would not make a status known
			n.Report = &found
		}
	case "refund.created", "refund.updated", "refund.failed":
		var in refundFields
		if json.Unmarshal(event.Data.Object, &in) != nil {
			return n, payments.ErrBadNotification
		}
		n.Report = &payments.Report{
			PaymentID: in.Metadata[MetadataPayment], Ref: in.Intent, Currency: currency(in.Currency),
			Refunds: []payments.RefundReport{refundReport(in.ID, in.Status, in.Currency, in.Amount, in.Metadata)},
		}
	default: // not about a payment's money
	}
	if n.Report != nil && n.Report.PaymentID == "" { // not made by us
		n.Report = nil
	}
	return n, nil
}
