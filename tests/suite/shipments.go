package suite

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// paidOrder returns a confirmed order of pieces of a new product.
func (c *Caller) paidOrder(t TB, pieces int64) (buyer, Product, bought) {
	t.Helper()
	p, b := c.onSale(t, pieces), c.newBuyer(t)
	o := b.order(t, p, pieces)
	b.pay(t, o, "automatic")
	return b, p, o
}

func shipmentPath(id string) string { return "/v1/shipments/" + id }

// reporting is the request of staff that reports what happened to a parcel.
func (c *Caller) reporting(t TB, shipmentID string, report Document) Request {
	t.Helper()
	return as(c.As(t, roleFulfilment), post(shipmentPath(shipmentID)+"/events", report))
}

func overShip(pointers ...string) refusal {
	return refused(http.StatusUnprocessableEntity, "over_ship", pointers...)
}

func (c *Caller) testShipments(t *testing.T) {
	b, p, o := c.paidOrder(t, 4)
	list := orderPath(o.ID) + "/shipments"
	t.Run("Refused", func(t *testing.T) { c.testShippingRefuses(t, p, o) })

	r := c.shipping(t, o.ID, Document{"sku": p.SKU, "quantity": 3})
	made := c.Do(t, r).want(t, http.StatusCreated)
	var first parcel
	made.decode(t, &first)
	made.wantHeader(t, headerLocation, "../../shipments/"+first.ID)
	want := parcel{
		ID: first.ID, OrderID: o.ID, Status: "created", Carrier: "Correos", Lines: []parcelLine{{p.SKU, 3}}, Amount: first.Amount,
		TrackingToken: first.TrackingToken, Milestones: []milestone{}, Version: 1, CreatedAt: first.CreatedAt, UpdatedAt: first.CreatedAt,
	}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("shipment (-want +got):\n%s", diff)
	}
	again := c.Do(t, r).want(t, http.StatusCreated)
	again.wantHeader(t, headerReplayed, "true")
	if !bytes.Equal(again.Body, made.Body) {
		t.Errorf("repeated: %s, at first: %s", again.Body, made.Body)
	}
	c.Do(t, c.shipping(t, o.ID, Document{"sku": p.SKU, "quantity": 2})).wantProblem(t, overShip("/lines/0/quantity"))
	rest := c.ships(t, o.ID)
	c.Do(t, c.shipping(t, o.ID)).wantProblem(t, refused(http.StatusConflict, "invalid_transition"))

	t.Run("Read", func(t *testing.T) {
		var page struct {
			Data    []parcel `json:"data"`
			HasMore bool     `json:"has_more"`
		}
		for _, token := range []string{b.token, c.As(t, roleSupport), c.As(t, roleFulfilment), c.As(t, roleAdmin)} {
			var got parcel
			a := c.Do(t, get(shipmentPath(first.ID), token)).want(t, http.StatusOK)
			a.wantHeader(t, headerETag, `"1"`)
			a.decode(t, &got)
			c.Do(t, get(list, token)).want(t, http.StatusOK).decode(t, &page)
			if diff := cmp.Diff([]parcel{first, first, rest}, append([]parcel{got}, page.Data...)); diff != "" {
				t.Errorf("shipments (-want +got):\n%s", diff)
			}
		}
	})
	t.Run("Reported", func(t *testing.T) { c.testReports(t, first) })
	t.Run("Signed", func(t *testing.T) { c.testCarrier(t, rest) })
	t.Run("ForTheirRoles", func(t *testing.T) {
		report := Document{"event_id": "e", "type": "lost", "at": "2026-03-01T12:00:00Z"}
		c.testProtected(t, c.shipping(t, o.ID), []string{roleFulfilment})
		c.testProtected(t, c.reporting(t, nobodysID, report), []string{roleFulfilment})
	})
}

