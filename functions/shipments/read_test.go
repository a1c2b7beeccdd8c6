package shipments_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/shipments"
	"github.com/tienda-dev/tienda/internal/apitest"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/page"
)

func (s shop) read(target, subject string, roles ...string) apitest.Answer {
	return s.api.Do(http.MethodGet, target, "", apitest.As(subject, roles...))
}

func TestShipmentsAreForTheCustomerAndStaff(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	o := s.order(t)
	made := s.create(t, o)
	one, list := "/v1/shipments/"+made.ID, "/v1/orders/"+o.ID+"/shipments"
	for subject, roles := range map[string][]string{
		maria: {policy.RoleCustomer}, "a": {policy.RoleSupport}, "b": {policy.RoleFulfilment}, "c": {policy.RoleAdmin},
	} {
		got := apitest.Decode[shipments.Shipment](s.read(one, subject, roles...).Want(http.StatusOK))
		all := apitest.Decode[page.Page[shipments.Shipment]](s.read(list, subject, roles...).Want(http.StatusOK))
		want := made
		want.Customer = ""
		if diff := cmp.Diff([]shipments.Shipment{want, want}, append(all.Data, got)); diff != "" {
			t.Errorf("%s: shipments (-want +got):\n%s", subject, diff)
		}
	}
	if got := s.read(one, maria).Header.Get("ETag"); got != `"1"` {
		t.Errorf("ETag %s", got)
	}
	unknown := s.read("/v1/shipments/"+nobody, other)
	unknownList := s.read("/v1/orders/"+nobody+"/shipments", other)
	for _, roles := range [][]string{{policy.RoleCustomer}, {policy.RoleCatalog}, nil} {
		a := s.read(one, other, roles...)
		a.WantProblem(http.StatusNotFound, "shipment_not_found")
		b := s.read(list, other, roles...)
		b.WantProblem(http.StatusNotFound, "order_not_found")
		if withoutRequest(a) != withoutRequest(unknown) || withoutRequest(b) != withoutRequest(unknownList) {
			t.Errorf("foreign ids are answered %s and %s, random ones %s and %s", a.Body, b.Body, unknown.Body, unknownList.Body)
		}
	}
	s.read("/v1/shipments/x", maria).WantProblem(http.StatusNotFound, "shipment_not_found")
	s.read("/v1/orders/x/shipments", maria).WantProblem(http.StatusNotFound, "order_not_found")
}

// withoutRequest returns a problem's body without the id of the request.
func withoutRequest(a apitest.Answer) string {
	before, rest, _ := strings.Cut(a.Body, `"request_id":"`)
	_, after, _ := strings.Cut(rest, `"`)
	return before + after
}

func TestListOrderShipmentsHasPages(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	o := s.order(t)
	for _, key := range []string{"k1", "k2", "k3"} {
		s.ship(o.ID, key, `{"lines":[{"sku":"BEANS","quantity":1}],"carrier":"Correos"}`).Want(http.StatusCreated)
	}
	list := "/v1/orders/" + o.ID + "/shipments?limit=2"
	first := apitest.Decode[page.Page[shipments.Shipment]](s.read(list, maria).Want(http.StatusOK))
	next := "&cursor=" + first.NextCursor
	second := apitest.Decode[page.Page[shipments.Shipment]](s.read(list+next, maria).Want(http.StatusOK))
	if len(first.Data) != 2 || !first.HasMore || len(second.Data) != 1 || second.HasMore || first.Data[0].ID >= first.Data[1].ID {
		t.Errorf("got %d, more %t, then %d, more %t", len(first.Data), first.HasMore, len(second.Data), second.HasMore)
	}
	s.read(list+next, "clerk", policy.RoleFulfilment).WantProblem(http.StatusBadRequest, "invalid_cursor")
	elsewhere := s.order(t)
	s.read("/v1/orders/"+elsewhere.ID+"/shipments?limit=2"+next, maria).WantProblem(http.StatusBadRequest, "invalid_cursor")
}

func TestTrackShipmentShowsTheParcelOnly(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	made := s.create(t, s.order(t))
	s.report(made.ID, `{"event_id":"e1","type":"picked_up","at":"2026-03-01T12:00:02Z"}`).Want(http.StatusAccepted)
	a := s.api.Do(http.MethodGet, "/v1/track/"+made.TrackingToken, "").Want(http.StatusOK)
	const want = `{"status":"picked_up","carrier":"Correos","milestones":[{"type":"picked_up","at":"2026-03-01T12:00:02.000Z"}],` +
		`"created_at":"2026-03-01T12:00:30.000Z","updated_at":"2026-03-01T12:00:30.000Z"}`
	if strings.TrimSpace(a.Body) != want || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("got %s %s, want %s", a.Header.Get("Cache-Control"), a.Body, want)
	}
	for _, token := range []string{"x", strings.Repeat("A", 26), strings.ToLower(made.TrackingToken), made.ID, made.TrackingToken + "A"} {
		s.api.Do(http.MethodGet, "/v1/track/"+token, "").WantProblem(http.StatusNotFound, "shipment_not_found")
	}
}

// A token has 128 random bits: 26 characters of 5 bits.
func TestTrackingTokensAreRandom(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 50 {
		s := newShop(t)
		token := s.create(t, s.order(t)).TrackingToken
		if len(token) != 26 || strings.Trim(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" || seen[token] {
			t.Errorf("the token %q is repeated or not one", token)
		}
		seen[token] = true
	}
}
