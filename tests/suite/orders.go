package suite

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Order is an order as clients read it.
type Order struct {
	ID               string      `json:"id"`
	Status           string      `json:"status"`
	PaymentStatus    string      `json:"payment_status"`
	FulfilmentStatus string      `json:"fulfilment_status"`
	Lines            []QuoteLine `json:"lines"`
	Subtotal         Price       `json:"subtotal"`
	Discount         Price       `json:"discount"`
	Shipping         Price       `json:"shipping"`
	Tax              Price       `json:"tax"`
	Total            Price       `json:"total"`
	ShipTo           Document    `json:"ship_to"`
	ExpiresAt        string      `json:"expires_at"`
	Version          int64       `json:"version"`
	CreatedAt        string      `json:"created_at"`
	UpdatedAt        string      `json:"updated_at"`
}

func (o Order) path() string { return "/v1/orders/" + o.ID }

// Ordering is the request that makes an order, with a new idempotency key.
func Ordering(token string, body Document) Request {
	return Request{Method: http.MethodPost, Path: "/v1/orders", Token: token, Body: body.String(), Header: map[string]string{headerKey: unique()}}
}

// Order makes an order and checks its sums.
func (c *Caller) Order(t TB, token string, body Document) Order {
	t.Helper()
	a := c.Do(t, Ordering(token, body)).want(t, http.StatusCreated)
	a.wantMembers(t, "id", "status", "payment_status", "fulfilment_status", "lines", "subtotal", "discount", "shipping", "tax",
		"total", "ship_to", "expires_at", "version", "created_at", "updated_at")
	var o Order
	a.decode(t, &o)
	a.wantHeader(t, headerLocation, "orders/"+o.ID)
	Quote{Lines: o.Lines, Subtotal: o.Subtotal, Discount: o.Discount, Shipping: o.Shipping, Tax: o.Tax, Total: o.Total}.check(t)
	return o
}

// ReadOrder reads an order.
func (c *Caller) ReadOrder(t TB, token, id string) Order {
	t.Helper()
	var o Order
	c.Do(t, Request{Method: http.MethodGet, Path: "/v1/orders/" + id, Token: token}).want(t, http.StatusOK).decode(t, &o)
	return o
}

// Cancelling is the request that cancels an order, with a new idempotency key.
func Cancelling(token, id, body string) Request {
	return Request{
		Method: http.MethodPost, Path: "/v1/orders/" + id + "/cancel", Token: token, Body: body, Header: map[string]string{headerKey: unique()},
	}
}

// onSale creates a product with pieces in stock.
func (c *Caller) onSale(t TB, pieces int64) Product {
	t.Helper()
	p := c.Create(t, NewProduct())
	c.Move(t, p, pieces)
	return p
}

// wantStock compares the counters of a product's stock.
func (c *Caller) wantStock(t TB, p Product, available, reserved, sold int64) {
	t.Helper()
	got := c.Stock(t, p)
	if got.Available != available || got.Reserved != reserved || got.Sold != sold {
		t.Errorf("stock %+v, want %d available, %d reserved and %d sold", got, available, reserved, sold)
	}
}

// timeline returns the types of an order's events.
func (c *Caller) timeline(t TB, token, id string) []string {
	t.Helper()
	var list struct {
		Data []struct {
			ID   string   `json:"id"`
			Type string   `json:"type"`
			Time string   `json:"time"`
			Data Document `json:"data"`
		} `json:"data"`
		HasMore bool `json:"has_more"`
	}
	c.Do(t, Request{Method: http.MethodGet, Path: "/v1/orders/" + id + "/events", Token: token}).want(t, http.StatusOK).decode(t, &list)
	types := []string{}
	for _, e := range list.Data {
		types = append(types, e.Type)
		if e.Data["order_id"] != id {
			t.Errorf("an event of the order %s is about %v", id, e.Data)
		}
	}
	return types
}

