package suite

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"
)

// change is a request without an idempotency key, and what the same request gets after it.
type change struct {
	request Request
	first   int
	again   func(t TB, first, again Answer)
	// version reads the version of what the request changes. It is nil where nothing has one.
	version func() int64
}

// changes are the routes of the shop that change something and have no idempotency key, by name. put-pricing-rules is
// not among them: its rules are shared, and testPricingRules repeats it.
func changes() map[string]func(*Caller, TB) change {
	return map[string]func(*Caller, TB) change{
		"create-product":         (*Caller).createsAgain,
		"update-product":         (*Caller).updatesAgain,
		"archive-product":        (*Caller).archivesAgain,
		"update-discount":        (*Caller).updatesDiscountAgain,
		"delete-discount":        (*Caller).deletesDiscountAgain,
		"add-shipment-event":     (*Caller).reportsAgain,
		"receive-carrier-event":  (*Caller).signsAgain,
		"receive-stripe-webhook": (*Caller).notifiesAgain,
	}
}

// Changes returns the names of the routes without idempotency keys whose requests the part Repeated repeats.
func Changes() []string { return slices.Sorted(maps.Keys(changes())) }

// testRepeated sends requests without idempotency keys a second time, as a client does whose answer was lost: they take
// effect once.
func (c *Caller) testRepeated(t *testing.T) {
	for name, ready := range changes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one := ready(c, t)
			first := c.Do(t, one.request).want(t, one.first)
			var version int64
			if one.version != nil {
				version = one.version()
			}
			one.again(t, first, c.Do(t, one.request))
			if one.version != nil && one.version() != version {
				t.Errorf("the repeated request made version %d of %d", one.version(), version)
			}
		})
	}
}

// gets returns what expects a refusal of the repeated request.
func gets(want refusal) func(TB, Answer, Answer) {
	return func(t TB, _, again Answer) {
		t.Helper()
		again.wantProblem(t, want)
	}
}

// getsTheSame expects the first answer again.
func getsTheSame(t TB, first, again Answer) {
	t.Helper()
	if again.Status != first.Status || !bytes.Equal(again.Body, first.Body) {
		t.Errorf("the repetition gets %d %s, want %d %s", again.Status, again.Body, first.Status, first.Body)
	}
}

func changed() refusal { return refused(http.StatusPreconditionFailed, "precondition_failed") }

// versionOf returns what reads the version of a resource.
func (c *Caller) versionOf(t TB, r Request) func() int64 {
	return func() int64 {
		t.Helper()
		var body struct {
			Version int64 `json:"version"`
		}
		c.Do(t, r).want(t, http.StatusOK).read(t, &body)
		return body.Version
	}
}

// ifFirst is a request for the first version.
func ifFirst(method, path, token, body string) Request {
	return Request{Method: method, Path: path, Token: token, Body: body, Header: map[string]string{headerIfMatch: `"1"`}}
}

func (c *Caller) createsAgain(t TB) change {
	t.Helper()
	return change{
		request: as(c.As(t, roleCatalog), post("/v1/products", NewProduct())), first: http.StatusCreated,
		again: gets(refused(http.StatusConflict, "sku_exists", "/sku")),
	}
}

func (c *Caller) updatesAgain(t TB) change {
	t.Helper()
	p, staff := c.Create(t, NewProduct()), c.As(t, roleCatalog)
	return change{
		request: ifFirst(http.MethodPatch, "/v1/products/"+p.ID, staff, `{"name":"Other"}`), first: http.StatusOK, again: gets(changed()),
		version: c.versionOf(t, get("/v1/staff/products/"+p.ID, staff)),
	}
}

func (c *Caller) archivesAgain(t TB) change {
	t.Helper()
	p, staff := c.Create(t, NewProduct()), c.As(t, roleCatalog)
	return change{
		request: ifFirst(http.MethodDelete, "/v1/products/"+p.ID, staff, ""), first: http.StatusNoContent, again: getsTheSame,
		version: c.versionOf(t, get("/v1/staff/products/"+p.ID, staff)),
	}
}

func (c *Caller) updatesDiscountAgain(t TB) change {
	t.Helper()
	path, staff := "/v1/discounts/"+c.discount(t, Document{"percent": "10"}), c.As(t, roleCatalog)
	return change{
		request: ifFirst(http.MethodPatch, path, staff, `{"percent":"20"}`), first: http.StatusOK, again: gets(changed()),
		version: c.versionOf(t, get(path, staff)),
	}
}

func (c *Caller) deletesDiscountAgain(t TB) change {
	t.Helper()
	path := "/v1/discounts/" + c.discount(t, Document{"percent": "10"})
	return change{
		request: ifFirst(http.MethodDelete, path, c.As(t, roleCatalog), ""), first: http.StatusNoContent,
		again: gets(refused(http.StatusNotFound, "discount_not_found")),
	}
}

// sent is a new shipment, and what reads its version.
func (c *Caller) sent(t TB) (id string, version func() int64) {
	t.Helper()
	_, _, o := c.paidOrder(t, 1)
	id = c.ships(t, o.ID).ID
	return id, c.versionOf(t, get(shipmentPath(id), c.As(t, roleFulfilment)))
}

func (c *Caller) reportsAgain(t TB) change {
	t.Helper()
	id, version := c.sent(t)
	report := Document{"event_id": "e1", "type": "picked_up", "at": time.Now().UTC().Format(time.RFC3339Nano)}
	return change{request: c.reporting(t, id, report), first: http.StatusAccepted, again: getsTheSame, version: version}
}

func (c *Caller) signsAgain(t TB) change {
	t.Helper()
	id, version := c.sent(t)
	now := time.Now()
	return change{
		request: c.signedAt(t, now, carrierReport(id, "e1", "picked_up", now)), first: http.StatusAccepted, again: getsTheSame, version: version,
	}
}

func (c *Caller) notifiesAgain(t TB) change {
	t.Helper()
	return change{request: c.notification(t, time.Now()), first: http.StatusOK, again: getsTheSame}
}

// notification is a notification of Stripe, signed at the time, about a payment that the shop does not know.
func (c *Caller) notification(t TB, at time.Time) Request {
	t.Helper()
	secret, err := c.target.Secret("StripeSecret")
	if err != nil {
		t.Fatalf("read Stripe's keys: %v", err)
	}
	var keys struct {
		Webhook string `json:"webhook_secrets"` // one, while no key is rotated
	}
	if err := json.Unmarshal(secret, &keys); err != nil {
		t.Fatalf("decode Stripe's keys: %v", err)
	}
	body := Document{"id": "evt_" + unique(), "type": "payment_intent.succeeded", "data": Document{"object": Document{
		"id": "pi_" + unique(), "status": "succeeded", "currency": "eur", "amount": 1000, "amount_received": 1000,
		"metadata": Document{"payment_id": newULID()},
	}}}
	return signed(post("/v1/webhooks/stripe", body), "Stripe-Signature", keys.Webhook, at)
}
