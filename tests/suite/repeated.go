package suite

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// attempt is a request with an idempotency key, made ready.
type attempt struct {
	request Request
	// other is the body of another request of the same caller.
	other Document
	// stranger is another caller who sends the same request with the same key, and theirs the status that it gets.
	stranger string
	theirs   int
	// effects counts how often the request took effect. It is nil where only the answers show it, by a new id.
	effects func() int
}

// keyed are the routes with idempotency keys, by name, and how each gets ready for a request.
func keyed() map[string]func(*Caller, TB) attempt {
	return map[string]func(*Caller, TB) attempt{
		"adjust-inventory": (*Caller).adjustsOnce,
		"create-quote":     (*Caller).quotesOnce,
		"create-discount":  (*Caller).discountsOnce,
		"create-order":     (*Caller).ordersOnce,
		"cancel-order":     (*Caller).cancelsOnce,
		"create-payment":   (*Caller).paysOnce,
		"capture-payment":  (*Caller).capturesOnce,
		"void-payment":     (*Caller).voidsOnce,
		"create-refund":    (*Caller).refundsOnce,
		"create-shipment":  (*Caller).shipsOnce,
	}
}

// Keyed returns the names of the routes whose idempotency keys are tested.
func Keyed() []string { return slices.Sorted(maps.Keys(keyed())) }

// Repeat tests the idempotency keys of a route: a request whose answer is lost is repeated, with another body, by another
// caller, and by several requests at once. before is called before the first request.
func (c *Caller) Repeat(t *testing.T, route string, parallel int, before func()) {
	t.Helper()
	t.Run("AnswerIsLost", func(t *testing.T) {
		a := keyed()[route](c, t)
		before()
		first := c.Do(t, a.request) // the client does not see it
		if first.Status/100 != 2 {
			t.Fatalf("got %d %s", first.Status, first.Body)
		}
		first.wantHeader(t, headerReplayed, "")
		for range 2 {
			sameAnswer(t, first, c.Do(t, a.request))
		}
		a.wantEffects(t, 1)

		changed := a.request
		changed.Body = a.other.String()
		c.Do(t, changed).wantProblem(t, refused(http.StatusUnprocessableEntity, "idempotency_key_reused", headerKey))
		a.wantEffects(t, 1)

		stranger := a.request
		stranger.Token = a.stranger
		theirs := c.Do(t, stranger)
		theirs.wantHeader(t, headerReplayed, "")
		if theirs.Status != a.theirs || bytes.Equal(theirs.Body, first.Body) {
			t.Errorf("another caller gets %d %s, want %d and an answer of their own", theirs.Status, theirs.Body, a.theirs)
		}
		sameAnswer(t, first, c.Do(t, a.request))
	})
	t.Run("SeveralAtOnce", func(t *testing.T) {
		a := keyed()[route](c, t)
		answers := make([]Answer, parallel)
		var group sync.WaitGroup
		start := make(chan struct{})
		for i := range answers {
			group.Go(func() {
				<-start
				answers[i], _ = c.Send(t, a.request)
			})
		}
		close(start)
		group.Wait()
		var first []Answer
		for _, answer := range answers {
			if answer.Status/100 == 2 && answer.Header.Get(headerReplayed) == "" {
				first = append(first, answer)
			}
		}
		if len(first) != 1 {
			t.Fatalf("%d answers are first, want 1: %s", len(first), statuses(answers))
		}
		for _, answer := range answers {
			switch {
			case answer.Status == http.StatusConflict:
				answer.wantProblem(t, refused(http.StatusConflict, "request_in_progress"))
				answer.wantHeader(t, "Retry-After", "1")
			case answer.Header.Get(headerReplayed) != "":
				sameAnswer(t, first[0], answer)
			case !bytes.Equal(answer.Body, first[0].Body):
				t.Errorf("got %d %s, want the first answer %s", answer.Status, answer.Body, first[0].Body)
			}
		}
		sameAnswer(t, first[0], c.Do(t, a.request))
		a.wantEffects(t, 1)
	})
}

func statuses(answers []Answer) []byte {
	var text []byte
	for _, a := range answers {
		text = append(append(text, a.Body...), '\n')
	}
	return text
}

// sameAnswer reports a repetition that does not have the first answer.
func sameAnswer(t TB, first, again Answer) {
	t.Helper()
	again.wantHeader(t, headerReplayed, "true")
	again.wantHeader(t, headerLocation, first.Header.Get(headerLocation))
	again.wantHeader(t, headerContentType, first.Header.Get(headerContentType))
	if again.Status != first.Status || !bytes.Equal(again.Body, first.Body) {
		t.Errorf("the repetition gets %d %s, want %d %s", again.Status, again.Body, first.Status, first.Body)
	}
}

func (a attempt) wantEffects(t TB, want int) {
	t.Helper()
	if a.effects == nil {
		return
	}
	if got := a.effects(); got != want {
		t.Errorf("the request took effect %d times, want %d", got, want)
	}
}

// keyedTo is a request with a new key.
func keyedTo(path, token string, body Document) Request {
	return Request{Method: http.MethodPost, Path: path, Token: token, Body: body.String(), Header: map[string]string{headerKey: unique()}}
}

// other returns a token of a user with the role whom no test uses.
func (c *Caller) other(t TB, role string) string {
	t.Helper()
	return c.token(t, time.Now(), "user-"+unique(), role)
}

