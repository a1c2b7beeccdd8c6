package suite

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// patience is how long a test waits for what the functions behind the queues do.
const patience = 20 * time.Second

// bought is what the tests of a whole purchase read of an order.
type bought struct {
	ID               string `json:"id"`
	Status           string `json:"status"`
	PaymentStatus    string `json:"payment_status"`
	FulfilmentStatus string `json:"fulfilment_status"`
	Total            Price  `json:"total"`
	Version          int64  `json:"version"`
}

// charged is what these tests read of a payment.
type charged struct {
	ID         string `json:"id"`
	OrderID    string `json:"order_id"`
	Status     string `json:"status"`
	Authorized Price  `json:"authorized"`
	Captured   Price  `json:"captured"`
	Refunded   Price  `json:"refunded"`
}

// parcel is a shipment as clients read it.
type parcel struct {
	ID            string       `json:"id"`
	OrderID       string       `json:"order_id"`
	Status        string       `json:"status"`
	Carrier       string       `json:"carrier"`
	Lines         []parcelLine `json:"lines"`
	Amount        Price        `json:"amount"`
	TrackingToken string       `json:"tracking_token"`
	Milestones    []milestone  `json:"milestones"`
	Version       int64        `json:"version"`
	CreatedAt     string       `json:"created_at"`
	UpdatedAt     string       `json:"updated_at"`
}

type parcelLine struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

type milestone struct {
	Type string `json:"type"`
	At   string `json:"at"`
}

// read decodes the members of the body that v has.
func (a Answer) read(t TB, v any) {
	t.Helper()
	if err := json.Unmarshal(a.Body, v); err != nil {
		t.Fatalf("%d %s: %v", a.Status, a.Body, err)
	}
}

// eventually ends the test if done does not become true in time. what is the state that is waited for.
func (c *Caller) eventually(t TB, what string, done func() bool) {
	t.Helper()
	for until := time.Now().Add(patience); !done(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%s: not within %s", what, patience)
		}
	}
}

// buyer is a customer whom no other test knows.
type buyer struct {
	c     *Caller
	token string
}

func (c *Caller) newBuyer(t TB) buyer {
	t.Helper()
	return buyer{c: c, token: c.Buyer(t)}
}

// withKey returns the request with a new idempotency key.
func withKey(r Request) Request {
	r.Header = map[string]string{headerKey: unique()}
	return r
}

// as returns the request with a token.
func as(token string, r Request) Request {
	r.Token = token
	return r
}

func get(path, token string) Request {
	return Request{Method: http.MethodGet, Path: path, Token: token}
}

func orderPath(id string) string { return "/v1/orders/" + id }

// order orders pieces of a product.
func (b buyer) order(t TB, p Product, pieces int64) bought {
	t.Helper()
	body := Document{"lines": []Document{{"sku": p.SKU, "quantity": pieces}}, "ship_to": Destination("ES")}
	var o bought
	b.c.Do(t, withKey(as(b.token, post("/v1/orders", body)))).want(t, http.StatusCreated).read(t, &o)
	return o
}

// pay pays an order and waits until it is confirmed. capture is automatic or manual.
func (b buyer) pay(t TB, o bought, capture string) charged {
	t.Helper()
	var p charged
	body := Document{"payment_method": "pm_card_visa", "capture": capture}
	b.c.Do(t, withKey(as(b.token, post(orderPath(o.ID)+"/payments", body)))).want(t, http.StatusCreated).read(t, &p)
	b.waits(t, o, "the confirmed order", func(o bought) bool { return o.Status == "confirmed" })
	return p
}

// waits reads the order until it is as wanted.
func (b buyer) waits(t TB, o bought, what string, is func(bought) bool) bought {
	t.Helper()
	b.c.eventually(t, what, func() bool {
		b.c.Do(t, get(orderPath(o.ID), b.token)).want(t, http.StatusOK).read(t, &o)
		return is(o)
	})
	return o
}

// waitsFor reads the payment until it is as wanted.
func (b buyer) waitsFor(t TB, p charged, what string, is func(charged) bool) charged {
	t.Helper()
	b.c.eventually(t, what, func() bool {
		b.c.Do(t, get("/v1/payments/"+p.ID, b.token)).want(t, http.StatusOK).read(t, &p)
		return is(p)
	})
	return p
}

// timeline returns the types of the order's events, oldest first.
func (b buyer) timeline(t TB, o bought) []string {
	t.Helper()
	var page struct {
		Data []struct {
			Type string `json:"type"`
		} `json:"data"`
		HasMore bool `json:"has_more"`
	}
	b.c.Do(t, get(orderPath(o.ID)+"/events?limit=100", b.token)).want(t, http.StatusOK).read(t, &page)
	types := make([]string, len(page.Data))
	for i, e := range page.Data {
		types[i] = e.Type
	}
	return types
}

// shipping is the request that ships lines of an order; no lines are all that are left.
func (c *Caller) shipping(t TB, orderID string, lines ...Document) Request {
	t.Helper()
	body := Document{"carrier": "Correos"}
	if lines != nil {
		body["lines"] = lines
	}
	return withKey(as(c.As(t, roleFulfilment), post(orderPath(orderID)+"/shipments", body)))
}

// ships puts lines of an order into a parcel.
func (c *Caller) ships(t TB, orderID string, lines ...Document) parcel {
	t.Helper()
	var s parcel
	c.Do(t, c.shipping(t, orderID, lines...)).want(t, http.StatusCreated).decode(t, &s)
	return s
}

// carrierReport is the body of a carrier's report about something that happened now.
func carrierReport(shipmentID, eventID, of string, at time.Time) Document {
	return Document{"shipment_id": shipmentID, "event_id": eventID, "type": of, "at": at.UTC().Format(time.RFC3339Nano)}
}

// signedAt is the carrier's request, signed at a time.
func (c *Caller) signedAt(t TB, at time.Time, body Document) Request {
	t.Helper()
	secret, err := c.target.Secret("CarrierKeySecret")
	if err != nil {
		t.Fatalf("read the carriers' key: %v", err)
	}
	var key struct {
		Key string `json:"key"`
	}
	if err := json.Unmarshal(secret, &key); err != nil {
		t.Fatalf("decode the carriers' key: %v", err)
	}
	return signed(post("/v1/webhooks/carrier", body), "Carrier-Signature", key.Key, at)
}

// signed returns the request with a header that signs the time and the body with HMAC-SHA256.
func signed(r Request, header, key string, at time.Time) Request {
	mac := hmac.New(sha256.New, []byte(key))
	_, _ = fmt.Fprintf(mac, "%d.%s", at.Unix(), r.Body)
	r.Header = map[string]string{header: fmt.Sprintf("t=%d,v1=%s", at.Unix(), hex.EncodeToString(mac.Sum(nil)))}
	return r
}

// count returns how often the list has the text.
func count(list []string, text string) int {
	return len(slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s != text }))
}
