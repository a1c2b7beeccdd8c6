package orders_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/functions/orders/orderstest"
	"github.com/tienda-dev/tienda/internal/apitest"
	"github.com/tienda-dev/tienda/shared/money"
	"github.com/tienda-dev/tienda/shared/page"
)

func TestCreateOrder(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.stock(5, "A")
	a := s.do(maria, "customer", http.MethodPost, "/v1/orders", twoA).Want(http.StatusCreated)
	var id string
	if id = strings.TrimPrefix(a.Header.Get("Location"), "orders/"); len(id) != 26 {
		t.Fatalf("Location %s", a.Header.Get("Location"))
	}
	line := `{"sku":"A","product_id":"PRODUCT-A","name":"Product A","quantity":2,"unit_price":{"amount_minor":1000,"currency":"EUR"},` +
		`"discount":{"amount_minor":0,"currency":"EUR"},"tax":{"amount_minor":420,"currency":"EUR"},"total":{"amount_minor":2420,"currency":"EUR"}}`
	want := `{"id":"` + id + `","status":"pending_payment","payment_status":"none","fulfilment_status":"none","lines":[` + line + `],` +
		`"subtotal":{"amount_minor":2000,"currency":"EUR"},"discount":{"amount_minor":0,"currency":"EUR"},` +
		`"shipping":{"amount_minor":500,"currency":"EUR"},"tax":{"amount_minor":420,"currency":"EUR"},"total":{"amount_minor":2920,"currency":"EUR"},` +
		`"ship_to":{"name":"María López","line1":"Calle Mayor 1","city":"Madrid","postal_code":"28013","country":"ES"},` +
		`"expires_at":"2026-03-01T12:15:00.000Z","version":1,"created_at":"2026-03-01T12:00:00.000Z","updated_at":"2026-03-01T12:00:00.000Z"}`
	if diff := cmp.Diff(want, strings.TrimSpace(a.Body)); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	s.wantStock("A", orderstest.Stock{Available: 3, Reserved: 2})
	read := s.do(maria, "customer", http.MethodGet, "/v1/orders/"+strings.ToLower(id), "").Want(http.StatusOK)
	if read.Body != a.Body {
		t.Errorf("read %s, want %s", read.Body, a.Body)
	}
	s.do(maria, "customer", http.MethodGet, "/v1/orders/"+id, "", apitest.Header("If-None-Match", read.Header.Get("ETag"))).Want(http.StatusNotModified)
}

