package suite

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// Quote is a quote as clients read it.
type Quote struct {
	ID        string      `json:"id"`
	Lines     []QuoteLine `json:"lines"`
	Codes     []string    `json:"discount_codes"`
	Subtotal  Price       `json:"subtotal"`
	Discount  Price       `json:"discount"`
	Shipping  Price       `json:"shipping"`
	Tax       Price       `json:"tax"`
	Total     Price       `json:"total"`
	ShipTo    Document    `json:"ship_to"`
	CreatedAt string      `json:"created_at"`
	ExpiresAt string      `json:"expires_at"`
}

// QuoteLine is a line of a quote.
type QuoteLine struct {
	SKU       string `json:"sku"`
	ProductID string `json:"product_id"`
	Name      string `json:"name"`
	Quantity  int64  `json:"quantity"`
	UnitPrice Price  `json:"unit_price"`
	Discount  Price  `json:"discount"`
	Tax       Price  `json:"tax"`
	Total     Price  `json:"total"`
}

// Buyer returns a token of a customer whom no other test uses.
func (c *Caller) Buyer(t TB) string {
	t.Helper()
	return c.token(t, time.Now(), "user-"+unique(), roleCustomer)
}

// Destination returns an address in a country.
func Destination(country string) Document {
	return Document{"name": "María López", "line1": "Calle Mayor 1", "city": "Madrid", "postal_code": "28013", "country": country}
}

// Wanting returns the body that asks for pieces of products, to be sent to ES.
func Wanting(quantity int64, products ...Product) Document {
	lines := make([]Document, len(products))
	for i, p := range products {
		lines[i] = Document{"sku": p.SKU, "quantity": quantity}
	}
	return Document{"lines": lines, "ship_to": Destination("ES")}
}

// Quoting is the request that asks for a quote.
func Quoting(token string, body Document) Request {
	return Request{Method: http.MethodPost, Path: "/v1/quotes", Token: token, Body: body.String()}
}

// Quote asks for a quote and checks its sums.
func (c *Caller) Quote(t TB, token string, body Document) Quote {
	t.Helper()
	a := c.Do(t, Quoting(token, body)).want(t, http.StatusCreated)
	var q Quote
	a.decode(t, &q)
	a.wantHeader(t, headerLocation, "quotes/"+q.ID)
	q.check(t)
	return q
}

// check reports sums that are not exact.
func (q Quote) check(t TB) {
	t.Helper()
	var subtotal, discount, tax, totals int64
	for _, line := range q.Lines {
		value := line.UnitPrice.AmountMinor * line.Quantity
		if line.Total.AmountMinor != value-line.Discount.AmountMinor+line.Tax.AmountMinor {
			t.Errorf("the sum of the line %+v is wrong", line)
		}
		subtotal += value
		discount += line.Discount.AmountMinor
		tax += line.Tax.AmountMinor
		totals += line.Total.AmountMinor
	}
	want := []int64{subtotal, discount, tax, totals + q.Shipping.AmountMinor, subtotal - discount + q.Shipping.AmountMinor + tax}
	got := []int64{q.Subtotal.AmountMinor, q.Discount.AmountMinor, q.Tax.AmountMinor, q.Total.AmountMinor, q.Total.AmountMinor}
	if !slices.Equal(got, want) {
		t.Errorf("sums %d, want %d: %+v", got, want, q)
	}
}

// discount creates a discount with a new code and returns the code.
func (c *Caller) discount(t TB, body Document) string {
	t.Helper()
	code := strings.ToUpper(unique())
	c.Do(t, c.discounting(t, body.With(Document{"code": code}))).want(t, http.StatusCreated)
	return code
}

// discounting is the request that creates a discount.
func (c *Caller) discounting(t TB, body Document) Request {
	t.Helper()
	return Request{
		Method: http.MethodPost, Path: "/v1/discounts", Token: c.As(t, roleCatalog), Body: body.String(),
		Header: map[string]string{headerKey: unique()},
	}
}

