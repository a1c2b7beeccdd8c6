package shipments_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/shipments"
	"github.com/tienda-dev/tienda/functions/shipments/shipmentstest"
	"github.com/tienda-dev/tienda/internal/apitest"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/money"
)

func eur(minor int64) money.Money { return money.Money{AmountMinor: minor, Currency: "EUR"} }

func TestCreateShipmentOfAPartAndTheRest(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	o := s.order(t)
	a := s.ship(o.ID, "k1", `{"lines":[{"sku":"BEANS","quantity":1}],"carrier":"Correos"}`).Want(http.StatusCreated)
	first := apitest.Decode[shipments.Shipment](a)
	want := shipments.Shipment{
		ID: first.ID, OrderID: o.ID, Status: shipments.Created, Carrier: "Correos", Lines: []shipments.Line{{SKU: "BEANS", Quantity: 1}},
		Amount: eur(333), TrackingToken: first.TrackingToken, Milestones: []shipments.Milestone{}, Version: 1,
		CreatedAt: shipmentstest.Time(30), UpdatedAt: shipmentstest.Time(30),
	}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("shipment (-want +got):\n%s", diff)
	}
	if got := a.Header.Get("Location"); got != "../../shipments/"+first.ID {
		t.Errorf("Location %s", got)
	}
	rest := apitest.Decode[shipments.Shipment](s.ship(o.ID, "k2", `{"carrier":"Correos"}`).Want(http.StatusCreated))
	if diff := cmp.Diff([]shipments.Line{{SKU: "BEANS", Quantity: 2}, {SKU: "CUP", Quantity: 2}}, rest.Lines); diff != "" {
		t.Errorf("lines of the rest (-want +got):\n%s", diff)
	}
	if rest.Amount != eur(1990-333) || rest.TrackingToken == first.TrackingToken {
		t.Errorf("got %+v", rest)
	}
	s.ship(o.ID, "k3", `{"carrier":"Correos"}`).WantProblem(http.StatusConflict, "invalid_transition")
	if diff := cmp.Diff([]string{"shipment.created", "shipment.created"}, s.events(t, o)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// What was shipped whole has no line in the rest.
func TestCreateShipmentOfTheOtherLine(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	o := s.order(t)
	s.ship(o.ID, "k1", `{"lines":[{"sku":"BEANS","quantity":3}],"carrier":"Correos"}`).Want(http.StatusCreated)
	rest := apitest.Decode[shipments.Shipment](s.ship(o.ID, "k2", `{"carrier":"Correos"}`).Want(http.StatusCreated))
	if diff := cmp.Diff([]shipments.Line{{SKU: "CUP", Quantity: 2}}, rest.Lines); diff != "" {
		t.Errorf("lines of the rest (-want +got):\n%s", diff)
	}
}

func TestCreatedEventHasWhatToCapture(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	o := s.order(t)
	made := s.create(t, o)
	events, err := s.store.Events(t.Context(), o.ID)
	if err != nil || len(events) != 1 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	want := `{"order_id":"` + o.ID + `","shipment_id":"` + made.ID + `","version":1,` +
		`"lines":[{"sku":"BEANS","quantity":3},{"sku":"CUP","quantity":2}],"amount":{"amount_minor":1990,"currency":"EUR"}}`
	if got := string(events[0].Data); got != want || events[0].Subject != o.ID {
		t.Errorf("got %s of %s, want %s", got, events[0].Subject, want)
	}
}

func TestCreateShipmentOncePerKey(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	o := s.order(t)
	const body = `{"carrier":"Correos"}`
	first := s.ship(o.ID, "k1", body).Want(http.StatusCreated)
	again := s.ship(o.ID, "k1", ` {"carrier": "Correos"}`).Want(http.StatusCreated)
	if again.Body != first.Body || again.Header.Get("Idempotent-Replayed") != "true" || again.Header.Get("Location") != first.Header.Get("Location") {
		t.Errorf("got %v %s, want %s", again.Header, again.Body, first.Body)
	}
	s.ship(o.ID, "k1", `{"carrier":"DHL"}`).WantProblem(http.StatusUnprocessableEntity, "idempotency_key_reused")
	if got := s.events(t, o); len(got) != 1 {
		t.Errorf("events %v, want one", got)
	}
}

func TestCreateShipmentRefuses(t *testing.T) {
	t.Parallel()
	const carrier = `,"carrier":"Correos"}`
	many := `{"lines":[` + strings.Repeat(`{"sku":"A","quantity":1},`, shipments.MaxLines) + `{"sku":"B","quantity":1}]` + carrier
	for name, tc := range map[string]struct {
		body     string
		phase    shipments.Phase
		status   int
		code     string
		pointers []string
	}{
		"Unpaid":           {`{"carrier":"Correos"}`, shipments.Unpaid, http.StatusConflict, "not_paid", nil},
		"Closed":           {`{"carrier":"Correos"}`, shipments.Closed, http.StatusConflict, "invalid_transition", nil},
		"MoreThanOrdered":  {`{"lines":[{"sku":"CUP","quantity":1},{"sku":"BEANS","quantity":4}]` + carrier, 0, http.StatusUnprocessableEntity, "over_ship", []string{"/lines/1/quantity"}},
		"AnotherSKU":       {`{"lines":[{"sku":"TEA","quantity":1}]` + carrier, 0, http.StatusUnprocessableEntity, "over_ship", []string{"/lines/0/sku"}},
		"ZeroPieces":       {`{"lines":[{"sku":"CUP","quantity":0}]` + carrier, 0, http.StatusUnprocessableEntity, "validation_failed", []string{"/lines/0/quantity"}},
		"NegativePieces":   {`{"lines":[{"sku":"CUP","quantity":-1}]` + carrier, 0, http.StatusUnprocessableEntity, "validation_failed", []string{"/lines/0/quantity"}},
		"HugeQuantity":     {`{"lines":[{"sku":"CUP","quantity":9007199254740993}]` + carrier, 0, http.StatusUnprocessableEntity, "validation_failed", []string{"/lines/0/quantity"}},
		"SameSKUTwice":     {`{"lines":[{"sku":"CUP","quantity":1},{"sku":"CUP","quantity":1}]` + carrier, 0, http.StatusUnprocessableEntity, "validation_failed", []string{"/lines/1/sku"}},
		"NoLine":           {`{"lines":[]` + carrier, 0, http.StatusUnprocessableEntity, "validation_failed", []string{"/lines"}},
		"TooManyLines":     {many, 0, http.StatusUnprocessableEntity, "validation_failed", []string{"/lines"}},
		"EmptyLine":        {`{"lines":[{}]` + carrier, 0, http.StatusUnprocessableEntity, "validation_failed", []string{"/lines/0/sku", "/lines/0/quantity"}},
		"NoCarrier":        {`{}`, 0, http.StatusUnprocessableEntity, "validation_failed", []string{"/carrier"}},
		"BlankCarrier":     {`{"carrier":" "}`, 0, http.StatusUnprocessableEntity, "validation_failed", []string{"/carrier"}},
		"OwnTrackingToken": {`{"carrier":"Correos","tracking_token":"x"}`, 0, http.StatusUnprocessableEntity, "validation_failed", []string{"/tracking_token"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			o := s.order(t, func(o *shipments.Order) {
				if tc.phase != 0 {
					o.Phase = tc.phase
				}
			})
			s.ship(o.ID, "k", tc.body).In(t).WantProblem(tc.status, tc.code, tc.pointers...)
			if got := s.events(t, o); len(got) > 0 {
				t.Errorf("a refused request has written %v", got)
			}
		})
	}
}

func TestCreateShipmentOfAnUnknownOrder(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	for _, id := range []string{nobody, "x"} {
		s.ship(id, "k", `{"carrier":"Correos"}`).WantProblem(http.StatusNotFound, "order_not_found")
	}
}

func TestOnlyFulfilmentShips(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	o := s.order(t)
	for _, role := range []string{policy.RoleCustomer, policy.RoleSupport, policy.RoleCatalog} {
		s.api.Do(http.MethodPost, "/v1/orders/"+o.ID+"/shipments", `{"carrier":"Correos"}`, apitest.As(maria, role),
			apitest.Header("Idempotency-Key", "k")).WantProblem(http.StatusForbidden, "insufficient_role")
		s.api.Do(http.MethodPost, "/v1/shipments/"+nobody+"/events", `{}`, apitest.As(maria, role)).
			WantProblem(http.StatusForbidden, "insufficient_role")
	}
	s.api.Do(http.MethodPost, "/v1/orders/"+o.ID+"/shipments", `{"carrier":"Correos"}`, apitest.As("clerk", policy.RoleFulfilment)).
		WantProblem(http.StatusBadRequest, "idempotency_key_required")
}

// The limit of a route's body must not refuse what the limits of its fields allow, however it is written.
func TestLargestBodiesFit(t *testing.T) {
	t.Parallel()
	var lines []any
	var order []shipments.OrderLine
	for i := range shipments.MaxLines {
		sku := string(rune('A'+i%26)) + strings.Repeat("S", 62) + string(rune('a'+i/26))
		lines = append(lines, map[string]any{"sku": sku, "quantity": shipments.MaxQuantity})
		order = append(order, shipments.OrderLine{SKU: sku, Quantity: shipments.MaxQuantity, ToShip: shipments.MaxQuantity, Total: eur(1)})
	}
	report := map[string]any{"event_id": strings.Repeat("e", 64), "type": shipments.ScanOutForDelivery, "at": "2026-03-01T12:00:00.000000000+00:00"}
	s := newShop(t)
	o := s.order(t, func(o *shipments.Order) { o.Lines = order })
	made := apitest.Decode[shipments.Shipment](s.ship(o.ID, "k", apitest.Escaped(map[string]any{
		"lines": lines, "carrier": strings.Repeat("𝄞", shipments.MaxCarrier),
	})).Want(http.StatusCreated))
	s.report(made.ID, apitest.Escaped(report)).Want(http.StatusAccepted)
	report["shipment_id"] = made.ID
	body := apitest.Escaped(report)
	s.carrier(body, carrierKeys()[0].Sign(now(), []byte(body))).Want(http.StatusAccepted)
}