func TestCreateOrderRefuses(t *testing.T) {
	t.Parallel()
	many := `{"lines":[` + strings.TrimSuffix(strings.Repeat(`{"sku":"A","quantity":1},`, 41), ",") + `],` + shipTo + `}`
	for name, tc := range map[string]struct {
		body   string
		status int
		code   string
		names  []string
	}{
		"Nothing":          {`{}`, 422, "validation_failed", []string{"/lines", "/ship_to"}},
		"TooManyLines":     {many, 422, "validation_failed", []string{"/lines"}},
		"ZeroQuantity":     {strings.Replace(twoA, "2}", "0}", 1), 422, "validation_failed", []string{"/lines/0/quantity"}},
		"NegativeQuantity": {strings.Replace(twoA, "2}", "-2}", 1), 422, "validation_failed", []string{"/lines/0/quantity"}},
		"HugeQuantity":     {strings.Replace(twoA, "2}", "10001}", 1), 422, "validation_failed", []string{"/lines/0/quantity"}},
		"HalfQuantity":     {strings.Replace(twoA, "2}", "0.5}", 1), 422, "validation_failed", []string{"/lines/0/quantity"}},
		"OneSKUTwice":      {strings.Replace(twoA, "}]", `},{"sku":"A","quantity":1}]`, 1), 422, "validation_failed", []string{"/lines/1/sku"}},
		"MalformedSKU":     {strings.Replace(twoA, `"A"`, `" "`, 1), 422, "validation_failed", []string{"/lines/0/sku"}},
		"FourCodes":        {strings.Replace(twoA, `{"lines"`, `{"discount_codes":["A","B","C","D"],"lines"`, 1), 422, "validation_failed", []string{"/discount_codes"}},
		"OtherCountry":     {strings.Replace(twoA, `"ES"`, `"XX"`, 1), 422, "validation_failed", []string{"/ship_to/country"}},
		"QuoteAndLines":    {strings.Replace(twoA, `{"lines"`, `{"quote_id":"01J00000000000000000000009","discount_codes":[],"lines"`, 1), 422, "validation_failed", []string{"/lines", "/discount_codes"}},
		"MalformedQuote":   {`{"quote_id":"x"}`, 422, "validation_failed", []string{"/quote_id"}},
		"QuoteIsANumber":   {`{"quote_id":1}`, 422, "validation_failed", []string{"/quote_id"}},
		"QuoteIsAnObject":  {`{"quote_id":{},"lines":[{"sku":" ","quantity":1}]}`, 422, "validation_failed", []string{"/quote_id", "/lines/0/sku"}},
		"NothingCanBeRead": {`{"quote_id":1,"lines":7,"ship_to":7}`, 422, "validation_failed", []string{"/quote_id", "/lines", "/ship_to"}},
		"QuoteAndNoLine":   {`{"quote_id":1,"lines":[]}`, 422, "validation_failed", []string{"/quote_id", "/lines"}},
		"UnknownQuote":     {`{"quote_id":"01J00000000000000000000009"}`, 404, "quote_not_found", nil},
		"NegativeTotal":    {strings.Replace(twoA, `{"lines"`, `{"expected_total":{"amount_minor":-1,"currency":"EUR"},"lines"`, 1), 422, "validation_failed", []string{"/expected_total/amount_minor"}},
		"OwnCustomer":      {strings.Replace(twoA, `{"lines"`, `{"customer":"x","lines"`, 1), 422, "validation_failed", []string{"/customer"}},
		"OutOfStock":       {strings.Replace(twoA, "2}", "6}", 1), 409, "out_of_stock", []string{"/lines/0/quantity"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.stock(5, "A")
			s.do(maria, "customer", http.MethodPost, "/v1/orders", tc.body).WantProblem(tc.status, tc.code, tc.names...)
			s.wantStock("A", orderstest.Stock{Available: 5})
			if list, _, err := s.store.ListOf(t.Context(), maria, 10, nil); len(list) != 0 || err != nil {
				t.Errorf("%d orders, %v; want none", len(list), err)
			}
		})
	}
}

func TestChangedTotalIsNamed(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.stock(5, "A")
	expecting := func(total string) string {
		return strings.Replace(twoA, `{"lines"`, `{"expected_total":{"amount_minor":`+total+`,"currency":"EUR"},"lines"`, 1)
	}
	a := s.do(maria, "customer", http.MethodPost, "/v1/orders", expecting("2919"))
	a.WantProblem(http.StatusConflict, "price_changed")
	if !strings.Contains(a.Body, `"total":{"amount_minor":2920,"currency":"EUR"}`) {
		t.Errorf("the answer does not name the total: %s", a.Body)
	}
	s.do(maria, "customer", http.MethodPost, "/v1/orders", expecting("2920")).Want(http.StatusCreated)
}