func (c *Caller) testQuotes(t *testing.T) {
	cup, pot := c.Create(t, NewProduct()), c.Create(t, NewProduct())
	t.Run("KeptForItsCustomer", func(t *testing.T) {
		t.Parallel()
		buyer := c.Buyer(t)
		q := c.Quote(t, buyer, Wanting(3, cup, pot))
		if q.Subtotal != (Price{7500, "EUR"}) || len(q.Lines) != 2 || q.Lines[1].SKU != pot.SKU || q.Lines[1].ProductID != pot.ID {
			t.Errorf("quote %+v, want 3 of each", q)
		}
		read := Request{Method: http.MethodGet, Path: "/v1/quotes/" + q.ID, Token: buyer}
		if got := c.Do(t, read).want(t, http.StatusOK); !strings.Contains(string(got.Body), q.ExpiresAt) {
			t.Errorf("got %s, want what was created: %+v", got.Body, q)
		}
		lower := read
		lower.Path = "/v1/quotes/" + strings.ToLower(q.ID)
		c.Do(t, lower).want(t, http.StatusOK)

		missing := refused(http.StatusNotFound, "quote_not_found")
		for _, id := range []string{nobodysID, "x"} {
			other := read
			other.Path = "/v1/quotes/" + id
			c.Do(t, other).wantProblem(t, missing)
		}
		for role, want := range map[string]int{
			roleCustomer: http.StatusNotFound, roleCatalog: http.StatusNotFound, roleService: http.StatusNotFound,
			roleSupport: http.StatusOK, roleFulfilment: http.StatusOK, roleAdmin: http.StatusOK,
		} {
			other := read
			if other.Token = c.As(t, role); want == http.StatusNotFound {
				c.Do(t, other).wantProblem(t, missing)
				continue
			}
			c.Do(t, other).want(t, want)
		}
	})
	t.Run("RepeatedRequestMakesOneQuote", func(t *testing.T) {
		t.Parallel()
		r := Quoting(c.Buyer(t), Wanting(1, cup))
		r.Header = map[string]string{headerKey: unique()}
		first := c.Do(t, r).want(t, http.StatusCreated)
		again := c.Do(t, r).want(t, http.StatusCreated)
		again.wantHeader(t, headerReplayed, "true")
		if !bytes.Equal(first.Body, again.Body) {
			t.Errorf("got %s, want the first answer %s", again.Body, first.Body)
		}
		other := r
		other.Body = Wanting(2, cup).String()
		c.Do(t, other).wantProblem(t, refused(http.StatusUnprocessableEntity, "idempotency_key_reused", headerKey))
		other.Token = c.Buyer(t)
		c.Do(t, other).want(t, http.StatusCreated).wantHeader(t, headerReplayed, "")
	})
	t.Run("WithCodes", func(t *testing.T) {
		t.Parallel()
		tenth := c.discount(t, Document{"percent": "10"})
		euro := c.discount(t, Document{"amount": Document{"amount_minor": 100, "currency": "EUR"}})
		q := c.Quote(t, c.Buyer(t), Wanting(1, cup, pot).With(Document{"discount_codes": []string{strings.ToLower(tenth), euro}}))
		if q.Discount.AmountMinor != 350 || !slices.Equal(q.Codes, []string{tenth, euro}) { // 250 and 100
			t.Errorf("discount %+v for %q, want 350", q.Discount, q.Codes)
		}
	})
	t.Run("Refused", func(t *testing.T) {
		t.Parallel()
		c.testQuotesRefuse(t, cup, pot)
	})
	t.Run("Protected", func(t *testing.T) {
		t.Parallel()
		for route, r := range map[string]Request{
			"create-quote": Quoting("", Wanting(1, cup)), "get-quote": {Method: http.MethodGet, Path: "/v1/quotes/" + nobodysID},
		} {
			t.Run(route, func(t *testing.T) { c.testProtected(t, r, nil) })
		}
	})
}

