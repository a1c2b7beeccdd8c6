package suite

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/oklog/ulid/v2"
)

// owned are the ids of what belongs to one customer, and of what belongs to the shop.
type owned struct {
	order, payment, shipment, quote, session string
	product, discount, user                  string
	access                                   string // the user's token
}

// foreignRoutes returns a request to each route with an id, by the route's name.
func foreignRoutes(token string, of owned) map[string]Request {
	keyed := func(path string, body Document) Request { return withKey(as(token, post(path, body))) }
	change := func(method, path, body string) Request {
		return Request{Method: method, Path: path, Token: token, Body: body, Header: map[string]string{headerIfMatch: `"1"`}}
	}
	refund := Document{"amount": Document{"amount_minor": 1, "currency": "EUR"}, "reason": "broken"}
	report := Document{"event_id": "e1", "type": "lost", "at": "2026-03-01T12:00:00Z"}
	product, discount, user := "/v1/products/"+of.product, "/v1/discounts/"+of.discount, "/v1/users/"+of.user
	return map[string]Request{
		"get-quote":            get("/v1/quotes/"+of.quote, token),
		"create-order":         keyed("/v1/orders", Document{"quote_id": of.quote}),
		"get-order":            get(orderPath(of.order), token),
		"list-order-events":    get(orderPath(of.order)+"/events", token),
		"cancel-order":         keyed(orderPath(of.order)+"/cancel", Document{}),
		"create-payment":       keyed(orderPath(of.order)+"/payments", Document{"payment_method": "pm_card_visa", "capture": "automatic"}),
		"list-order-shipments": get(orderPath(of.order)+"/shipments", token),
		"create-shipment":      keyed(orderPath(of.order)+"/shipments", Document{"carrier": "Correos"}),
		"get-payment":          get("/v1/payments/"+of.payment, token),
		"capture-payment":      keyed("/v1/payments/"+of.payment+"/capture", Document{}),
		"void-payment":         keyed("/v1/payments/"+of.payment+"/void", Document{}),
		"create-refund":        keyed("/v1/payments/"+of.payment+"/refunds", refund),
		"get-shipment":         get(shipmentPath(of.shipment), token),
		"add-shipment-event":   as(token, post(shipmentPath(of.shipment)+"/events", report)),
		"revoke-session":       {Method: http.MethodDelete, Path: "/v1/auth/sessions/" + of.session, Token: token},
		"get-staff-product":    get("/v1/staff/products/"+of.product, token),
		"update-product":       change(http.MethodPatch, product, `{"name":"Other"}`),
		"archive-product":      change(http.MethodDelete, product, ""),
		"get-inventory":        get(product+"/inventory", token),
		"adjust-inventory":     keyed(product+"/inventory/adjustments", Document{"delta": 1, "reason": "x"}),
		"get-discount":         get(discount, token),
		"update-discount":      change(http.MethodPatch, discount, `{"percent":"99"}`),
		"delete-discount":      change(http.MethodDelete, discount, ""),
		"set-user-roles":       change(http.MethodPut, user+"/roles", `{"roles":["admin"]}`),
		"logout-user":          {Method: http.MethodPost, Path: user + "/logout", Token: token},
		"unlock-user":          {Method: http.MethodPost, Path: user + "/unlock", Token: token},
	}
}

// ForeignRoutes returns the names of the routes that the part Foreign requests.
func ForeignRoutes() []string {
	var names []string
	for name := range foreignRoutes("", owned{}) {
		names = append(names, name)
	}
	return names
}