func TestRepeatedRequestsGetTheFirstAnswer(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.stock(3, "A")
	key := apitest.Header("Idempotency-Key", "k1")
	first := s.do(maria, "customer", http.MethodPost, "/v1/orders", twoA, key).Want(http.StatusCreated)
	again := s.do(maria, "customer", http.MethodPost, "/v1/orders", twoA, key).Want(http.StatusCreated)
	if again.Body != first.Body || again.Header.Get("Location") != first.Header.Get("Location") || again.Header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("got %s %v, want %s", again.Body, again.Header, first.Body)
	}
	s.do(maria, "customer", http.MethodPost, "/v1/orders", strings.Replace(twoA, "2}", "1}", 1), key).
		WantProblem(http.StatusUnprocessableEntity, "idempotency_key_reused")
	s.wantStock("A", orderstest.Stock{Available: 1, Reserved: 2})

	path := "/v1/" + first.Header.Get("Location") + "/cancel"
	cancelled := s.do(maria, "customer", http.MethodPost, path, `{}`, key).Want(http.StatusOK)
	if got := s.do(maria, "customer", http.MethodPost, path, `{}`, key).Want(http.StatusOK); got.Body != cancelled.Body {
		t.Errorf("got %s, want %s", got.Body, cancelled.Body)
	}
	s.do(maria, "customer", http.MethodPost, path, `{}`).WantProblem(http.StatusConflict, "invalid_transition")
	s.wantStock("A", orderstest.Stock{Available: 3})
}

func TestForeignOrdersLookUnknown(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.stock(5, "A")
	o := s.order(maria)
	for role, reads := range map[string]bool{"customer": false, "catalog": false, "service": false, "support": true, "fulfilment": true, "admin": true} {
		for _, target := range []string{"/v1/orders/" + o.ID, "/v1/orders/" + o.ID + "/events"} {
			a := s.do(other, role, http.MethodGet, target, "")
			if reads {
				a.Want(http.StatusOK)
				continue
			}
			random := s.do(other, role, http.MethodGet, strings.Replace(target, o.ID, "01J0000000000000000000000X", 1), "")
			if a.Want(http.StatusNotFound); withoutID(a) != withoutID(random) {
				t.Errorf("%s: %s differs from %s", role, a.Body, random.Body)
			}
		}
		if role != "support" {
			s.do(other, role, http.MethodPost, "/v1/orders/"+o.ID+"/cancel", `{}`).WantProblem(http.StatusNotFound, "order_not_found")
		}
	}
	if got := s.get(o.ID); got.Version != 1 {
		t.Errorf("a foreign request wrote version %d", got.Version)
	}
}

func withoutID(a apitest.Answer) string {
	return strings.ReplaceAll(a.Body, a.Header.Get("X-Request-Id"), "")
}

func TestListOrders(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.stock(50, "A")
	var mine []string
	for range 3 {
		*s.clock = s.clock.Add(1e9)
		mine = append(mine, s.order(maria).ID)
		s.order(other)
	}
	slices.Reverse(mine)
	list := func(user, role, query string) page.Page[orders.Order] {
		t.Helper()
		return apitest.Decode[page.Page[orders.Order]](s.do(user, role, http.MethodGet, "/v1/orders"+query, "").Want(http.StatusOK))
	}
	ids := func(p page.Page[orders.Order]) []string {
		var found []string
		for _, o := range p.Data {
			found = append(found, o.ID)
		}
		return found
	}
	first := list(maria, "customer", "?limit=2")
	second := list(maria, "customer", "?limit=2&cursor="+first.NextCursor)
	if diff := cmp.Diff(mine, append(ids(first), ids(second)...)); diff != "" || second.HasMore {
		t.Errorf("orders (-want +got):\n%s", diff)
	}
	s.do(other, "customer", http.MethodGet, "/v1/orders?cursor="+first.NextCursor, "").WantProblem(http.StatusBadRequest, "invalid_cursor")

	all := "?status=pending_payment&day=2026-03-01"
	if got := list(other, "support", all); len(got.Data) != 6 {
		t.Errorf("support sees %d orders, want 6", len(got.Data))
	}
	if got := list(other, "support", "?status=cancelled&day=2026-03-01"); len(got.Data) != 0 {
		t.Errorf("support sees %d cancelled orders, want none", len(got.Data))
	}
	pages := list(other, "support", all+"&limit=5")
	s.do(other, "support", http.MethodGet, "/v1/orders?status=pending_payment&day=2026-03-02&cursor="+pages.NextCursor, "").
		WantProblem(http.StatusBadRequest, "invalid_cursor")
	for query, names := range map[string][]string{all: {"status", "day"}, "?status=x": {"status"}, "?day=2026-03-01": {"day"}} {
		s.do(maria, "customer", http.MethodGet, "/v1/orders"+query, "").WantProblem(http.StatusForbidden, "orders_not_visible", names...)
	}
	for query, name := range map[string]string{
		"?status=pending_payment": "day", "?day=2026-03-01": "status", "?status=x&day=2026-03-01": "status", "?status=shipped&day=2026-3-1": "day",
	} {
		s.do(other, "admin", http.MethodGet, "/v1/orders"+query, "").WantProblem(http.StatusBadRequest, "invalid_parameter", name)
	}
}