func (c *Caller) testQuotesRefuse(t *testing.T, cup, pot Product) {
	draft := c.Create(t, NewProduct().With(Document{"status": "draft"}))
	archived := c.Create(t, NewProduct())
	c.archive(t, archived)
	yen := c.Create(t, NewProduct().With(Document{"price": Document{"amount_minor": 500, "currency": "JPY"}}))
	valid := Wanting(1, cup)
	unknown := Product{SKU: "SKU-" + unique()}
	many := make([]Product, 41)
	for i := range many {
		many[i] = Product{SKU: fmt.Sprint("SKU-", i)}
	}
	codes := func(codes ...string) Document { return valid.With(Document{"discount_codes": codes}) }
	codeInvalid := refused(http.StatusUnprocessableEntity, "code_invalid", "/discount_codes/0")
	ended := c.discount(t, Document{"percent": "10", "ends_at": "2020-01-01T00:00:00Z"})
	big := c.discount(t, Document{"percent": "10", "minimum": Document{"amount_minor": 100_000, "currency": "EUR"}})
	gone := c.discount(t, Document{"percent": "10"})
	c.Do(t, Request{
		Method: http.MethodDelete, Path: "/v1/discounts/" + gone, Token: c.As(t, roleCatalog), Header: map[string]string{headerIfMatch: `"1"`},
	}).want(t, http.StatusNoContent)
	for name, tc := range map[string]struct {
		body Document
		want refusal
	}{
		"NoLines":          {valid.With(Document{"lines": []Document{}}), invalid("/lines")},
		"WithoutLines":     {valid.With(Document{"lines": drop}), invalid("/lines")},
		"TooManyLines":     {Wanting(1, many...), invalid("/lines")},
		"ZeroQuantity":     {Wanting(0, cup), invalid("/lines/0/quantity")},
		"NegativeQuantity": {Wanting(-1, cup), invalid("/lines/0/quantity")},
		"HugeQuantity":     {Wanting(10_001, cup), invalid("/lines/0/quantity")},
		"HugestQuantity":   {Wanting(1<<53, cup), invalid("/lines/0/quantity")},
		"UnknownSKU":       {Wanting(1, unknown), invalid("/lines/0/sku")},
		"Draft":            {Wanting(1, cup, draft), invalid("/lines/1/sku")},
		"Archived":         {Wanting(1, cup, archived), invalid("/lines/1/sku")},
		"OneSKUTwice":      {Wanting(1, cup, cup), invalid("/lines/1/sku")},
		"TwoCurrencies":    {Wanting(1, cup, pot, yen), invalid("/lines/2/sku")},
		"WithoutAddress":   {valid.With(Document{"ship_to": drop}), invalid("/ship_to/name", "/ship_to/line1", "/ship_to/city", "/ship_to/country")},
		"MalformedCountry": {valid.With(Document{"ship_to": Destination("es")}), invalid("/ship_to/country")},
		"UnknownCountry":   {valid.With(Document{"ship_to": Destination("XX")}), invalid("/ship_to/country")},
		"UnknownMember":    {valid.With(Document{"total": 1}), invalid("/total")},
		"PriceOfTheClient": {valid.With(Document{"lines": []Document{{"sku": cup.SKU, "quantity": 1, "unit_price": 1}}}), invalid("/lines/0/unit_price")},
		"UnknownCode":      {codes("NEVER-" + strings.ToUpper(unique())), codeInvalid},
		"MalformedCode":    {codes("%"), codeInvalid},
		"EndedCode":        {codes(ended), codeInvalid},
		"MinimumOfCode":    {codes(big), codeInvalid},
		"DeletedCode":      {codes(gone), codeInvalid},
		"OneCodeTwice":     {codes(big, big), invalid("/discount_codes/1")},
		"TooManyCodes":     {codes("AAA", "BBB", "CCC", "DDD"), invalid("/discount_codes")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.Do(t, Quoting(c.Buyer(t), tc.body)).wantProblem(t, tc.want)
		})
	}
}

