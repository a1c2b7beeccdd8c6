package paymentsstripe_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/functions/payments/paymentsstripe"
)

const (
	oldSecret = "whsec_old"
	newSecret = "whsec_new"
	paymentID = "01J00000000000000000000001"
)

func at() time.Time { return time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC) }

func newClient(t *testing.T, secrets ...string) *paymentsstripe.Client {
	t.Helper()
	client, err := paymentsstripe.New(paymentsstripe.Config{}, paymentsstripe.Keys{API: "sk_test_1", Webhooks: secrets})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestNotificationIsVerified(t *testing.T) {
	t.Parallel()
	body := []byte(`{"id":"evt_1","object":"event","type":"customer.created","created":1,"data":{"object":{}}}`)
	signed := paymentsstripe.Sign(body, newSecret, at())
	_, v1, _ := strings.Cut(signed, ",")
	for name, tc := range map[string]struct {
		body, signature string
		now             time.Time
		want            error
	}{
		"OK":               {string(body), signed, at(), nil},
		"OldSecret":        {string(body), paymentsstripe.Sign(body, oldSecret, at()), at(), nil},
		"SecondSignature":  {string(body), strings.Replace(signed, ",v1=", ",v1=00,v0=11,v1=", 1), at(), nil},
		"AlmostTooOld":     {string(body), signed, at().Add(300 * time.Second), nil},
		"TooOld":           {string(body), signed, at().Add(301 * time.Second), payments.ErrStaleSignature},
		"FromTheFuture":    {string(body), signed, at().Add(-301 * time.Second), payments.ErrStaleSignature},
		"NoSignature":      {string(body), "", at(), payments.ErrBadSignature},
		"NoTime":           {string(body), v1, at(), payments.ErrBadSignature},
		"OtherTime":        {string(body), fmt.Sprintf("t=%d,%s", at().Unix()+1, v1), at(), payments.ErrBadSignature},
		"OtherSecret":      {string(body), paymentsstripe.Sign(body, "whsec_other", at()), at(), payments.ErrBadSignature},
		"OtherBody":        {string(body) + " ", signed, at(), payments.ErrBadSignature},
		"OldAndForged":     {string(body), paymentsstripe.Sign(body, "whsec_other", at().Add(-time.Hour)), at(), payments.ErrBadSignature},
		"OnlyOldScheme":    {string(body), strings.Replace(signed, "v1=", "v0=", 1), at(), payments.ErrBadSignature},
		"EmptySignature":   {string(body), fmt.Sprintf("t=%d,v1=", at().Unix()), at(), payments.ErrBadSignature},
		"NotHex":           {string(body), fmt.Sprintf("t=%d,v1=zz", at().Unix()), at(), payments.ErrBadSignature},
		"TruncatedByOne":   {string(body), signed[:len(signed)-2], at(), payments.ErrBadSignature},
		"SignedButNotJSON": {"x", paymentsstripe.Sign([]byte("x"), newSecret, at()), at(), payments.ErrBadNotification},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, err := newClient(t, newSecret, oldSecret).Notification([]byte(tc.body), tc.signature, tc.now)
			if !errors.Is(err, tc.want) || (tc.want == nil && n.ID != "evt_1") {
				t.Errorf("got %+v, %v; want %v", n, err, tc.want)
			}
		})
	}
}

func TestOldSecretIsRefusedAfterTheRotation(t *testing.T) {
	t.Parallel()
	body := []byte(`{"id":"evt_1","type":"x"}`)
	_, err := newClient(t, newSecret).Notification(body, paymentsstripe.Sign(body, oldSecret, at()), at())
	if !errors.Is(err, payments.ErrBadSignature) {
		t.Errorf("got %v, want %v", err, payments.ErrBadSignature)
	}
}