// Nothing can pay for an order of nothing.
func TestFreeOrdersAreRefused(t *testing.T) {
	t.Parallel()
	const quoteID = "01J00000000000000000000009"
	for name, tc := range map[string]struct{ body, pointer string }{
		"Codes": {strings.Replace(twoA, `{"lines"`, `{"discount_codes":["ALL"],"lines"`, 1), "/discount_codes"},
		"Quote": {`{"quote_id":"` + quoteID + `"}`, "/quote_id"},
		"Lines": {strings.Replace(twoA, `{"lines"`, `{"expected_total":{"amount_minor":0,"currency":"EUR"},"lines"`, 1), "/lines"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.stock(5, "A")
			s.offers.price, s.offers.shipping = 0, 0
			s.offers.quotes[quoteID] = orders.Offer{
				Lines: []orders.Line{{SKU: "A", ProductID: orderstest.ProductOf("A"), Quantity: 1}}, Total: eur(0),
			}
			s.do(maria, "customer", http.MethodPost, "/v1/orders", tc.body).
				WantProblem(http.StatusUnprocessableEntity, "validation_failed", tc.pointer)
			s.wantStock("A", orderstest.Stock{Available: 5})
		})
	}
}

// Providers take three decimals only if the last one is 0.
func TestTotalsThatNoProviderTakesAreRefused(t *testing.T) {
	t.Parallel()
	const quoteID = "01J00000000000000000000009"
	for total, status := range map[int64]int{605: http.StatusUnprocessableEntity, 610: http.StatusCreated} {
		s := newShop(t)
		s.stock(5, "A")
		s.offers.quotes[quoteID] = orders.Offer{
			Lines: []orders.Line{{SKU: "A", ProductID: orderstest.ProductOf("A"), Quantity: 1}},
			Total: money.Money{AmountMinor: total, Currency: "KWD"},
		}
		a := s.do(maria, "customer", http.MethodPost, "/v1/orders", `{"quote_id":"`+quoteID+`"}`).Want(status)
		if status != http.StatusCreated {
			a.WantProblem(status, "validation_failed", "/quote_id")
			s.wantStock("A", orderstest.Stock{Available: 5})
		}
	}
}