func (c *Caller) testDiscounts(t *testing.T) {
	code := strings.ToUpper(unique())
	created := c.Do(t, c.discounting(t, Document{"code": strings.ToLower(code), "percent": "8.875", "max_uses": 3})).want(t, http.StatusCreated)
	created.wantHeader(t, headerLocation, "discounts/"+code)
	created.wantHeader(t, headerETag, `"1"`)
	created.wantMembers(t, "code", "percent", "max_uses", "uses", "version", "created_at", "updated_at")
	c.Do(t, c.discounting(t, Document{"code": code, "percent": "1"})).wantProblem(t, refused(http.StatusConflict, "code_exists", "/code"))
	keyless := c.discounting(t, Document{"code": code, "percent": "1"})
	keyless.Header = nil
	c.Do(t, keyless).wantProblem(t, refused(http.StatusBadRequest, "idempotency_key_required", headerKey))

	path, staff := "/v1/discounts/"+code, c.As(t, roleCatalog)
	read := Request{Method: http.MethodGet, Path: "/v1/discounts/" + strings.ToLower(code), Token: staff}
	if got := c.Do(t, read).want(t, http.StatusOK); !bytes.Equal(got.Body, created.Body) {
		t.Errorf("got %s, want %s", got.Body, created.Body)
	}
	list := c.Do(t, Request{Method: http.MethodGet, Path: "/v1/discounts?limit=100", Token: staff}).want(t, http.StatusOK)
	if !strings.Contains(string(list.Body), `"`+code+`"`) {
		t.Errorf("the list does not have the newest discount %s: %s", code, list.Body)
	}
	c.Do(t, Request{Method: http.MethodGet, Path: "/v1/discounts?cursor=x", Token: staff}).wantProblem(t, refused(http.StatusBadRequest, "invalid_cursor", "cursor"))

	change := func(version, body string) Request {
		return Request{Method: http.MethodPatch, Path: path, Token: staff, Header: map[string]string{headerIfMatch: version}, Body: body}
	}
	t.Run("Refused", func(t *testing.T) { c.testDiscountsRefuse(t, change) })
	changed := c.Do(t, change(`"1"`, `{"percent":null,"amount":{"amount_minor":500,"currency":"EUR"},"max_uses":null}`)).want(t, http.StatusOK)
	changed.wantHeader(t, headerETag, `"2"`)
	changed.wantMembers(t, "code", "amount", "uses", "version", "created_at", "updated_at")
	c.Do(t, change(`"1"`, `{"max_uses":1}`)).wantProblem(t, refused(http.StatusPreconditionFailed, "precondition_failed"))

	remove := Request{Method: http.MethodDelete, Path: path, Token: staff, Header: map[string]string{headerIfMatch: `"1"`}}
	c.Do(t, remove).wantProblem(t, refused(http.StatusPreconditionFailed, "precondition_failed"))
	remove.Header = nil
	c.Do(t, remove).wantProblem(t, refused(http.StatusPreconditionRequired, "precondition_required", headerIfMatch))
	remove.Header = map[string]string{headerIfMatch: `"2"`}
	c.Do(t, remove).want(t, http.StatusNoContent)
	missing := refused(http.StatusNotFound, "discount_not_found")
	for _, r := range []Request{remove, read, change("*", `{"percent":"1"}`)} {
		c.Do(t, r).wantProblem(t, missing)
		r.Path = "/v1/discounts/x"
		c.Do(t, r).wantProblem(t, missing)
	}
	c.Do(t, c.discounting(t, Document{"code": code, "percent": "1"})).wantProblem(t, refused(http.StatusConflict, "code_exists", "/code"))

	t.Run("Protected", func(t *testing.T) {
		for route, r := range map[string]Request{
			"create-discount": c.discounting(t, Document{"code": "NEVER", "percent": "1"}), "list-discounts": {Method: http.MethodGet, Path: "/v1/discounts"},
			"get-discount": read, "update-discount": change("*", `{}`), "delete-discount": remove,
		} {
			t.Run(route, func(t *testing.T) {
				t.Parallel()
				c.testProtected(t, r, []string{roleCatalog})
			})
		}
	})
}

func (c *Caller) testDiscountsRefuse(t *testing.T, change func(version, body string) Request) {
	for body, pointers := range map[string][]string{
		`{}`: {"/code", "/percent"}, `{"code":"ab","percent":"1"}`: {"/code"}, `{"code":"a b","percent":"1"}`: {"/code"},
		`{"code":"ABC","percent":10}`: {"/percent"}, `{"code":"ABC","percent":"0"}`: {"/percent"}, `{"code":"ABC","percent":"100.1"}`: {"/percent"},
		`{"code":"ABC","percent":"1","amount":{"amount_minor":1,"currency":"EUR"}}`:                        {"/amount"},
		`{"code":"ABC","amount":{"amount_minor":0,"currency":"EUR"}}`:                                      {"/amount/amount_minor"},
		`{"code":"ABC","percent":"1","max_uses":0,"max_uses_per_customer":-1}`:                             {"/max_uses", "/max_uses_per_customer"},
		`{"code":"ABC","percent":"1","starts_at":"2026-02-01T00:00:00Z","ends_at":"2026-01-01T00:00:00Z"}`: {"/ends_at"},
	} {
		r := c.discounting(t, Document{})
		r.Body = body
		c.Do(t, r).wantProblem(t, invalid(pointers...))
	}
	for body, pointer := range map[string]string{
		`{"percent":null}`: "/percent", `{"percent":""}`: "/percent", `{"code":"OTHER"}`: "/code", `{"uses":0}`: "/uses",
		`{"amount":{"amount_minor":1,"currency":"EUR"}}`: "/amount", `{"max_uses":0}`: "/max_uses",
	} {
		c.Do(t, change(`"1"`, body)).wantProblem(t, invalid(pointer))
	}
}

