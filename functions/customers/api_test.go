package customers_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/customers"
	"github.com/tienda-dev/tienda/functions/customers/customerstest"
	"github.com/tienda-dev/tienda/internal/apitest"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
)

const maria = "01J00000000000000000000001"

// profiles serves the routes on a store in memory that has the profile of maria.
type profiles struct {
	api   *apitest.API
	store *customerstest.Memory
}

func newProfiles(t *testing.T) profiles {
	t.Helper()
	store := customerstest.NewMemory()
	if err := store.Create(t.Context(), maria, "maria@shop.example", "María", customerstest.Time(0).Time); err != nil {
		t.Fatal(err)
	}
	service := customers.NewService(store, func() time.Time { return customerstest.Time(5).Time.Add(123456 * time.Nanosecond) })
	return profiles{store: store, api: apitest.New(t, customers.Routes(), map[string]api.Handler{
		"get-my-profile":    customers.GetMyProfile(store),
		"update-my-profile": customers.UpdateMyProfile(service),
	}, nil)}
}

func (p profiles) get(subject string) apitest.Answer {
	return p.api.Do(http.MethodGet, "/v1/customers/me", "", apitest.As(subject))
}

// patch changes the profile of the subject. An empty ifMatch sends no If-Match header.
func (p profiles) patch(subject, body, ifMatch string) apitest.Answer {
	options := []apitest.Option{apitest.As(subject), apitest.Header("Content-Type", "application/merge-patch+json")}
	if ifMatch != "" {
		options = append(options, apitest.Header("If-Match", ifMatch))
	}
	return p.api.Do(http.MethodPatch, "/v1/customers/me", body, options...)
}

func TestGetMyProfile(t *testing.T) {
	t.Parallel()
	a := newProfiles(t).get(maria).Want(http.StatusOK)
	const want = `{"id":"01J00000000000000000000001","email":"maria@shop.example","name":"María","version":1,` +
		`"created_at":"2026-03-01T12:00:00.000Z","updated_at":"2026-03-01T12:00:00.000Z"}`
	if strings.TrimSpace(a.Body) != want {
		t.Errorf("got %s, want %s", a.Body, want)
	}
	if got := a.Header.Get("ETag"); got != `"1"` {
		t.Errorf("ETag %s", got)
	}
	if got := a.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %s: it is personal data", got)
	}
}

func TestProfileIsTheCallersOwn(t *testing.T) {
	t.Parallel()
	p := newProfiles(t)
	p.api.Do(http.MethodGet, "/v1/customers/me", "").WantProblem(http.StatusUnauthorized, "missing_token")
	const other = "01J00000000000000000000002"
	p.get(other).WantProblem(http.StatusNotFound, "customer_not_found")
	p.patch(other, `{"name":"Thief"}`, `"1"`).WantProblem(http.StatusNotFound, "customer_not_found")
	if c, err := p.store.Get(t.Context(), maria); err != nil || c.Version != 1 {
		t.Errorf("got %+v, %v", c, err)
	}
}

func TestUpdateMyProfile(t *testing.T) {
	t.Parallel()
	p := newProfiles(t)
	a := p.patch(maria, `{"name":"María López"}`, `"1"`).Want(http.StatusOK)
	if got := a.Header.Get("ETag"); got != `"2"` {
		t.Errorf("ETag %s", got)
	}
	want := customers.Customer{
		ID: maria, Email: "maria@shop.example", Name: "María López", Version: 2,
		CreatedAt: customerstest.Time(0), UpdatedAt: customerstest.Time(5),
	}
	stored, err := p.store.Get(t.Context(), maria)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]customers.Customer{want, want}, []customers.Customer{apitest.Decode[customers.Customer](a), stored}); diff != "" {
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
			p := newProfiles(t)
			p.patch(maria, tc.body, tc.ifMatch).WantProblem(tc.status, tc.code)
			if c, err := p.store.Get(t.Context(), maria); err != nil || c.Version != 1 {
				t.Errorf("a refused request wrote %+v, %v", c, err)
			}
		})
	}
}

// The limit of a route's body must not refuse what the limits of its fields allow, however it is written.
func TestLargestBodiesFit(t *testing.T) {
	t.Parallel()
	bodies := map[string]string{
		"update-my-profile": apitest.Escaped(map[string]any{"name": strings.Repeat("𝄞", policy.MaxPersonName)}),
	}
	for _, route := range customers.Routes() {
		if route.Method == http.MethodGet || route.Method == http.MethodDelete {
			continue
		}
		body, known := bodies[route.Name]
		if !known {
			t.Errorf("add the largest body of %s; an empty one if it reads none", route.Name)
		}
		a := newProfiles(t).api.Do(route.Method, route.Path, body, apitest.As(maria), apitest.Header("If-Match", `"1"`),
			apitest.Header("Content-Type", "application/merge-patch+json"))
		if a.Status != http.StatusOK {
			t.Errorf("%s: got %d %.300s", route.Name, a.Status, a.Body)
		}
	}
}

func TestPatchThatChangesNothing(t *testing.T) {
	t.Parallel()
	p := newProfiles(t)
	before := p.get(maria)
	for _, body := range []string{`{}`, `{"name":"María"}`} {
		a := p.patch(maria, body, `"1"`).Want(http.StatusOK)
		if a.Header.Get("ETag") != `"1"` || a.Body != before.Body {
			t.Errorf("%s: got %s %s, want %s", body, a.Header.Get("ETag"), a.Body, before.Body)
		}
	}
	if after := p.get(maria); after.Body != before.Body {
		t.Errorf("stored %s, want %s", after.Body, before.Body)
	}
	p.patch(maria, `{}`, `"2"`).WantProblem(http.StatusPreconditionFailed, "precondition_failed")
}
