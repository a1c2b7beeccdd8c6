package suite

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Payment is a payment as clients read it.
type Payment struct {
	ID          string   `json:"id"`
	OrderID     string   `json:"order_id"`
	Status      string   `json:"status"`
	Capture     string   `json:"capture"`
	Amount      Price    `json:"amount"`
	Authorized  Price    `json:"authorized"`
	Captured    Price    `json:"captured"`
	Refunded    Price    `json:"refunded"`
	DeclineCode string   `json:"decline_code"`
	Pending     Document `json:"pending"`
	Refunds     []Refund `json:"refunds"`
	Version     int64    `json:"version"`
	CreatedAt   string   `json:"created_at"`
	UpdatedAt   string   `json:"updated_at"`
}

func (p Payment) path() string { return "/v1/payments/" + p.ID }

// Refund is a refund as clients read it.
type Refund struct {
	ID        string `json:"id"`
	PaymentID string `json:"payment_id"`
	OrderID   string `json:"order_id"`
	Status    string `json:"status"`
	Amount    Price  `json:"amount"`
	Reason    string `json:"reason"`
	CreatedAt string `json:"created_at"`
	UpdatedAt string `json:"updated_at"`
}

// The payment methods of the provider's test mode, and one of the simulated provider whose notification is faster than
// its answer.
const (
	visa         = "pm_card_visa"
	declinedCard = "pm_card_chargeDeclinedInsufficientFunds"
	webhookFirst = "pm_sim_webhook_first"
)

// keyedPost is a request with a new idempotency key.
func keyedPost(path, token, body string) Request {
	return Request{Method: http.MethodPost, Path: path, Token: token, Body: body, Header: map[string]string{headerKey: unique()}}
}

// Paying is the request that pays for an order, with a new idempotency key.
func Paying(token, orderID, method, capture string) Request {
	return keyedPost("/v1/orders/"+orderID+"/payments", token, Document{"payment_method": method, "capture": capture}.String())
}

// Pay pays for an order.
func (c *Caller) Pay(t TB, token string, o Order, method, capture string) Payment {
	t.Helper()
	a := c.Do(t, Paying(token, o.ID, method, capture)).want(t, http.StatusCreated)
	a.wantMembers(t, "id", "order_id", "status", "capture", "amount", "authorized", "captured", "refunded", "refunds", "version", "created_at", "updated_at")
	var p Payment
	a.decode(t, &p)
	a.wantHeader(t, headerLocation, "../../payments/"+p.ID)
	if p.OrderID != o.ID || p.Amount != o.Total || p.Authorized != o.Total {
		t.Errorf("payment %+v of the order %+v", p, o)
	}
	return p
}

// ReadPayment reads a payment.
func (c *Caller) ReadPayment(t TB, token, id string) Payment {
	t.Helper()
	var p Payment
	c.Do(t, Request{Method: http.MethodGet, Path: "/v1/payments/" + id, Token: token}).want(t, http.StatusOK).decode(t, &p)
	return p
}

// amount is the body with an amount of the price's currency.
func amount(minor int64, currency string) Document {
	return Document{"amount": Document{"amount_minor": minor, "currency": currency}}
}

