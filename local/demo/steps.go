package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The roles of the staff.
const (
	roleAdmin      = "admin"
	roleCatalog    = "catalog"
	roleFulfilment = "fulfilment"
	roleSupport    = "support"
)

// pieces are what the customer buys, of the samples that `make run` loads.
func pieces() []line { return []line{{"COF-ETH-250", 2}, {"CUP-CAP-180", 1}} }

func post(path, token string, body any) request {
	return request{method: http.MethodPost, path: path, token: token, body: body}
}

// login registers a customer and logs in.
func (d *demo) login(ctx context.Context) error {
	email := "maria-" + d.mark + "@shop.example"
	secret := "correct horse " + d.mark
	register := document{"email": email, "password": secret, "name": "María López"}
	if err := d.call(ctx, post("/v1/auth/register", "", register), http.StatusCreated, nil); err != nil {
		return err
	}
	var pair struct {
		Access string `json:"access_token"`
	}
	if err := d.call(ctx, post("/v1/auth/login", "", document{"email": email, "password": secret}), http.StatusOK, &pair); err != nil {
		return err
	}
	d.customer = pair.Access
	d.say("customer", "%s is registered and logged in", email)
	return nil
}

// prepare does the staff's work: rules of tax and shipping if the shop has none, and a discount code.
func (d *demo) prepare(ctx context.Context) error {
	admin, err := d.as(roleAdmin)
	if err != nil {
		return err
	}
	var rules struct {
		Version int64 `json:"version"`
	}
	if err := d.call(ctx, request{method: http.MethodGet, path: "/v1/pricing/rules", token: admin}, http.StatusOK, &rules); err != nil {
		return err
	}
	if rules.Version == 0 {
		eur := func(minor int64) amount { return amount{Minor: minor, Currency: "EUR"} }
		put := request{
			method: http.MethodPut, path: "/v1/pricing/rules", token: admin, header: map[string]string{"If-Match": `"0"`},
			body: document{
				"tax": []document{{"country": "ES", "class": "standard", "percent": "21"}},
				"shipping": []document{{"countries": []string{}, "bands": []document{
					{"from": eur(0), "price": eur(490)}, {"from": eur(5000), "price": eur(0)},
				}}},
			},
		}
		if err := d.call(ctx, put, http.StatusOK, nil); err != nil {
			return err
		}
		d.say("pricing rules", "21 %% tax in Spain; shipping is 4.90 EUR, free from 50.00 EUR")
	}
	catalog, err := d.as(roleCatalog)
	if err != nil {
		return err
	}
	d.code = "DEMO-" + strings.ToUpper(d.mark)
	if err := d.call(ctx, post("/v1/discounts", catalog, document{"code": d.code, "percent": "10"}), http.StatusCreated, nil); err != nil {
		return err
	}
	d.say("discount code", "%s takes 10 %% off", d.code)
	return nil
}

func address() document {
	return document{"name": "María López", "line1": "Calle Mayor 7", "city": "Madrid", "postal_code": "28013", "country": "ES"}
}

// quote asks for the price.
func (d *demo) quote(ctx context.Context) error {
	body := document{"lines": pieces(), "discount_codes": []string{d.code}, "ship_to": address()}
	if err := d.call(ctx, post("/v1/quotes", d.customer, body), http.StatusCreated, &d.quoted); err != nil {
		return err
	}
	q := d.quoted
	for _, l := range pieces() {
		d.say("quote", "%d x %s", l.Quantity, l.SKU)
	}
	d.say("", "subtotal %s - discount %s + shipping %s + tax %s", q.Subtotal, q.Discount, q.Shipping, q.Tax)
	d.say("", "total    %s", q.Total)
	return nil
}

// order orders what the quote says.
func (d *demo) order(ctx context.Context) error {
	body := document{"quote_id": d.quoted.ID, "ship_to": address(), "expected_total": d.quoted.Total}
	if err := d.call(ctx, post("/v1/orders", d.customer, body), http.StatusCreated, &d.ordered); err != nil {
		return err
	}
	d.say("order", "%s is %s; its stock is held until %s", d.ordered.ID, d.ordered.Status, d.ordered.ExpiresAt)
	return nil
}

// pay authorises the total, to be captured when the parcel is made.
func (d *demo) pay(ctx context.Context) error {
	body := document{"payment_method": "pm_card_visa", "capture": "manual"}
	if err := d.call(ctx, post("/v1/orders/"+d.ordered.ID+"/payments", d.customer, body), http.StatusCreated, &d.paid); err != nil {
		return err
	}
	d.say("payment", "%s is %s: %s", d.paid.ID, d.paid.Status, d.paid.Authorized)
	if err := d.orderIs(ctx, "wait for the confirmed order", func(o order) bool { return o.Status == "confirmed" }); err != nil {
		return err
	}
	d.say("", "the order is %s; its stock is sold", d.ordered.Status)
	return nil
}