func TestNotificationIsRead(t *testing.T) {
	t.Parallel()
	intent := func(status, more string) string {
		return `{"id":"pi_1","object":"payment_intent","status":"` + status + `","currency":"eur","amount":1000` + more +
			`,"metadata":{"payment_id":"` + paymentID + `"}}`
	}
	report := func(state payments.ReportState, change func(*payments.Report)) *payments.Report {
		r := &payments.Report{PaymentID: paymentID, Ref: "pi_1", State: state, Amount: 1000, Currency: "EUR"}
		if change != nil {
			change(r)
		}
		return r
	}
	for name, tc := range map[string]struct {
		typ, object string
		want        *payments.Report
	}{
		"Succeeded": {"payment_intent.succeeded", intent("succeeded", `,"amount_received":1000`), report(payments.ReportClosed, func(r *payments.Report) { r.Captured = 1000 })},
		"Capturable": {
			"payment_intent.amount_capturable_updated", intent("requires_capture", `,"amount_received":300,"amount_capturable":700`),
			report(payments.ReportAuthorized, func(r *payments.Report) { r.Captured, r.Capturable = 300, 700 }),
		},
		"Failed": {
			"payment_intent.payment_failed", intent("requires_payment_method", `,"last_payment_error":{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds"}`),
			report(payments.ReportDeclined, func(r *payments.Report) { r.Code = "insufficient_funds" }),
		},
		"FailedWithAStrangeCode": {
			"payment_intent.payment_failed", intent("requires_payment_method", `,"last_payment_error":{"type":"card_error","code":"<script>"}`),
			report(payments.ReportDeclined, func(r *payments.Report) { r.Code = "card_error" }),
		},
		"Canceled": {"payment_intent.canceled", intent("canceled", ""), report(payments.ReportCanceled, func(r *payments.Report) { r.Code = "canceled" })},
		"Refund": {
			"refund.updated", `{"id":"re_1","payment_intent":"pi_1","status":"failed","currency":"eur","amount":5,"metadata":{"payment_id":"` + paymentID + `","refund_id":"r"}}`,
			&payments.Report{PaymentID: paymentID, Ref: "pi_1", Currency: "EUR", Refunds: []payments.RefundReport{{ID: "r", Ref: "re_1", Status: payments.RefundFailed, Amount: 5}}},
		},
		"NotOurs":       {"payment_intent.succeeded", `{"id":"pi_1","status":"succeeded","currency":"eur","amount":1000}`, nil},
		"UnknownStatus": {"payment_intent.succeeded", intent("requires_patience", ""), nil},
		"OtherType":     {"invoice.paid", `{"id":"in_1"}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := []byte(`{"id":"evt_1","object":"event","type":"` + tc.typ + `","created":1772366400,"data":{"object":` + tc.object + `}}`)
			n, err := newClient(t, newSecret).Notification(body, paymentsstripe.Sign(body, newSecret, at()), at())
			want := payments.Notification{Provider: "stripe", ID: "evt_1", Type: tc.typ, Report: tc.want}
			if diff := cmp.Diff(want, n); err != nil || diff != "" {
				t.Errorf("error %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func FuzzNotification(f *testing.F) {
	f.Add([]byte(`{"id":"evt_1","type":"payment_intent.succeeded","data":{"object":{"id":"pi_1","status":"succeeded"}}}`), "t=1,v1=00")
	f.Fuzz(func(t *testing.T, body []byte, signature string) {
		client := newClient(t, newSecret)
		if _, err := client.Notification(body, signature, at()); err == nil {
			t.Errorf("%q with %q is accepted", body, signature)
		}
		if _, err := client.Notification(body, paymentsstripe.Sign(body, newSecret, at()), at()); err != nil && !errors.Is(err, payments.ErrBadNotification) {
			t.Errorf("signed: %v", err)
		}
	})
}

func TestParseKeys(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text string
		want paymentsstripe.Keys
		ok   bool
	}{
		"One":        {`{"api_key":"sk","webhook_secrets":["a"]}`, paymentsstripe.Keys{API: "sk", Webhooks: []string{"a"}}, true},
		"Two":        {`{"api_key":"sk","webhook_secrets":["a","b"],"note":1}`, paymentsstripe.Keys{API: "sk", Webhooks: []string{"a", "b"}}, true},
		"Text":       {`{"api_key":"sk","webhook_secrets":"a"}`, paymentsstripe.Keys{API: "sk", Webhooks: []string{"a"}}, true},
		"Three":      {`{"api_key":"sk","webhook_secrets":["a","b","c"]}`, paymentsstripe.Keys{}, false},
		"None":       {`{"api_key":"sk","webhook_secrets":[]}`, paymentsstripe.Keys{}, false},
		"Empty":      {`{"api_key":"sk","webhook_secrets":["a",""]}`, paymentsstripe.Keys{}, false},
		"EmptyText":  {`{"api_key":"sk","webhook_secrets":""}`, paymentsstripe.Keys{}, false},
		"NoWebhooks": {`{"api_key":"sk"}`, paymentsstripe.Keys{}, false},
		"NoKey":      {`{"webhook_secrets":["a"]}`, paymentsstripe.Keys{}, false},
		"NotJSON":    {`sk`, paymentsstripe.Keys{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := paymentsstripe.ParseKeys([]byte(tc.text))
			if diff := cmp.Diff(tc.want, got); (err == nil) != tc.ok || diff != "" {
				t.Errorf("error %v (-want +got):\n%s", err, diff)
			}
			if err != nil && strings.Contains(err.Error(), "sk_") {
				t.Errorf("%v quotes the secret", err)
			}
		})
	}
}
