package shipments_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/functions/shipments"
	"github.com/tienda-dev/tienda/functions/shipments/shipmentstest"
	"github.com/tienda-dev/tienda/internal/apitest"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/idempotency"
	"github.com/tienda-dev/tienda/shared/middleware"
	"github.com/tienda-dev/tienda/shared/page"
)

const (
	maria  = "01J00000000000000000000001"
	other  = "01J00000000000000000000002"
	nobody = "01J00000000000000000000009"
)

// shop serves the routes on a store in memory.
type shop struct {
	api     *apitest.API
	store   *shipmentstest.Memory
	service *shipments.Service
}

// now is the time of the shop's clock.
func now() time.Time { return shipmentstest.Time(30).Time.Add(123456 * time.Nanosecond) }

// fixed is a secret that is never rotated.
type fixed[T any] struct{ value T }

func (f fixed[T]) Get(context.Context) T { return f.value }

func carrierKeys() []shipments.CarrierKey {
	return []shipments.CarrierKey{{ID: "new", Text: strings.Repeat("n", 32)}, {ID: "old", Text: strings.Repeat("o", 32)}}
}

func newShop(t *testing.T) shop {
	t.Helper()
	store := shipmentstest.NewMemory()
	service := shipments.NewService(store, store, now)
	sealer, err := page.NewSealer([]page.Key{{ID: "k1", Status: "active", Text: strings.Repeat("k", page.MinKeyLength)}}, now)
	if err != nil {
		t.Fatal(err)
	}
	return shop{store: store, service: service, api: apitest.New(t, shipments.Routes(), map[string]api.Handler{
		"create-shipment":       shipments.CreateShipment(service),
		"list-order-shipments":  shipments.ListOrderShipments(store, store, fixed[*page.Sealer]{sealer}),
		"get-shipment":          shipments.GetShipment(store),
		"add-shipment-event":    shipments.AddShipmentEvent(service),
		"receive-carrier-event": shipments.ReceiveCarrierEvent(service, fixed[[]shipments.CarrierKey]{carrierKeys()}, now),
		"track-shipment":        shipments.TrackShipment(store),
	}, func(api.Route) middleware.Config {
		return middleware.Config{
			Authenticator: middleware.GatewayAuthenticator(time.Now),
			Idempotency:   idempotency.Middleware(store.Keys, now),
		}
	})}
}

// order adds an order of maria's with 3 BEANS and 2 CUPs.
func (s shop) order(t *testing.T, change ...func(*shipments.Order)) shipments.Order {
	t.Helper()
	o := shipmentstest.NewOrder(append([]func(*shipments.Order){func(o *shipments.Order) { o.Customer = maria }}, change...)...)
	if err := s.store.AddOrder(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	return o
}

// create ships all of an order.
func (s shop) create(t *testing.T, o shipments.Order) shipments.Shipment {
	t.Helper()
	made, err := s.service.Create(t.Context(), o.ID, nil, "Correos")
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func (s shop) get(t *testing.T, id string) shipments.Shipment {
	t.Helper()
	got, err := s.store.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func (s shop) events(t *testing.T, o shipments.Order) []string {
	t.Helper()
	events, err := s.store.Events(t.Context(), o.ID)
	if err != nil {
		t.Fatal(err)
	}
	types := []string{}
	for _, e := range events {
		types = append(types, e.Type)
	}
	return types
}

// ship asks for a shipment as staff.
func (s shop) ship(orderID, key, body string) apitest.Answer {
	return s.api.Do(http.MethodPost, "/v1/orders/"+orderID+"/shipments", body,
		apitest.As("clerk", policy.RoleFulfilment), apitest.Header("Idempotency-Key", key))
}

// report sends a report as staff.
func (s shop) report(shipmentID, body string) apitest.Answer {
	return s.api.Do(http.MethodPost, "/v1/shipments/"+shipmentID+"/events", body, apitest.As("clerk", policy.RoleFulfilment))
}
