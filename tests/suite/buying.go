package suite

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func (c *Caller) testBuying(t *testing.T) {
	t.Run("WholeLife", func(t *testing.T) {
		t.Parallel()
		c.testWholeLife(t)
	})
	t.Run("CancelledAfterPayment", func(t *testing.T) {
		t.Parallel()
		p, b := c.onSale(t, 5), c.newBuyer(t)
		o := b.order(t, p, 2)
		paid := b.pay(t, o, "automatic")
		c.wantStock(t, p, 3, 0, 2)
		c.Do(t, Cancelling(b.token, o.ID, `{}`)).want(t, http.StatusAccepted)
		b.waits(t, o, "the money back", func(o bought) bool { return o.Status == "cancelled" && o.PaymentStatus == "refunded" })
		paid = b.waitsFor(t, paid, "the refund", func(p charged) bool { return p.Status == "refunded" })
		if paid.Refunded != paid.Captured || paid.Captured != o.Total {
			t.Errorf("%+v is refunded of %+v; the order is %+v", paid.Refunded, paid.Captured, o.Total)
		}
		c.wantStock(t, p, 5, 0, 0)
		c.Do(t, c.shipping(t, o.ID)).wantProblem(t, refused(http.StatusConflict, "invalid_transition"))
	})
	t.Run("VoidedBeforeShipping", func(t *testing.T) {
		t.Parallel()
		p, b := c.onSale(t, 5), c.newBuyer(t)
		o := b.order(t, p, 2)
		paid := b.pay(t, o, "manual")
		c.Do(t, keyedPost("/v1/payments/"+paid.ID+"/void", c.As(t, roleSupport), "")).want(t, http.StatusOK)
		c.Do(t, c.shipping(t, o.ID)).wantProblem(t, refused(http.StatusConflict, "not_paid"))
		c.Do(t, Cancelling(b.token, o.ID, `{}`)).want(t, http.StatusOK)
		c.wantStock(t, p, 5, 0, 0)
	})
	t.Run("CancelledBeforePayment", func(t *testing.T) {
		t.Parallel()
		p, b := c.onSale(t, 5), c.newBuyer(t)
		o := b.order(t, p, 2)
		c.wantStock(t, p, 3, 2, 0)
		c.Do(t, c.shipping(t, o.ID)).wantProblem(t, refused(http.StatusConflict, "not_paid"))
		c.Do(t, Cancelling(b.token, o.ID, `{}`)).want(t, http.StatusOK)
		c.wantStock(t, p, 5, 0, 0)
	})
}

// testWholeLife walks an order of three pieces from the quote over two parcels to the refund.
func (c *Caller) testWholeLife(t *testing.T) {
	p, b := c.onSale(t, 5), c.newBuyer(t)
	code := Document{"code": "LIFE-" + unique(), "percent": "12.5"}
	c.Do(t, withKey(as(c.As(t, roleCatalog), post("/v1/discounts", code)))).want(t, http.StatusCreated)
	var quote struct {
		ID       string   `json:"id"`
		Codes    []string `json:"discount_codes"`
		Discount Price    `json:"discount"`
		Total    Price    `json:"total"`
	}
	asked := Document{"lines": []Document{{"sku": p.SKU, "quantity": 3}}, "discount_codes": []any{code["code"]}, "ship_to": Destination("ES")}
	c.Do(t, as(b.token, post("/v1/quotes", asked))).want(t, http.StatusCreated).read(t, &quote)
	if quote.Discount.AmountMinor <= 0 {
		t.Errorf("the quote has the discount %+v", quote.Discount)
	}

	var o bought
	ordered := Document{"quote_id": quote.ID, "ship_to": Destination("ES"), "expected_total": quote.Total}
	c.Do(t, withKey(as(b.token, post("/v1/orders", ordered)))).want(t, http.StatusCreated).read(t, &o)
	if o.Status != "pending_payment" || o.Total != quote.Total {
		t.Errorf("the order is %+v, the quote %+v", o, quote)
	}
	c.wantStock(t, p, 2, 3, 0)
	paid := b.pay(t, o, "manual")
	c.wantStock(t, p, 2, 0, 3)

	first := c.ships(t, o.ID, Document{"sku": p.SKU, "quantity": 1})
	b.waitsFor(t, paid, "the capture of the first parcel", func(p charged) bool { return p.Captured == first.Amount })
	second := c.ships(t, o.ID)
	if sum := first.Amount.AmountMinor + second.Amount.AmountMinor; sum != o.Total.AmountMinor {
		t.Errorf("the parcels cost %d in all, the order %d", sum, o.Total.AmountMinor)
	}
	paid = b.waitsFor(t, paid, "the capture of all", func(p charged) bool { return p.Status == "captured" })
	if paid.Captured != o.Total {
		t.Errorf("captured is %+v of %+v", paid.Captured, o.Total)
	}

	for _, s := range []parcel{first, second} {
		for _, of := range []string{"picked_up", "out_for_delivery", "in_transit", "delivered", "delivered"} {
			c.Do(t, c.signedAt(t, time.Now(), carrierReport(s.ID, of, of, time.Now()))).want(t, http.StatusAccepted)
		}
	}
	o = b.waits(t, o, "the delivered order", func(o bought) bool { return o.Status == "delivered" })

	refund := Document{"amount": paid.Captured, "reason": "broken"}
	c.Do(t, withKey(as(c.As(t, roleSupport), post("/v1/payments/"+paid.ID+"/refunds", refund)))).want(t, http.StatusCreated)
	o = b.waits(t, o, "the refunded order", func(o bought) bool { return o.PaymentStatus == "refunded" })
	if o.Status != "delivered" || o.FulfilmentStatus != "delivered" {
		t.Errorf("the order ends as %+v", o)
	}
	c.wantLife(t, b, o)
}

// wantLife checks the timeline of an order with two parcels: each event as often as it happened, causes before effects.
func (c *Caller) wantLife(t *testing.T, b buyer, o bought) {
	t.Helper()
	events := b.timeline(t, o)
	got := map[string]int{}
	for _, e := range events {
		got[e] = count(events, e)
	}
	want := map[string]int{
		"order.created": 1, "payment.created": 1, "payment.authorized": 1, "order.confirmed": 1,
		"shipment.created": 2, "order.partially_shipped": 1, "order.shipped": 1, "payment.captured": 2,
		"shipment.picked_up": 2, "shipment.out_for_delivery": 2, "shipment.delivered": 2, "order.delivered": 1,
		"payment.refunded": 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	last := -1
	for _, e := range []string{"order.created", "payment.authorized", "order.confirmed", "shipment.created", "shipment.picked_up", "shipment.delivered", "order.delivered", "payment.refunded"} {
		at := slices.Index(events, e)
		if at <= last {
			t.Errorf("%s is at %d of %v", e, at, events)
		}
		last = at
	}
}