func (c *Caller) adjustsOnce(t TB) attempt {
	t.Helper()
	p := c.Create(t, NewProduct())
	return attempt{
		request: c.Adjusting(t, p, unique(), Movement(3)), other: Document{"delta": 4, "reason": "delivery"},
		stranger: c.other(t, roleFulfilment), theirs: http.StatusCreated,
		effects: func() int { return int(c.Stock(t, p).Version) - 1 },
	}
}

func (c *Caller) quotesOnce(t TB) attempt {
	t.Helper()
	p := c.Create(t, NewProduct())
	return attempt{
		request: keyedTo("/v1/quotes", c.Buyer(t), Wanting(2, p)), other: Wanting(3, p), stranger: c.Buyer(t), theirs: http.StatusCreated,
	}
}

func (c *Caller) discountsOnce(t TB) attempt {
	t.Helper()
	r := c.discounting(t, Document{"code": "ONCE-" + unique(), "percent": "10"})
	return attempt{
		request: r, other: Document{"code": "TWICE-" + unique(), "percent": "10"},
		stranger: c.other(t, roleCatalog), theirs: http.StatusConflict, // the code exists
	}
}

func (c *Caller) ordersOnce(t TB) attempt {
	t.Helper()
	const pieces = 2
	p := c.onSale(t, 3) // too few for two orders
	return attempt{
		request: Ordering(c.Buyer(t), Wanting(pieces, p)), other: Wanting(1, p),
		stranger: c.Buyer(t), theirs: http.StatusConflict, // out of stock
		effects: func() int { return int(c.Stock(t, p).Reserved) / pieces },
	}
}

// ofOrder returns what counts the events of a type of an order.
func (c *Caller) ofOrder(t TB, token, id, event string) func() int {
	t.Helper()
	return func() int {
		n := 0
		for _, typ := range c.timeline(t, token, id) {
			if typ == event {
				n++
			}
		}
		return n
	}
}

func (c *Caller) cancelsOnce(t TB) attempt {
	t.Helper()
	buyer := c.Buyer(t)
	o := c.Order(t, buyer, Wanting(2, c.onSale(t, 3)))
	return attempt{
		request: Cancelling(buyer, o.ID, `{}`), other: Document{"reason": "mistake"},
		stranger: c.Buyer(t), theirs: http.StatusNotFound,
		effects: c.ofOrder(t, buyer, o.ID, "order.cancelled"),
	}
}

func (c *Caller) paysOnce(t TB) attempt {
	t.Helper()
	buyer := c.Buyer(t)
	o := c.Order(t, buyer, Wanting(2, c.onSale(t, 3)))
	return attempt{
		request:  keyedTo(o.path()+"/payments", buyer, Document{"payment_method": "pm_card_visa", "capture": "manual"}),
		other:    Document{"payment_method": "pm_card_visa", "capture": "automatic"},
		stranger: c.Buyer(t), theirs: http.StatusNotFound,
		effects: c.ofOrder(t, buyer, o.ID, "payment.authorized"),
	}
}

// paid is a payment of an order of a new customer.
type paid struct {
	buyer, orderID, path string
	total                Price
}

func (c *Caller) paid(t TB, capture string) paid {
	t.Helper()
	buyer := c.Buyer(t)
	o := c.Order(t, buyer, Wanting(2, c.onSale(t, 3)))
	a := c.Do(t, keyedTo(o.path()+"/payments", buyer, Document{"payment_method": "pm_card_visa", "capture": capture})).want(t, http.StatusCreated)
	var p Payment
	a.decode(t, &p)
	return paid{buyer: buyer, orderID: o.ID, path: "/v1/payments/" + p.ID, total: o.Total}
}

// ofStaff is a request of support for a payment, which a colleague repeats. refusal is the status that the colleague
// gets once it has taken effect.
func (c *Caller) ofStaff(t TB, p paid, operation string, body, other Document, event string, refusal int) attempt {
	t.Helper()
	return attempt{
		request: keyedTo(p.path+"/"+operation, c.other(t, roleSupport), body), other: other,
		stranger: c.other(t, roleSupport), theirs: refusal,
		effects: c.ofOrder(t, p.buyer, p.orderID, event),
	}
}

func (c *Caller) capturesOnce(t TB) attempt {
	t.Helper()
	p := c.paid(t, "manual")
	less := Price{p.total.AmountMinor - 1, p.total.Currency}
	return c.ofStaff(t, p, "capture", Document{}, Document{"amount": less}, "payment.captured", http.StatusConflict)
}

func (c *Caller) voidsOnce(t TB) attempt {
	t.Helper()
	return c.ofStaff(t, c.paid(t, "manual"), "void", Document{}, Document{"unused": true}, "payment.voided", http.StatusConflict)
}

func (c *Caller) refundsOnce(t TB) attempt {
	t.Helper()
	p := c.paid(t, "automatic")
	body := Document{"amount": p.total, "reason": "damaged"}
	return c.ofStaff(t, p, "refunds", body, body.With(Document{"reason": "late"}), "payment.refunded", http.StatusConflict)
}

func (c *Caller) shipsOnce(t TB) attempt {
	t.Helper()
	b, p, o := c.paidOrder(t, 4)
	r := c.shipping(t, o.ID, Document{"sku": p.SKU, "quantity": 3})
	return attempt{
		request: r, other: Document{"carrier": "Correos"},
		stranger: c.other(t, roleFulfilment), theirs: http.StatusUnprocessableEntity, // one piece is left
		effects: c.ofOrder(t, b.token, o.ID, "shipment.created"),
	}
}