func (c *Caller) testShippingRefuses(t *testing.T, p Product, o bought) {
	line := func(sku, quantity any) Document { return Document{"sku": sku, "quantity": quantity} }
	for name, tc := range map[string]struct {
		body Document
		want refusal
	}{
		"Zero":        {Document{"lines": []Document{line(p.SKU, 0)}}, invalid("/lines/0/quantity")},
		"Negative":    {Document{"lines": []Document{line(p.SKU, -1)}}, invalid("/lines/0/quantity")},
		"Huge":        {Document{"lines": []Document{line(p.SKU, 1e15)}}, invalid("/lines/0/quantity")},
		"Fraction":    {Document{"lines": []Document{line(p.SKU, 1.5)}}, invalid("/lines/0/quantity")},
		"UnknownSKU":  {Document{"lines": []Document{line("NOT-"+unique(), 1)}}, overShip("/lines/0/sku")},
		"SameSKU":     {Document{"lines": []Document{line(p.SKU, 1), line(p.SKU, 1)}}, invalid("/lines/1/sku")},
		"TooMany":     {Document{"lines": []Document{line(p.SKU, 5)}}, overShip("/lines/0/quantity")},
		"NoLines":     {Document{"lines": []Document{}}, invalid("/lines")},
		"NoCarrier":   {Document{"carrier": drop}, invalid("/carrier")},
		"LongCarrier": {Document{"carrier": repeat("c", 65)}, invalid("/carrier")},
		"OwnStatus":   {Document{"status": "delivered"}, invalid("/status")},
	} {
		t.Run(name, func(t *testing.T) {
			r := c.shipping(t, o.ID)
			r.Body = Document{"carrier": "Correos"}.With(tc.body).String()
			c.Do(t, r).wantProblem(t, tc.want)
		})
	}
	r := c.shipping(t, o.ID)
	r.Header = nil
	c.Do(t, r).wantProblem(t, refused(http.StatusBadRequest, "idempotency_key_required", headerKey))
	c.Do(t, c.shipping(t, nobodysID)).wantProblem(t, refused(http.StatusNotFound, "order_not_found"))
	var page struct {
		Data []parcel `json:"data"`
	}
	c.Do(t, get(orderPath(o.ID)+"/shipments", c.As(t, roleFulfilment))).want(t, http.StatusOK).read(t, &page)
	if len(page.Data) != 0 {
		t.Errorf("refused requests made the shipments %+v", page.Data)
	}
}

// testReports reports as staff: a late report and a repeated one move nothing.
func (c *Caller) testReports(t *testing.T, s parcel) {
	now := time.Now()
	report := func(event, of string, at time.Time) Answer {
		return c.Do(t, c.reporting(t, s.ID, Document{"event_id": event, "type": of, "at": at.UTC().Format(time.RFC3339Nano)}))
	}
	var scan struct {
		EventID    string `json:"event_id"`
		ShipmentID string `json:"shipment_id"`
		Type       string `json:"type"`
		At         string `json:"at"`
		Moved      bool   `json:"moved"`
		Status     string `json:"status"`
		ReceivedAt string `json:"received_at"`
	}
	first := report("e2", "in_transit", now).want(t, http.StatusAccepted)
	first.decode(t, &scan)
	if !scan.Moved || scan.Status != "in_transit" || scan.ShipmentID != s.ID {
		t.Errorf("got %+v", scan)
	}
	report("e1", "picked_up", now.Add(-time.Minute)).want(t, http.StatusAccepted).decode(t, &scan)
	if scan.Moved || scan.Status != "in_transit" {
		t.Errorf("a late report: %+v", scan)
	}
	report("e0", "in_transit", now.Add(-time.Hour)).want(t, http.StatusAccepted).decode(t, &scan)
	if scan.Moved || scan.Status != "in_transit" {
		t.Errorf("an older report of the same type: %+v", scan)
	}
	if again := report("e2", "delivered", now).want(t, http.StatusAccepted); !bytes.Equal(again.Body, first.Body) {
		t.Errorf("a repeated report: %s, at first: %s", again.Body, first.Body)
	}
	report("e3", "in_transit", now.Add(time.Hour)).wantProblem(t, invalid("/at"))
	report("e3", "stolen", now).wantProblem(t, invalid("/type"))
	report("a b", "lost", now).wantProblem(t, invalid("/event_id"))
	c.Do(t, c.reporting(t, s.ID, Document{})).wantProblem(t, invalid("/event_id", "/type", "/at"))
	c.Do(t, c.reporting(t, nobodysID, Document{"event_id": "e", "type": "lost", "at": "2026-03-01T12:00:00Z"})).
		wantProblem(t, refused(http.StatusNotFound, "shipment_not_found"))

	a := c.Do(t, Request{Method: http.MethodGet, Path: "/v1/track/" + s.TrackingToken}).want(t, http.StatusOK)
	a.wantMembers(t, "status", "carrier", "milestones", "created_at", "updated_at")
	var seen struct {
		Status     string      `json:"status"`
		Milestones []milestone `json:"milestones"`
	}
	a.read(t, &seen)
	if seen.Status != "in_transit" || len(seen.Milestones) != 2 || seen.Milestones[0].Type != "picked_up" {
		t.Errorf("tracking shows %+v", seen)
	}
	for _, token := range []string{"x", repeat("A", 26), strings.ToLower(s.TrackingToken)} {
		c.Do(t, Request{Method: http.MethodGet, Path: "/v1/track/" + token}).wantProblem(t, refused(http.StatusNotFound, "shipment_not_found"))
	}
}