// ship puts everything into one parcel; the payment is then captured.
func (d *demo) ship(ctx context.Context) error {
	clerk, err := d.as(roleFulfilment)
	if err != nil {
		return err
	}
	err = d.call(ctx, post("/v1/orders/"+d.ordered.ID+"/shipments", clerk, document{"carrier": "Correos"}), http.StatusCreated, &d.parcel)
	if err != nil {
		return err
	}
	d.say("shipment", "%s is %s", d.parcel.ID, d.parcel.Status)
	err = d.await(ctx, "wait for the captured payment", func() (bool, error) {
		err := d.call(ctx, request{method: http.MethodGet, path: "/v1/payments/" + d.paid.ID, token: d.customer}, http.StatusOK, &d.paid)
		return d.paid.Status == "captured", err
	})
	if err != nil {
		return err
	}
	d.say("", "the payment is %s: %s", d.paid.Status, d.paid.Captured)
	return nil
}

// carry sends the carrier's signed reports, one of them twice and one of them late.
func (d *demo) carry(ctx context.Context) error {
	began := d.cfg.Now()
	for _, report := range []struct {
		event, of string
		at        time.Duration
	}{
		{"1", "picked_up", -4 * time.Second},
		{"3", "out_for_delivery", -2 * time.Second},
		{"2", "in_transit", -3 * time.Second},
		{"4", "delivered", -time.Second},
		{"4", "delivered", -time.Second},
	} {
		// As text, because the signature is over these bytes.
		body, err := json.Marshal(document{
			"shipment_id": d.parcel.ID, "event_id": "demo-" + report.event, "type": report.of, "at": began.Add(report.at).UTC().Format(time.RFC3339Nano),
		})
		if err != nil {
			return err
		}
		r := post("/v1/webhooks/carrier", "", json.RawMessage(body))
		r.header = map[string]string{"Carrier-Signature": d.cfg.Sign(d.cfg.Now(), body)}
		var answered struct {
			Status string `json:"status"`
			Moved  bool   `json:"moved"`
		}
		if err := d.call(ctx, r, http.StatusAccepted, &answered); err != nil {
			return err
		}
		d.say("carrier", "reports %s; the parcel is %s", report.of, answered.Status)
	}
	if err := d.orderIs(ctx, "wait for the delivered order", func(o order) bool { return o.Status == "delivered" }); err != nil {
		return err
	}
	d.say("", "the order is %s", d.ordered.Status)
	return nil
}

// track reads what everybody with the token sees.
func (d *demo) track(ctx context.Context) error {
	var seen tracked
	path := "/v1/track/" + url.PathEscape(d.parcel.TrackingToken)
	if err := d.call(ctx, request{method: http.MethodGet, path: path}, http.StatusOK, &seen); err != nil {
		return err
	}
	types := make([]string, len(seen.Milestones))
	for i, m := range seen.Milestones {
		types[i] = m.Type
	}
	d.say("tracking", "GET %s shows %s", path, strings.Join(types, ", "))
	return nil
}

// refund gives the money back.
func (d *demo) refund(ctx context.Context) error {
	support, err := d.as(roleSupport)
	if err != nil {
		return err
	}
	body := document{"amount": d.paid.Captured, "reason": "the cup arrived broken"}
	if err := d.call(ctx, post("/v1/payments/"+d.paid.ID+"/refunds", support, body), http.StatusCreated, nil); err != nil {
		return err
	}
	if err := d.orderIs(ctx, "wait for the refunded order", func(o order) bool { return o.PaymentStatus == "refunded" }); err != nil {
		return err
	}
	d.say("refund", "%s is given back", d.paid.Captured)
	return nil
}

// timeline prints the order's events.
func (d *demo) timeline(ctx context.Context) error {
	_, _ = fmt.Fprintln(d.cfg.Out)
	d.say("timeline", "GET /v1/orders/%s/events", d.ordered.ID)
	cursor := ""
	for {
		var page struct {
			Data       []event `json:"data"`
			NextCursor string  `json:"next_cursor"`
		}
		path := "/v1/orders/" + d.ordered.ID + "/events?limit=100"
		if cursor != "" {
			path += "&cursor=" + url.QueryEscape(cursor)
		}
		if err := d.call(ctx, request{method: http.MethodGet, path: path, token: d.customer}, http.StatusOK, &page); err != nil {
			return err
		}
		for _, e := range page.Data {
			_, _ = fmt.Fprintf(d.cfg.Out, "  %s  %s\n", e.Time, e.Type)
		}
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	_, _ = fmt.Fprintln(d.cfg.Out)
	d.say("order "+d.ordered.Status, "payment %s, parcels %s", d.ordered.PaymentStatus, d.ordered.FulfilmentStatus)
	return nil
}