func (c *Caller) testPayments(t *testing.T) {
	t.Run("CapturedAtOnce", func(t *testing.T) {
		t.Parallel()
		cup, buyer := c.onSale(t, 5), c.Buyer(t)
		o := c.Order(t, buyer, Wanting(1, cup))
		p := c.Pay(t, buyer, o, webhookFirst, "automatic")
		if p.Status != "captured" || p.Captured != o.Total {
			t.Errorf("payment %+v", p)
		}
		if got := c.ReadOrder(t, buyer, o.ID); got.PaymentStatus != "captured" {
			t.Errorf("order %+v", got)
		}
		c.Do(t, Paying(buyer, o.ID, visa, "automatic")).wantProblem(t, refused(http.StatusConflict, "already_paid"))
		c.testRefunds(t, o, p)
	})
	t.Run("RepeatedByItsKey", func(t *testing.T) {
		t.Parallel()
		cup, buyer := c.onSale(t, 5), c.Buyer(t)
		r := Paying(buyer, c.Order(t, buyer, Wanting(1, cup)).ID, visa, "automatic")
		first := c.Do(t, r).want(t, http.StatusCreated)
		again := c.Do(t, r).want(t, http.StatusCreated)
		again.wantHeader(t, headerReplayed, "true")
		if diff := cmp.Diff(string(first.Body), string(again.Body)); diff != "" {
			t.Errorf("answers (-first +second):\n%s", diff)
		}
		r.Body = Document{"payment_method": visa, "capture": "manual"}.String()
		c.Do(t, r).wantProblem(t, refused(http.StatusUnprocessableEntity, "idempotency_key_reused", headerKey))
		r.Header = nil
		c.Do(t, r).wantProblem(t, refused(http.StatusBadRequest, "idempotency_key_required", headerKey))
	})
	t.Run("Declined", func(t *testing.T) {
		t.Parallel()
		cup, buyer := c.onSale(t, 5), c.Buyer(t)
		o := c.Order(t, buyer, Wanting(1, cup))
		c.Do(t, Paying(buyer, o.ID, declinedCard, "automatic")).
			wantProblem(t, refused(http.StatusPaymentRequired, "payment_declined", "/payment_method"))
		if got := c.ReadOrder(t, buyer, o.ID); got.PaymentStatus != "declined" || got.Status != "pending_payment" {
			t.Errorf("order %+v", got)
		}
		c.Pay(t, buyer, o, visa, "automatic")
	})
	t.Run("CapturedLater", func(t *testing.T) {
		t.Parallel()
		c.testCaptures(t)
	})
	t.Run("Refused", func(t *testing.T) {
		t.Parallel()
		c.testPaymentsRefuse(t)
	})
	t.Run("Protected", func(t *testing.T) {
		t.Parallel()
		c.testPaymentsProtected(t)
	})
}

// testRefunds gives a captured payment back in two parts.
func (c *Caller) testRefunds(t *testing.T, o Order, p Payment) {
	t.Helper()
	support, total := c.As(t, roleSupport), o.Total
	refund := func(minor int64) Request {
		return keyedPost(p.path()+"/refunds", support, amount(minor, total.Currency).With(Document{"reason": "the cup was broken"}).String())
	}
	c.Do(t, refund(total.AmountMinor+1)).wantProblem(t, refused(http.StatusUnprocessableEntity, "amount_exceeds_refundable", "/amount/amount_minor"))
	// Providers take three decimals only if the last one is 0.
	c.Do(t, keyedPost(p.path()+"/refunds", support, amount(605, "KWD").With(Document{"reason": "the cup was broken"}).String())).
		wantProblem(t, invalid("/amount/amount_minor"))
	r := refund(1)
	var first Refund
	a := c.Do(t, r).want(t, http.StatusCreated)
	a.decode(t, &first)
	if first.Status != "succeeded" || first.Amount.AmountMinor != 1 || first.PaymentID != p.ID {
		t.Errorf("refund %+v", first)
	}
	if diff := cmp.Diff(string(a.Body), string(c.Do(t, r).want(t, http.StatusCreated).Body)); diff != "" {
		t.Errorf("answers (-first +second):\n%s", diff)
	}
	c.Do(t, refund(total.AmountMinor-1)).want(t, http.StatusCreated)
	c.Do(t, refund(1)).wantProblem(t, refused(http.StatusConflict, "invalid_transition"))
	got := c.ReadPayment(t, support, p.ID)
	if got.Status != "refunded" || got.Refunded != total || len(got.Refunds) != 2 {
		t.Errorf("payment %+v", got)
	}
}

func (c *Caller) testCaptures(t *testing.T) {
	t.Helper()
	cup, buyer, support := c.onSale(t, 5), c.Buyer(t), c.As(t, roleSupport)
	o := c.Order(t, buyer, Wanting(1, cup))
	p := c.Pay(t, buyer, o, visa, "manual")
	if p.Status != "authorized" || p.Captured.AmountMinor != 0 {
		t.Errorf("payment %+v", p)
	}
	capture := func(body Document) Request { return keyedPost(p.path()+"/capture", support, body.String()) }
	c.Do(t, capture(amount(o.Total.AmountMinor+1, o.Total.Currency))).
		wantProblem(t, refused(http.StatusUnprocessableEntity, "amount_exceeds_authorized", "/amount/amount_minor"))
	c.Do(t, capture(amount(605, "KWD"))).wantProblem(t, invalid("/amount/amount_minor"))
	var part Payment
	c.Do(t, capture(amount(1, o.Total.Currency))).want(t, http.StatusOK).decode(t, &part)
	if part.Status != "partially_captured" || part.Captured.AmountMinor != 1 {
		t.Errorf("payment %+v", part)
	}
	var all Payment
	c.Do(t, capture(Document{})).want(t, http.StatusOK).decode(t, &all)
	if all.Status != "captured" || all.Captured != o.Total {
		t.Errorf("payment %+v", all)
	}
	c.Do(t, capture(Document{})).wantProblem(t, refused(http.StatusConflict, "invalid_transition"))

	held := c.Pay(t, buyer, c.Order(t, buyer, Wanting(1, cup)), visa, "manual")
	var voided Payment
	c.Do(t, keyedPost(held.path()+"/void", support, "")).want(t, http.StatusOK).decode(t, &voided)
	if voided.Status != "voided" {
		t.Errorf("payment %+v", voided)
	}
	c.Do(t, keyedPost(held.path()+"/void", support, "")).wantProblem(t, refused(http.StatusConflict, "invalid_transition"))
}