// testForeign lets a customer ask every route for what belongs to another customer and to the shop, and for ids that
// nobody has: the answers must be the same, and nothing may change.
func (c *Caller) testForeign(t *testing.T) {
	p, owner := c.onSale(t, 2), c.newBuyer(t)
	o := owner.order(t, p, 2)
	of := c.belongings(t, owner, p, owner.pay(t, o, "automatic"))
	nobodys := owned{
		order: newULID(), payment: newULID(), shipment: newULID(), quote: newULID(), session: newULID(), product: newULID(),
		discount: "NO-" + unique(), user: newULID(),
	}
	thief := c.Buyer(t)
	before := c.snapshot(t, owner, of)
	random := foreignRoutes(thief, nobodys)
	for name, r := range foreignRoutes(thief, of) {
		t.Run(name, func(t *testing.T) {
			got, want := c.Do(t, r), c.Do(t, random[name])
			if got.Status != want.Status || got.withoutRequest(t) != want.withoutRequest(t) {
				t.Errorf("a foreign id is answered %d %s, a random one %d %s", got.Status, got.Body, want.Status, want.Body)
			}
			if diff := cmp.Diff(want.comparable(), got.comparable()); diff != "" {
				t.Errorf("headers of a random id and of a foreign one (-random +foreign):\n%s", diff)
			}
			if got.Status < http.StatusBadRequest {
				t.Errorf("got %d %s", got.Status, got.Body)
			}
		})
	}
	for _, path := range []string{"/v1/orders", "/v1/auth/sessions", "/v1/customers/me"} {
		answer := c.Do(t, get(path, thief))
		for _, id := range []string{of.order, of.payment, of.shipment, of.quote, of.session, of.user} {
			if bytes.Contains(answer.Body, []byte(id)) {
				t.Errorf("GET %s shows another customer %s: %s", path, id, answer.Body)
			}
		}
	}
	if diff := cmp.Diff(before, c.snapshot(t, owner, of)); diff != "" {
		t.Errorf("the requests of another customer have changed something (-before +after):\n%s", diff)
	}
}

// belongings makes what the owner of an order has besides.
func (c *Caller) belongings(t *testing.T, owner buyer, p Product, paid charged) owned {
	t.Helper()
	person := c.Register(t)
	pair := c.Login(t, person)
	var sessions struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	c.Do(t, sessionsOf(pair.Access)).want(t, http.StatusOK).read(t, &sessions)
	var quote struct {
		ID string `json:"id"`
	}
	c.Do(t, as(owner.token, post("/v1/quotes", Wanting(1, c.onSale(t, 1))))).want(t, http.StatusCreated).read(t, &quote)
	return owned{
		order: paid.OrderID, payment: paid.ID, shipment: c.ships(t, paid.OrderID, Document{"sku": p.SKU, "quantity": 1}).ID, quote: quote.ID,
		session: sessions.Data[0].ID, product: p.ID, discount: c.discount(t, Document{"percent": "10"}), user: person.ID,
		access: pair.Access,
	}
}

// snapshot reads everything that another customer must not change, without what workers may still change by themselves.
func (c *Caller) snapshot(t *testing.T, owner buyer, of owned) []string {
	t.Helper()
	var o bought
	c.Do(t, get(orderPath(of.order), owner.token)).want(t, http.StatusOK).read(t, &o)
	all := []string{fmt.Sprintf("order %s, %s, %s", o.Status, o.PaymentStatus, o.FulfilmentStatus)}
	for _, r := range []Request{
		get(orderPath(of.order)+"/shipments", owner.token),
		get(shipmentPath(of.shipment), owner.token),
		get("/v1/payments/"+of.payment, owner.token),
		get("/v1/quotes/"+of.quote, owner.token),
		get("/v1/staff/products/"+of.product, c.As(t, roleCatalog)),
		get("/v1/products/"+of.product+"/inventory", c.As(t, roleFulfilment)),
		get("/v1/discounts/"+of.discount, c.As(t, roleCatalog)),
		sessionsOf(of.access),
		get("/v1/customers/me", of.access),
	} {
		all = append(all, string(c.Do(t, r).want(t, http.StatusOK).Body))
	}
	return all
}

func newULID() string { return ulid.MustNew(ulid.Timestamp(time.Now()), rand.Reader).String() }

// comparable returns the headers without those that differ between two requests.
func (a Answer) comparable() http.Header {
	header := a.Header.Clone()
	for _, name := range []string{"X-Request-Id", "Date", "RateLimit", "Apigw-Requestid"} {
		header.Del(name)
	}
	return header
}

// withoutRequest returns the body without the id of the request.
func (a Answer) withoutRequest(t TB) string {
	t.Helper()
	var body map[string]json.RawMessage
	if json.Unmarshal(a.Body, &body) != nil {
		return string(bytes.TrimSpace(a.Body))
	}
	delete(body, "request_id")
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatalf("%s: %v", a.Body, err)
	}
	return string(text)
}
