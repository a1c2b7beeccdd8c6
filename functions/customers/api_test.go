package customers_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/customers"
	"github.com/tienda-dev/tienda/functions/customers/customerstest"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/middleware"
)

const maria = "01J00000000000000000000001"

// newMux serves the routes with their real chains on a store in memory that knows maria.
func newMux(t *testing.T) (*http.ServeMux, *customerstest.Memory) {
	t.Helper()
	store := customerstest.NewMemory()
	if err := store.Create(t.Context(), maria, "maria@shop.example", "María", customerstest.Time(0)); err != nil {
		t.Fatal(err)
	}
	service := customers.NewService(store, func() time.Time { return customerstest.Time(5).Add(123456 * time.Nanosecond) })
	handlers := map[string]api.Handler{
		"get-my-profile":    customers.GetMyProfile(store),
		"update-my-profile": customers.UpdateMyProfile(service),
	}
	mux := http.NewServeMux()
	for _, route := range customers.Routes() {
		h, err := middleware.Chain(route, middleware.Config{Authenticator: middleware.GatewayAuthenticator(time.Now)}, handlers[route.Name])
		if err != nil {
			t.Fatal(err)
		}
		mux.Handle(route.Key(), h)
	}
	return mux, store
}

// ask sends a request as the subject; without one it is anonymous.
func ask(mux http.Handler, subject, method, body, ifMatch string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/v1/customers/me", strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/merge-patch+json")
	}
	if ifMatch != "" {
		r.Header.Set("If-Match", ifMatch)
	}
	if subject != "" {
		caller := identity.Annotation{Outcome: identity.OK, Identity: identity.Identity{Subject: subject}}
		r = r.WithContext(identity.WithAuthorizer(r.Context(), caller.Map()))
	}
	rec := httptest.NewRecorder()
	mux.ServeHTTP(rec, r)
	return rec
}

func code(rec *httptest.ResponseRecorder) string {
	var p struct{ Code string }
	_ = json.Unmarshal(rec.Body.Bytes(), &p)
	return p.Code
}

func TestGetMyProfile(t *testing.T) {
	t.Parallel()
	mux, _ := newMux(t)
	rec := ask(mux, maria, http.MethodGet, "", "")
	const want = `{"id":"01J00000000000000000000001","email":"maria@shop.example","name":"María","version":1,` +
		`"created_at":"2026-03-01T12:00:00Z","updated_at":"2026-03-01T12:00:00Z"}`
	if rec.Code != http.StatusOK || strings.TrimSpace(rec.Body.String()) != want {
		t.Errorf("got %d %s, want %s", rec.Code, rec.Body, want)
	}
	if got := rec.Header().Get("ETag"); got != `"1"` {
		t.Errorf("ETag %s", got)
	}
	if got := rec.Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %s: it is personal data", got)
	}
}

func TestProfileIsTheCallersOwn(t *testing.T) {
	t.Parallel()
	mux, store := newMux(t)
	if rec := ask(mux, "", http.MethodGet, "", ""); rec.Code != http.StatusUnauthorized {
		t.Errorf("anonymous: got %d", rec.Code)
	}
	for _, method := range []string{http.MethodGet, http.MethodPatch} {
		rec := ask(mux, "01J00000000000000000000002", method, map[string]string{http.MethodPatch: `{"name":"Thief"}`}[method], `"1"`)
		if rec.Code != http.StatusNotFound || code(rec) != "customer_not_found" {
			t.Errorf("%s as somebody else: got %d %s", method, rec.Code, rec.Body)
		}
	}
	if c, err := store.Get(t.Context(), maria); err != nil || c.Version != 1 {
		t.Errorf("got %+v, %v", c, err)
	}
}

func TestUpdateMyProfile(t *testing.T) {
	t.Parallel()
	mux, store := newMux(t)
	rec := ask(mux, maria, http.MethodPatch, `{"name":"María López"}`, `"1"`)
	if rec.Code != http.StatusOK || rec.Header().Get("ETag") != `"2"` {
		t.Fatalf("got %d %s %s", rec.Code, rec.Header().Get("ETag"), rec.Body)
	}
	want := customers.Customer{
		ID: maria, Email: "maria@shop.example", Name: "María López", Version: 2,
		CreatedAt: customerstest.Time(0), UpdatedAt: customerstest.Time(5),
	}
	var answered customers.Customer
	if err := json.Unmarshal(rec.Body.Bytes(), &answered); err != nil {
		t.Fatal(err)
	}
	stored, err := store.Get(t.Context(), maria)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]customers.Customer{want, want}, []customers.Customer{answered, stored}); diff != "" {
		t.Errorf("answered and stored (-want +got):\n%s", diff)
	}
}

func TestUpdateMyProfileRefuses(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		body, ifMatch string
		status        int
		code          string
	}{
		"NoIfMatch":    {`{"name":"Other"}`, "", http.StatusPreconditionRequired, "precondition_required"},
		"Stale":        {`{"name":"Other"}`, `"2"`, http.StatusPreconditionFailed, "precondition_failed"},
		"Blank":        {`{"name":" "}`, `"1"`, http.StatusUnprocessableEntity, "validation_failed"},
		"Null":         {`{"name":null}`, `"1"`, http.StatusUnprocessableEntity, "validation_failed"},
		"TooLong":      {`{"name":"` + strings.Repeat("ñ", 201) + `"}`, `"1"`, http.StatusUnprocessableEntity, "validation_failed"},
		"LineBreak":    {`{"name":"a\nb"}`, `"1"`, http.StatusUnprocessableEntity, "validation_failed"},
		"OtherAddress": {`{"email":"other@shop.example"}`, `"1"`, http.StatusUnprocessableEntity, "validation_failed"},
		"OtherID":      {`{"id":"x"}`, `"1"`, http.StatusUnprocessableEntity, "validation_failed"},
		"OwnVersion":   {`{"version":7}`, `"1"`, http.StatusUnprocessableEntity, "validation_failed"},
		"NotJSON":      {`name=Other`, `"1"`, http.StatusBadRequest, "malformed_json"},
		"TooLarge":     {`{"name":"Other"}` + strings.Repeat(" ", 4096), `"1"`, http.StatusRequestEntityTooLarge, "body_too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mux, store := newMux(t)
			rec := ask(mux, maria, http.MethodPatch, tc.body, tc.ifMatch)
			if rec.Code != tc.status || code(rec) != tc.code {
				t.Errorf("got %d %s, want %d %s", rec.Code, rec.Body, tc.status, tc.code)
			}
			if c, err := store.Get(t.Context(), maria); err != nil || c.Version != 1 {
				t.Errorf("a refused request has written %+v, %v", c, err)
			}
		})
	}
}

func TestLongestNameFits(t *testing.T) {
	t.Parallel()
	mux, _ := newMux(t)
	escaped := strings.Repeat(`\ud834\udd1e`, policy.MaxPersonName) // each is one character
	if rec := ask(mux, maria, http.MethodPatch, `{"name":"`+escaped+`"}`, `"1"`); rec.Code != http.StatusOK {
		t.Errorf("got %d %s", rec.Code, rec.Body)
	}
	if rec := ask(mux, maria, http.MethodPatch, `{}`, `"2"`); rec.Code != http.StatusOK || rec.Header().Get("ETag") != `"3"` {
		t.Errorf("an empty patch: got %d %s", rec.Code, rec.Body)
	}
}