func (c *Caller) testPaymentsRefuse(t *testing.T) {
	t.Helper()
	cup, buyer := c.onSale(t, 5), c.Buyer(t)
	o := c.Order(t, buyer, Wanting(1, cup))
	path := "/v1/orders/" + o.ID + "/payments"
	for body, pointer := range map[string]string{
		`{}`:                                    "/payment_method",
		`{"payment_method":"tok_visa"}`:         "/payment_method",
		`{"payment_method":"4242424242424242"}`: "/payment_method",
		`{"payment_method":"pm_card_visa","capture":"later"}`:            "/capture",
		`{"payment_method":"pm_card_visa","card":"4242 4242 4242 4242"}`: "/card",
	} {
		c.Do(t, keyedPost(path, buyer, body)).wantProblem(t, invalid(pointer))
	}
	for _, id := range []string{nobodysID, "x"} {
		c.Do(t, Paying(buyer, id, visa, "automatic")).wantProblem(t, refused(http.StatusNotFound, "order_not_found"))
	}
	wantSameRefusal(t, c.Do(t, Paying(c.Buyer(t), o.ID, visa, "automatic")), c.Do(t, Paying(buyer, nobodysID, visa, "automatic")))
	if got := c.ReadOrder(t, buyer, o.ID); got.PaymentStatus != "none" {
		t.Errorf("a refused payment changed the order: %+v", got)
	}

	for _, signature := range []string{"", "t=1,v1=00"} {
		c.Do(t, Request{
			Method: http.MethodPost, Path: "/v1/webhooks/stripe", Body: `{"id":"evt_1","type":"payment_intent.succeeded"}`,
			Header: map[string]string{"Stripe-Signature": signature},
		}).wantProblem(t, refused(http.StatusUnauthorized, "bad_signature", "Stripe-Signature"))
	}
	for _, late := range []time.Duration{-10 * time.Minute, 10 * time.Minute} {
		c.Do(t, c.notification(t, time.Now().Add(late))).wantProblem(t, refused(http.StatusBadRequest, "stale_signature", "Stripe-Signature"))
	}
	other := c.notification(t, time.Now())
	other.Body += " "
	c.Do(t, other).wantProblem(t, refused(http.StatusUnauthorized, "bad_signature", "Stripe-Signature"))
}

func (c *Caller) testPaymentsProtected(t *testing.T) {
	t.Helper()
	cup, owner := c.onSale(t, 5), c.Buyer(t)
	p := c.Pay(t, owner, c.Order(t, owner, Wanting(1, cup)), visa, "automatic")
	get := func(token, id string) Answer {
		return c.Do(t, Request{Method: http.MethodGet, Path: "/v1/payments/" + id, Token: token})
	}
	get(owner, p.ID).want(t, http.StatusOK)
	for _, role := range []string{roleSupport, roleFulfilment, roleAdmin} {
		get(c.As(t, role), p.ID).want(t, http.StatusOK)
	}
	stranger := c.Buyer(t)
	wantSameRefusal(t, get(stranger, p.ID), get(stranger, nobodysID))
	for _, operation := range []string{"/capture", "/void", "/refunds"} {
		c.Do(t, keyedPost(p.path()+operation, owner, `{}`)).wantProblem(t, forbidden())
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			c.testProtected(t, keyedPost("/v1/payments/"+nobodysID+operation, "", `{}`), []string{roleSupport})
		})
	}
	for name, r := range map[string]Request{
		"create-payment": Paying("", nobodysID, visa, "automatic"),
		"get-payment":    {Method: http.MethodGet, Path: "/v1/payments/" + nobodysID},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.testProtected(t, r, nil)
		})
	}
}