func (c *Caller) testOrders(t *testing.T) {
	t.Run("HoldsItsStock", func(t *testing.T) {
		t.Parallel()
		cup, pot := c.onSale(t, 5), c.onSale(t, 5)
		buyer := c.Buyer(t)
		o := c.Order(t, buyer, Wanting(2, cup, pot))
		if o.Status != "pending_payment" || o.PaymentStatus != "none" || o.FulfilmentStatus != "none" || o.Version != 1 || o.Lines[1].ProductID != pot.ID {
			t.Errorf("order %+v", o)
		}
		if created, expires := parse(t, o.CreatedAt), parse(t, o.ExpiresAt); expires.Sub(created) != 15*time.Minute {
			t.Errorf("the order expires after %v, want 15 minutes", expires.Sub(created))
		}
		c.wantStock(t, cup, 3, 2, 0)
		c.wantStock(t, pot, 3, 2, 0)
		if diff := cmp.Diff(o, c.ReadOrder(t, buyer, strings.ToLower(o.ID))); diff != "" {
			t.Errorf("order (-created +read):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"order.created"}, c.timeline(t, buyer, o.ID)); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
	t.Run("OfAQuote", func(t *testing.T) {
		t.Parallel()
		cup, buyer := c.onSale(t, 5), c.Buyer(t)
		code := c.discount(t, Document{"percent": "10", "max_uses_per_customer": 1})
		q := c.Quote(t, buyer, Wanting(2, cup).With(Document{"discount_codes": []string{code}}))
		body := Document{"quote_id": q.ID, "expected_total": q.Total}
		c.Do(t, Ordering(c.Buyer(t), body)).wantProblem(t, refused(http.StatusNotFound, "quote_not_found"))
		c.Do(t, Ordering(buyer, body.With(Document{"ship_to": Destination("DE")}))).wantProblem(t, invalid("/ship_to/country"))
		o := c.Order(t, buyer, body.With(Document{"ship_to": Destination("ES").With(Document{"name": "Ana Ruiz"})}))
		if o.Total != q.Total || o.ShipTo["name"] != "Ana Ruiz" || !slices.Equal(o.Lines, q.Lines) {
			t.Errorf("order %+v of the quote %+v", o, q)
		}
		c.Do(t, Ordering(buyer, body)).wantProblem(t, refused(http.StatusConflict, "quote_used"))
		again := Wanting(1, cup).With(Document{"discount_codes": []string{code}})
		c.Do(t, Ordering(buyer, again)).wantProblem(t, refused(http.StatusUnprocessableEntity, "code_used_up", "/discount_codes/0"))
		c.Do(t, Cancelling(buyer, o.ID, `{}`)).want(t, http.StatusOK)
		c.Order(t, buyer, again) // the use came back
		c.wantStock(t, cup, 4, 1, 0)
	})
	t.Run("RepeatedByItsKey", func(t *testing.T) {
		t.Parallel()
		cup, buyer := c.onSale(t, 5), c.Buyer(t)
		r := Ordering(buyer, Wanting(3, cup))
		first := c.Do(t, r).want(t, http.StatusCreated)
		again := c.Do(t, r).want(t, http.StatusCreated) // although too few are left
		again.wantHeader(t, headerReplayed, "true")
		again.wantHeader(t, headerLocation, first.Header.Get(headerLocation))
		if diff := cmp.Diff(string(first.Body), string(again.Body)); diff != "" {
			t.Errorf("answers (-first +second):\n%s", diff)
		}
		c.wantStock(t, cup, 2, 3, 0)
		other := r
		other.Body = Wanting(1, cup).String()
		c.Do(t, other).wantProblem(t, refused(http.StatusUnprocessableEntity, "idempotency_key_reused", headerKey))
		other.Token = c.Buyer(t) // whose keys are others
		c.Do(t, other).want(t, http.StatusCreated)
		without := r
		without.Header = nil
		c.Do(t, without).wantProblem(t, refused(http.StatusBadRequest, "idempotency_key_required", headerKey))
		c.wantStock(t, cup, 1, 4, 0)
	})
	t.Run("Codes", func(t *testing.T) {
		t.Parallel()
		c.testCodes(t)
	})
	t.Run("Refused", func(t *testing.T) {
		t.Parallel()
		c.testOrdersRefuse(t)
	})
	t.Run("Protected", func(t *testing.T) {
		for route, r := range map[string]Request{
			"create-order": Ordering("", Wanting(1, Product{SKU: "NONE"})), "list-orders": {Method: http.MethodGet, Path: "/v1/orders"},
			"get-order":         {Method: http.MethodGet, Path: "/v1/orders/" + nobodysID},
			"list-order-events": {Method: http.MethodGet, Path: "/v1/orders/" + nobodysID + "/events"},
			"cancel-order":      Cancelling("", nobodysID, `{}`),
		} {
			t.Run(route, func(t *testing.T) {
				t.Parallel()
				c.testProtected(t, r, nil)
			})
		}
	})
}

func parse(t TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return at
}

func (c *Caller) testOrdersRefuse(t *testing.T) {
	cup, rare := c.onSale(t, 100), c.onSale(t, 1)
	draft := c.Create(t, NewProduct().With(Document{"status": "draft"}))
	archived := c.Create(t, NewProduct())
	c.archive(t, archived)
	yen := c.Create(t, NewProduct().With(Document{"price": Document{"amount_minor": 500, "currency": "JPY"}}))
	valid := Wanting(1, cup)
	many := make([]Product, 41)
	for i := range many {
		many[i] = Product{SKU: numbered("SKU-%d", 41)[i]}
	}
	for name, tc := range map[string]struct {
		body Document
		want refusal
	}{
		"Nothing":           {Document{}, invalid("/lines", "/ship_to")},
		"NoLines":           {valid.With(Document{"lines": []Document{}}), invalid("/lines")},
		"TooManyLines":      {Wanting(1, many...), invalid("/lines")},
		"ZeroQuantity":      {Wanting(0, cup), invalid("/lines/0/quantity")},
		"NegativeQuantity":  {Wanting(-1, cup), invalid("/lines/0/quantity")},
		"HugeQuantity":      {Wanting(10_001, cup), invalid("/lines/0/quantity")},
		"HugestQuantity":    {Wanting(1<<53, cup), invalid("/lines/0/quantity")},
		"UnknownSKU":        {Wanting(1, Product{SKU: "SKU-" + unique()}), invalid("/lines/0/sku")},
		"MalformedSKU":      {Wanting(1, Product{SKU: "a b"}), invalid("/lines/0/sku")},
		"Draft":             {Wanting(1, cup, draft), invalid("/lines/1/sku")},
		"Archived":          {Wanting(1, archived), invalid("/lines/0/sku")},
		"OneSKUTwice":       {Wanting(1, cup, cup), invalid("/lines/1/sku")},
		"TwoCurrencies":     {Wanting(1, cup, yen), invalid("/lines/1/sku")},
		"WithoutAddress":    {valid.With(Document{"ship_to": drop}), invalid("/ship_to")},
		"UnknownCountry":    {valid.With(Document{"ship_to": Destination("XX")}), invalid("/ship_to/country")},
		"UnknownCode":       {valid.With(Document{"discount_codes": []string{"NEVER-" + unique()}}), refused(http.StatusUnprocessableEntity, "code_invalid", "/discount_codes/0")},
		"UnknownMember":     {valid.With(Document{"total": 1}), invalid("/total")},
		"PriceOfTheClient":  {valid.With(Document{"lines": []Document{{"sku": cup.SKU, "quantity": 1, "unit_price": 1}}}), invalid("/lines/0/unit_price")},
		"QuoteAndLines":     {valid.With(Document{"quote_id": nobodysID}), invalid("/lines")},
		"MalformedQuote":    {Document{"quote_id": "x"}, invalid("/quote_id")},
		"UnknownQuote":      {Document{"quote_id": nobodysID}, refused(http.StatusNotFound, "quote_not_found")},
		"NegativeTotal":     {valid.With(Document{"expected_total": Price{-1, "EUR"}}), invalid("/expected_total/amount_minor")},
		"TotalWithoutMoney": {valid.With(Document{"expected_total": Document{"amount_minor": 1}}), invalid("/expected_total/currency")},
		"OutOfStock":        {Wanting(2, cup, rare), refused(http.StatusConflict, "out_of_stock", "/lines/1/quantity")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			buyer := c.Buyer(t)
			c.Do(t, Ordering(buyer, tc.body)).wantProblem(t, tc.want)
			if page := c.listOrders(t, buyer, ""); len(page.Data) != 0 {
				t.Errorf("a refused request made the orders %+v", page.Data)
			}
			if stock := c.Stock(t, rare); stock.Available != 1 || stock.Reserved != 0 {
				t.Errorf("a refused request left the stock %+v, want 1 available", stock)
			}
		})
	}
	t.Run("TotalChanged", func(t *testing.T) {
		t.Parallel()
		a := c.Do(t, Ordering(c.Buyer(t), valid.With(Document{"expected_total": Price{1, "EUR"}})))
		a.wantProblem(t, refused(http.StatusConflict, "price_changed"))
		total := a.problem(t).Total
		if total == nil {
			t.Fatalf("the answer does not name the total: %s", a.Body)
		}
		c.Order(t, c.Buyer(t), valid.With(Document{"expected_total": *total}))
	})
	t.Run("ProductOfAQuoteChanged", func(t *testing.T) {
		t.Parallel()
		p, buyer := c.onSale(t, 5), c.Buyer(t)
		same, dearer := c.Quote(t, buyer, Wanting(1, p)), c.Quote(t, buyer, Wanting(1, p))
		p = c.patch(t, p, Document{"description": "Other words."})
		c.Order(t, buyer, Document{"quote_id": same.ID})
		c.patch(t, p, Document{"price": Price{99_00, "EUR"}})
		c.Do(t, Ordering(buyer, Document{"quote_id": dearer.ID})).wantProblem(t, refused(http.StatusConflict, "price_changed"))
		c.wantStock(t, p, 4, 1, 0)
	})
}