// A customer sees the members of events that are listed, and staff all of them.
func TestListOrderEvents(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.stock(5, "A")
	o := s.order(maria)
	*s.clock = s.clock.Add(1e9)
	s.do(maria, "customer", http.MethodPost, "/v1/orders/"+o.ID+"/cancel", `{"reason":"late"}`).Want(http.StatusOK)
	for role, pieces := range map[string]int64{"customer": 0, "support": 2} {
		a := s.do(maria, role, http.MethodGet, "/v1/orders/"+o.ID+"/events", "").Want(http.StatusOK)
		list := apitest.Decode[page.Page[orders.Entry]](a)
		if len(list.Data) != 2 || list.Data[0].Type != "order.created" || list.Data[1].Type != "order.cancelled" {
			t.Fatalf("events %s", a.Body)
		}
		total := eur(2920)
		want := []orders.Happening{
			{OrderID: o.ID, Version: 1, Currency: "EUR", Total: &total, Pieces: pieces},
			{OrderID: o.ID, Version: 2, Currency: "EUR", Reason: orders.ReasonLate, By: orders.ByCustomer},
		}
		if diff := cmp.Diff(want, []orders.Happening{list.Data[0].Data, list.Data[1].Data}); diff != "" {
			t.Errorf("%s: data (-want +got):\n%s", role, diff)
		}
	}
	first := apitest.Decode[page.Page[orders.Entry]](s.do(maria, "customer", http.MethodGet, "/v1/orders/"+o.ID+"/events?limit=1", ""))
	second := apitest.Decode[page.Page[orders.Entry]](s.do(maria, "customer", http.MethodGet, "/v1/orders/"+o.ID+"/events?cursor="+first.NextCursor, ""))
	if len(first.Data) != 1 || len(second.Data) != 1 || second.HasMore {
		t.Errorf("pages of %d and %d events", len(first.Data), len(second.Data))
	}
	s.do(maria, "customer", http.MethodGet, "/v1/orders/"+s.order(maria).ID+"/events?cursor="+first.NextCursor, "").
		WantProblem(http.StatusBadRequest, "invalid_cursor")
}

// What staff think of a customer is not for the customer.
func TestReasonsOfStaffAreForStaff(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.stock(5, "A")
	o := s.order(maria)
	*s.clock = s.clock.Add(1e9)
	s.do(other, "support", http.MethodPost, "/v1/orders/"+o.ID+"/cancel", `{"reason":"fraud"}`).Want(http.StatusOK)
	for role, want := range map[string]orders.Reason{"customer": "", "support": orders.ReasonFraud} {
		a := s.do(maria, role, http.MethodGet, "/v1/orders/"+o.ID+"/events", "").Want(http.StatusOK)
		data := apitest.Decode[page.Page[orders.Entry]](a).Data[1].Data
		if data.Reason != want || data.By != orders.ByStaff {
			t.Errorf("%s sees the reason %q by %q, want %q by staff", role, data.Reason, data.By, want)
		}
	}
}

// The answer to a cancellation shows whether money has still to go back, or a payment still to end.
func TestCancelOrderIsAcceptedWhileMoneyIsPending(t *testing.T) {
	t.Parallel()
	for payment, want := range map[orders.PaymentStatus]int{
		orders.PaymentNone: 200, orders.PaymentDeclined: 200, orders.PaymentProcessing: 202, orders.PaymentUnknown: 202,
		orders.PaymentAuthorized: 202, orders.PaymentCaptured: 202, orders.PaymentPartiallyCaptured: 202,
		orders.PaymentVoided: 200, orders.PaymentPartiallyRefunded: 202, orders.PaymentRefunded: 200,
	} {
		t.Run(string(payment), func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.stock(5, "A")
			o := s.order(maria)
			if payment != orders.PaymentNone {
				s.pay(o, "PAYMENT", payment, "payment.authorized")
			}
			key := apitest.Header("Idempotency-Key", "k1")
			for range 2 {
				s.do(maria, "customer", http.MethodPost, "/v1/orders/"+o.ID+"/cancel", `{}`, key).Want(want)
			}
		})
	}
}

func TestCancelOrderRefuses(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.stock(5, "A")
	target := "/v1/orders/" + s.order(maria).ID + "/cancel"
	s.do(maria, "customer", http.MethodPost, target, `{"reason":"because"}`).WantProblem(http.StatusUnprocessableEntity, "validation_failed", "/reason")
	s.do(maria, "customer", http.MethodPost, target, ``).WantProblem(http.StatusUnsupportedMediaType, "unsupported_media_type", "Content-Type")
	s.do(maria, "customer", http.MethodPost, "/v1/orders/x/cancel", `{}`).WantProblem(http.StatusNotFound, "order_not_found")
	s.wantStock("A", orderstest.Stock{Available: 3, Reserved: 2})
}