// The rules are one item that all tests share, so this one changes only the tax of a country that no other test uses.
func (c *Caller) testPricingRules(t *testing.T) {
	type rules struct {
		Tax       []Document `json:"tax"`
		Shipping  []Document `json:"shipping"`
		Version   int64      `json:"version"`
		UpdatedAt string     `json:"updated_at,omitempty"`
	}
	read := func(t *testing.T) (rules, string) {
		t.Helper()
		a := c.Do(t, Request{Method: http.MethodGet, Path: "/v1/pricing/rules", Token: c.As(t, roleAdmin)}).want(t, http.StatusOK)
		var r rules
		a.decode(t, &r)
		a.wantHeader(t, headerETag, fmt.Sprintf(`"%d"`, r.Version))
		return r, a.Header.Get(headerETag)
	}
	put := func(etag string, tax, shipping any) Request {
		return Request{
			Method: http.MethodPut, Path: "/v1/pricing/rules", Token: c.As(t, roleAdmin), Header: map[string]string{headerIfMatch: etag},
			Body: Document{"tax": tax, "shipping": shipping}.String(),
		}
	}
	before, etag := read(t)
	tax := slices.DeleteFunc(before.Tax, func(d Document) bool { return d["country"] == "TV" })
	rate := Document{"country": "TV", "class": "standard", "percent": fmt.Sprintf("12.%d5", before.Version%10)}
	changed := append(slices.Clone(tax), rate)
	c.Do(t, put(etag, changed, before.Shipping)).want(t, http.StatusOK).wantHeader(t, headerETag, fmt.Sprintf(`"%d"`, before.Version+1))
	c.Do(t, put(etag, tax, before.Shipping)).wantProblem(t, refused(http.StatusPreconditionFailed, "precondition_failed"))
	after, etag := read(t)
	if len(after.Tax) != len(changed) || !maps.Equal(after.Tax[len(after.Tax)-1], rate) {
		t.Errorf("rates %v, want %v", after.Tax, changed)
	}
	q := c.Quote(t, c.Buyer(t), Wanting(8, c.Create(t, NewProduct())).With(Document{"ship_to": Destination("TV")})) // 10,000 cents
	if want := 1205 + before.Version%10*10; q.Tax.AmountMinor != want {
		t.Errorf("tax %d, want %d", q.Tax.AmountMinor, want)
	}
	for name, tc := range map[string]struct {
		tax, shipping any
		want          refusal
	}{
		"NullLists":     {nil, nil, invalid("/tax", "/shipping")},
		"WrongRate":     {[]Document{{"country": "tv", "class": "A", "percent": "100.5"}}, []Document{}, invalid("/tax/0/country", "/tax/0/class", "/tax/0/percent")},
		"OneRateTwice":  {[]Document{rate, rate}, []Document{}, invalid("/tax/1")},
		"NoBands":       {[]Document{}, []Document{{"bands": []Document{}}}, invalid("/shipping/0/bands")},
		"NegativePrice": {[]Document{}, []Document{{"bands": []Document{{"from": Price{0, "EUR"}, "price": Price{-1, "EUR"}}}}}, invalid("/shipping/0/bands/0/price/amount_minor")},
	} {
		t.Run(name, func(t *testing.T) { c.Do(t, put(etag, tc.tax, tc.shipping)).wantProblem(t, tc.want) })
	}
	unconditional := put(etag, tax, before.Shipping)
	unconditional.Header = nil
	c.Do(t, unconditional).wantProblem(t, refused(http.StatusPreconditionRequired, "precondition_required", headerIfMatch))
	t.Run("Protected", func(t *testing.T) {
		for route, r := range map[string]Request{
			"get-pricing-rules": {Method: http.MethodGet, Path: "/v1/pricing/rules"}, "put-pricing-rules": put(`"no version"`, []Document{}, []Document{}),
		} {
			t.Run(route, func(t *testing.T) { c.testProtected(t, r, []string{roleAdmin}) })
		}
	})
	if now, _ := read(t); now.Version != after.Version {
		t.Errorf("a refused request wrote version %d over %d", now.Version, after.Version)
	}
}