// testCarrier reports as the carrier.
func (c *Caller) testCarrier(t *testing.T, s parcel) {
	now := time.Now()
	signature := func(status int, code string) refusal { return refused(status, code, "Carrier-Signature") }
	body := carrierReport(s.ID, "e1", "picked_up", now)
	unsigned := c.signedAt(t, now, body)
	unsigned.Header = nil
	c.Do(t, unsigned).wantProblem(t, signature(http.StatusUnauthorized, "bad_signature"))
	other := c.signedAt(t, now, body)
	other.Body = body.With(Document{"type": "delivered"}).String()
	c.Do(t, other).wantProblem(t, signature(http.StatusUnauthorized, "bad_signature"))
	for _, late := range []time.Duration{-10 * time.Minute, 10 * time.Minute} {
		c.Do(t, c.signedAt(t, now.Add(late), body)).wantProblem(t, signature(http.StatusBadRequest, "stale_signature"))
	}
	c.Do(t, c.signedAt(t, now, Document{})).wantProblem(t, invalid("/shipment_id", "/event_id", "/type", "/at"))
	c.Do(t, c.signedAt(t, now, carrierReport(nobodysID, "e1", "lost", now))).wantProblem(t, refused(http.StatusNotFound, "shipment_not_found"))

	var got parcel
	c.Do(t, get(shipmentPath(s.ID), c.As(t, roleFulfilment))).want(t, http.StatusOK).decode(t, &got)
	if diff := cmp.Diff(s, got); diff != "" {
		t.Errorf("refused reports have changed the shipment (-before +after):\n%s", diff)
	}
	first := c.Do(t, c.signedAt(t, now, body)).want(t, http.StatusAccepted)
	again := c.Do(t, c.signedAt(t, now, body)).want(t, http.StatusAccepted) // a webhook that is sent twice
	if !bytes.Equal(first.Body, again.Body) {
		t.Errorf("repeated: %s, at first: %s", again.Body, first.Body)
	}
	c.Do(t, c.signedAt(t, now, carrierReport(s.ID, "e0", "picked_up", now.Add(-time.Hour)))).want(t, http.StatusAccepted) // an older one
	c.Do(t, get(shipmentPath(s.ID), c.As(t, roleFulfilment))).want(t, http.StatusOK).decode(t, &got)
	if got.Status != "picked_up" || got.Version != 2 {
		t.Errorf("the shipment is %+v", got)
	}
}
