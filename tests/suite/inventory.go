package suite

import (
	"fmt"
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Inventory is the stock of a product as clients read it.
type Inventory struct {
	ProductID string `json:"product_id"`
	SKU       string `json:"sku"`
	Available int64  `json:"available"`
	Reserved  int64  `json:"reserved"`
	Sold      int64  `json:"sold"`
	Version   int64  `json:"version"`
	UpdatedAt string `json:"updated_at"`
}

// adjustment is an entry of the stock ledger as clients read it.
type adjustment struct {
	ID        string `json:"id"`
	ProductID string `json:"product_id"`
	SKU       string `json:"sku"`
	Delta     int64  `json:"delta"`
	Reason    string `json:"reason"`
	CreatedAt string `json:"created_at"`
}

// Stock reads the stock of a product as staff.
func (c *Caller) Stock(t TB, p Product) Inventory {
	t.Helper()
	a := c.Do(t, Request{Method: http.MethodGet, Path: p.path() + "/inventory", Token: c.As(t, roleFulfilment)}).want(t, http.StatusOK)
	a.wantMembers(t, "product_id", "sku", "available", "reserved", "sold", "version", "updated_at")
	var got Inventory
	a.decode(t, &got)
	return got
}

// Move moves stock with a new idempotency key.
func (c *Caller) Move(t TB, p Product, delta int64) {
	t.Helper()
	c.Do(t, c.Adjusting(t, p, unique(), Movement(delta))).want(t, http.StatusCreated)
}

// Adjusting is the request that moves stock.
func (c *Caller) Adjusting(t TB, p Product, key, body string) Request {
	t.Helper()
	return Request{
		Method: http.MethodPost, Path: p.path() + "/inventory/adjustments", Token: c.As(t, roleFulfilment),
		Header: map[string]string{headerKey: key}, Body: body,
	}
}

// Movement is a body that moves stock by delta pieces.
func Movement(delta int64) string { return fmt.Sprintf(`{"delta":%d,"reason":"delivery"}`, delta) }

func (c *Caller) testInventory(t *testing.T) {
	t.Run("NewProductHasNone", func(t *testing.T) {
		t.Parallel()
		p := c.Create(t, NewProduct())
		want := Inventory{ProductID: p.ID, SKU: p.SKU, Version: 1, UpdatedAt: p.CreatedAt}
		if diff := cmp.Diff(want, c.Stock(t, p)); diff != "" {
			t.Errorf("stock (-want +got):\n%s", diff)
		}
	})
	t.Run("ForCatalogAndFulfilment", func(t *testing.T) {
		t.Parallel()
		p := c.Create(t, NewProduct().With(Document{"status": "draft"}))
		r := Request{Method: http.MethodGet, Path: p.path() + "/inventory"}
		for role, status := range map[string]int{
			roleCatalog: http.StatusOK, roleFulfilment: http.StatusOK,
			roleSupport: http.StatusForbidden, roleAdmin: http.StatusForbidden, roleCustomer: http.StatusForbidden,
		} {
			r.Token = c.As(t, role)
			if a := c.Do(t, r); a.Status != status {
				t.Errorf("%s: got %d %s, want %d", role, a.Status, a.Body, status)
			}
		}
	})
	t.Run("OfArchivedProducts", func(t *testing.T) {
		t.Parallel()
		p := c.Create(t, NewProduct())
		c.Move(t, p, 3)
		c.archive(t, p)
		c.Move(t, p, -1)
		if got := c.Stock(t, p); got.Available != 2 {
			t.Errorf("%d pieces, want 2", got.Available)
		}
	})
	t.Run("UnknownProductIsNotFound", func(t *testing.T) {
		t.Parallel()
		for _, id := range []string{nobodysID, "coffee", repeat("0", 26)} {
			c.Do(t, Request{Method: http.MethodGet, Path: "/v1/products/" + id + "/inventory", Token: c.As(t, roleCatalog)}).
				wantProblem(t, notFound())
		}
	})
}

func (c *Caller) testAdjust(t *testing.T) {
	t.Run("MovesStockAndAnswersTheEntry", func(t *testing.T) {
		t.Parallel()
		began := time.Now()
		p := c.Create(t, NewProduct())
		a := c.Do(t, c.Adjusting(t, p, unique(), `{"delta":12,"reason":"Lieferung № 7, vollständig"}`)).want(t, http.StatusCreated)
		a.wantHeader(t, headerReplayed, "")
		a.wantMembers(t, "id", "product_id", "sku", "delta", "reason", "created_at")
		var got adjustment
		a.decode(t, &got)
		want := adjustment{
			ID: got.ID, ProductID: p.ID, SKU: p.SKU, Delta: 12, Reason: "Lieferung № 7, vollständig", CreatedAt: got.CreatedAt,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("entry (-want +got):\n%s", diff)
		}
		if !ulids.MatchString(got.ID) {
			t.Errorf("id %q is not a ULID", got.ID)
		}
		wantTime(t, got.CreatedAt, began)

		c.Move(t, p, -5)
		stock := c.Stock(t, p)
		wantStock := Inventory{ProductID: p.ID, SKU: p.SKU, Available: 7, Version: 3, UpdatedAt: stock.UpdatedAt}
		if diff := cmp.Diff(wantStock, stock); diff != "" {
			t.Errorf("stock (-want +got):\n%s", diff)
		}
		if got := c.Get(t, p.ID); got.Version != 1 {
			t.Errorf("the product has version %d: stock has its own", got.Version)
		}
	})
	t.Run("DownToNothing", func(t *testing.T) {
		t.Parallel()
		p := c.Create(t, NewProduct())
		for _, delta := range []int64{1_000_000, -1_000_000, 1, -1} {
			c.Move(t, p, delta)
		}
		if got := c.Stock(t, p); got.Available != 0 || got.Version != 5 {
			t.Errorf("got %+v, want nothing in version 5", got)
		}
	})
	for name, again := range map[string]struct{ key, body string }{
		"SameBytes":      {`retry-1`, `{"delta":4,"reason":"delivery"}`},
		"OtherFormOfIt":  {`retry-1`, " {\n\"reason\": \"deliver\\u0079\", \"delta\": 4}"},
		"KeyAsAString":   {`"retry-1"`, `{"delta":4,"reason":"delivery"}`},
		"SeveralTimes":   {`retry-1`, `{"delta":4,"reason":"delivery"}`},
		"AfterArchiving": {`retry-1`, `{"delta":4,"reason":"delivery"}`},
	} {
		t.Run("CountsOnceForOneKey_"+name, func(t *testing.T) {
			t.Parallel()
			c.testReplay(t, name, again.key, again.body)
		})
	}
	t.Run("AnotherCallersKeyIsAnotherKey", func(t *testing.T) {
		t.Parallel()
		p, key := c.Create(t, NewProduct()), unique()
		c.Do(t, c.Adjusting(t, p, key, Movement(2))).want(t, http.StatusCreated)
		r := c.Adjusting(t, p, key, Movement(2))
		r.Token = c.As(t, roleFulfilment, roleSupport)
		c.Do(t, r).want(t, http.StatusCreated).wantHeader(t, headerReplayed, "")
		if got := c.Stock(t, p); got.Available != 4 {
			t.Errorf("%d pieces, want 4", got.Available)
		}
	})
	t.Run("RefusalDoesNotUseUpTheKey", func(t *testing.T) {
		t.Parallel()
		p, key := c.Create(t, NewProduct()), unique()
		c.Do(t, c.Adjusting(t, p, key, Movement(-1))).wantProblem(t, refused(http.StatusConflict, "would_go_negative", "/delta"))
		c.Do(t, c.Adjusting(t, p, key, `{"delta":0,"reason":"x"}`)).wantProblem(t, invalid("/delta"))
		c.Move(t, p, 1)
		c.Do(t, c.Adjusting(t, p, key, Movement(-1))).want(t, http.StatusCreated).wantHeader(t, headerReplayed, "")
		if got := c.Stock(t, p); got.Available != 0 {
			t.Errorf("%d pieces, want none", got.Available)
		}
	})
	t.Run("AnyVisibleKeyOf255Characters", func(t *testing.T) {
		t.Parallel()
		p := c.Create(t, NewProduct())
		for _, key := range []string{"k", "~!#$%&'()*+-./:;<=>?@[]^_`{|}", repeat("k", 255)} {
			r := c.Adjusting(t, p, key, Movement(1))
			r.Token = c.token(t, time.Now(), unique(), roleFulfilment) // a caller who has used no key
			c.Do(t, r).want(t, http.StatusCreated).wantHeader(t, headerReplayed, "")
		}
	})
}

// testReplay sends an adjustment of 4 pieces, and then the same request in another form.
func (c *Caller) testReplay(t *testing.T, name, key, body string) {
	p := c.Create(t, NewProduct())
	mark := unique() // tests share the callers and so their keys
	first := c.Do(t, c.Adjusting(t, p, "retry-1"+mark, `{"delta":4,"reason":"delivery"}`)).want(t, http.StatusCreated)
	first.wantHeader(t, headerReplayed, "")
	c.Move(t, p, 10) // time passes
	if name == "AfterArchiving" {
		c.archive(t, p)
	}

	again := "retry-1" + mark
	if key != "retry-1" {
		again = `"` + again + `"`
	}
	times := 1
	if name == "SeveralTimes" {
		times = 3
	}
	for range times {
		second := c.Do(t, c.Adjusting(t, p, again, body)).want(t, http.StatusCreated)
		second.wantHeader(t, headerReplayed, "true")
		if diff := cmp.Diff(string(first.Body), string(second.Body)); diff != "" {
			t.Errorf("another answer (-first +second):\n%s", diff)
		}
	}
	if got := c.Stock(t, p); got.Available != 14 || got.Version != 3 {
		t.Errorf("got %d pieces in version %d, want 14 in version 3", got.Available, got.Version)
	}
}

func (c *Caller) testAdjustRefuses(t *testing.T) {
	keyRequired := refused(http.StatusBadRequest, "idempotency_key_required", headerKey)
	for name, tc := range map[string]struct {
		key, body string
		header    map[string]string
		want      refusal
	}{
		"WithoutKey":         {"", Movement(1), nil, keyRequired},
		"KeyTooLong":         {repeat("k", 256), Movement(1), nil, parameter(headerKey)},
		"KeyWithSpace":       {"a b", Movement(1), nil, parameter(headerKey)},
		"KeyEmptyString":     {`""`, Movement(1), nil, parameter(headerKey)},
		"KeyOneQuote":        {`"a`, Movement(1), nil, parameter(headerKey)},
		"KeyWithAccent":      {"clé", Movement(1), nil, parameter(headerKey)},
		"DeltaZero":          {unique(), Movement(0), nil, invalid("/delta")},
		"DeltaTooLarge":      {unique(), Movement(1_000_001), nil, invalid("/delta")},
		"DeltaTooSmall":      {unique(), Movement(-1_000_001), nil, invalid("/delta")},
		"DeltaBeyondInt64":   {unique(), `{"delta":9223372036854775808,"reason":"x"}`, nil, invalid("/delta")},
		"DeltaFraction":      {unique(), `{"delta":1.5,"reason":"x"}`, nil, invalid("/delta")},
		"DeltaText":          {unique(), `{"delta":"1","reason":"x"}`, nil, invalid("/delta")},
		"DeltaMissing":       {unique(), `{"reason":"x"}`, nil, invalid("/delta")},
		"DeltaNull":          {unique(), `{"delta":null,"reason":"x"}`, nil, invalid("/delta")},
		"ReasonMissing":      {unique(), `{"delta":1}`, nil, invalid("/reason")},
		"ReasonBlank":        {unique(), `{"delta":1,"reason":" "}`, nil, invalid("/reason")},
		"ReasonTooLong":      {unique(), `{"delta":1,"reason":"` + repeat("é", 201) + `"}`, nil, invalid("/reason")},
		"ReasonControl":      {unique(), `{"delta":1,"reason":"a\u0000"}`, nil, invalid("/reason")},
		"ReasonNumber":       {unique(), `{"delta":1,"reason":1}`, nil, invalid("/reason")},
		"Nothing":            {unique(), `{}`, nil, invalid("/delta", "/reason")},
		"UnknownField":       {unique(), `{"delta":1,"reason":"x","warehouse":"A"}`, nil, invalid("/warehouse")},
		"DeltaTwice":         {unique(), `{"delta":1,"delta":2,"reason":"x"}`, nil, malformed("/delta")},
		"TrailingData":       {unique(), Movement(1) + "1", nil, malformed()},
		"NotUTF8":            {unique(), "{\"delta\":1,\"reason\":\"\xff\"}", nil, malformed()},
		"TooDeep":            {unique(), `{"delta":` + repeat("[", 40) + repeat("]", 40) + `,"reason":"x"}`, nil, malformed()},
		"ContentTypeText":    {unique(), Movement(1), map[string]string{headerContentType: "text/plain"}, unsupported()},
		"ContentTypePatch":   {unique(), Movement(1), map[string]string{headerContentType: typeMergePatch}, unsupported()},
		"WouldGoNegative":    {unique(), Movement(-6), nil, refused(http.StatusConflict, "would_go_negative", "/delta")},
		"WouldGoFarNegative": {unique(), Movement(-1_000_000), nil, refused(http.StatusConflict, "would_go_negative", "/delta")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := c.Create(t, NewProduct())
			c.Move(t, p, 5)
			before := c.Stock(t, p)
			r := c.Adjusting(t, p, tc.key, tc.body)
			if tc.key == "" {
				delete(r.Header, headerKey)
			}
			maps.Copy(r.Header, tc.header)
			c.Do(t, r).wantProblem(t, tc.want)
			if diff := cmp.Diff(before, c.Stock(t, p)); diff != "" {
				t.Errorf("a refused request has moved stock (-before +after):\n%s", diff)
			}
		})
	}
	t.Run("KeyOfAnotherRequest", func(t *testing.T) {
		t.Parallel()
		reused := refused(http.StatusUnprocessableEntity, "idempotency_key_reused", headerKey)
		p, other, key := c.Create(t, NewProduct()), c.Create(t, NewProduct()), unique()
		c.Do(t, c.Adjusting(t, p, key, Movement(5))).want(t, http.StatusCreated)
		c.Do(t, c.Adjusting(t, p, key, Movement(6))).wantProblem(t, reused)
		c.Do(t, c.Adjusting(t, p, key, `{"delta":5,"reason":"another"}`)).wantProblem(t, reused)
		c.Do(t, c.Adjusting(t, other, key, Movement(5))).wantProblem(t, reused)
		if got := c.Stock(t, p); got.Available != 5 {
			t.Errorf("%d pieces, want 5", got.Available)
		}
		if got := c.Stock(t, other); got.Available != 0 {
			t.Errorf("%d pieces of the other product, want none", got.Available)
		}
	})
	t.Run("UnknownProduct", func(t *testing.T) {
		t.Parallel()
		for _, id := range []string{nobodysID, "coffee"} {
			c.Do(t, c.Adjusting(t, Product{ID: id}, unique(), Movement(1))).wantProblem(t, notFound())
		}
	})
}
