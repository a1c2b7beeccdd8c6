package auth_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/functions/auth/authtest"
	"github.com/tienda-dev/tienda/shared/session"
)

// account is the response to a change of roles.
type account struct {
	ID        string    `json:"id"`
	Roles     []string  `json:"roles"`
	CreatedAt time.Time `json:"created_at"`
}

func (h *server) setRoles(id string, body string) answer {
	h.t.Helper()
	return h.do(h.as("admin"), http.MethodPut, "/v1/users/"+id+"/roles", body)
}

func TestSetRolesAppliesToTheNextRequest(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	u := h.register(email)
	pair := h.login(email)
	h.pass(time.Second)
	want := account{ID: u.ID, Roles: []string{"catalog", "support"}, CreatedAt: authtest.Time(0)}
	if diff := cmp.Diff(want, decode[account](h.setRoles(u.ID, `{"roles":["support","catalog","support"]}`).want(http.StatusOK))); diff != "" {
		t.Errorf("user (-want +got):\n%s", diff)
	}
	h.wantAccepted(pair.Access, false)
	next := decode[tokens](h.refresh(pair.Refresh).want(http.StatusOK))
	h.wantAccepted(next.Access, true)
	id, err := h.verifier.Verify(next.Access)
	must(t, err)
	if !cmp.Equal(id.Roles, want.Roles) || id.AuthzVersion != 2 {
		t.Errorf("the refreshed token has %+v", id)
	}

	// The same roles again change nothing.
	h.setRoles(u.ID, `{"roles":["catalog","support"]}`).want(http.StatusOK)
	h.wantAccepted(next.Access, true)
	if got := decode[account](h.setRoles(u.ID, `{"roles":[]}`).want(http.StatusOK)); len(got.Roles) != 0 || got.Roles == nil {
		t.Errorf("roles %#v", got.Roles)
	}
	h.wantAccepted(next.Access, false)
}

// Every path with an id takes it in lower case, and answers with the canonical one.
func TestIDsInLowerCase(t *testing.T) {
	t.Parallel()
	for _, route := range auth.Routes() {
		if !strings.Contains(route.Path, "{id}") {
			continue
		}
		h := newServer(t, nil)
		u := h.register(email)
		pair := h.login(email)
		session, err := h.verifier.Verify(pair.Access)
		must(t, err)
		token, id, body := h.as("admin"), u.ID, ""
		switch route.Name {
		case "revoke-session":
			token, id = pair.Access, session.SessionID
		case "set-user-roles":
			body = `{"roles":["catalog"]}`
		}
		a := h.do(token, route.Method, strings.Replace(route.Path, "{id}", strings.ToLower(id), 1), body)
		if a.Status != http.StatusNoContent && (a.Status != http.StatusOK || decode[account](a).ID != id) {
			t.Errorf("%s: got %d %s", route.Key(), a.Status, a.Body)
		}
		if route.Name != "unlock-user" {
			h.wantAccepted(pair.Access, false)
		}
	}
}

func TestSetRolesRefuses(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	u := h.register(email)
	for name, tc := range map[string]struct{ body, pointer string }{
		"Empty":   {`{}`, "/roles"},
		"Null":    {`{"roles":null}`, "/roles"},
		"Text":    {`{"roles":"admin"}`, "/roles"},
		"Unknown": {`{"roles":["catalog","root"]}`, "/roles/1"},
		"Case":    {`{"roles":["Admin"]}`, "/roles/0"},
		"Many":    {`{"roles":["admin","admin","admin","admin","admin","admin","admin"]}`, "/roles"},
		"Other":   {`{"roles":[],"version":2}`, "/version"},
	} {
		t.Run(name, func(t *testing.T) {
			a := h.setRoles(u.ID, tc.body)
			a.Answer = a.In(t)
			a.wantProblem(http.StatusUnprocessableEntity, "validation_failed", tc.pointer)
		})
	}
	for _, id := range []string{"01J00000000000000000000000", "x", strings.ToLower(u.ID) + "x"} {
		h.setRoles(id, `{"roles":[]}`).wantProblem(http.StatusNotFound, "user_not_found")
		for _, operation := range []string{"logout", "unlock"} {
			h.do(h.as("admin"), http.MethodPost, "/v1/users/"+id+"/"+operation, "").wantProblem(http.StatusNotFound, "user_not_found")
		}
	}
}

func TestOnlyAdminsMayUseAdminRoutes(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	u := h.register(email)
	mine := h.login(email)
	for _, r := range []struct{ method, path, body string }{
		{http.MethodPut, "/v1/users/" + u.ID + "/roles", `{"roles":["admin"]}`},
		{http.MethodPost, "/v1/users/" + u.ID + "/logout", ""},
		{http.MethodPost, "/v1/users/" + u.ID + "/unlock", ""},
	} {
		h.do("", r.method, r.path, r.body).wantProblem(http.StatusUnauthorized, "missing_token")
		for _, token := range []string{mine.Access, h.as("support", "catalog", "fulfilment", "service", "customer")} {
			h.do(token, r.method, r.path, r.body).wantProblem(http.StatusForbidden, "insufficient_role")
		}
	}
	h.wantAccepted(mine.Access, true)
}

func TestSetRolesDuringOtherChanges(t *testing.T) {
	t.Parallel()
	h, f := newFailingServer(t)
	u := h.register(email)
	f.fails("ReplaceRoles", auth.ErrChanged)
	h.setRoles(u.ID, `{"roles":["admin"]}`).wantProblem(http.StatusConflict, "user_changed")
	f.fails("", nil)
	h.setRoles(u.ID, `{"roles":["admin"]}`).want(http.StatusOK)
}

// If another change of roles comes in between, the roles are read again: granting a role must not undo it.
func TestChangeOfRolesRetriesAfterAnother(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		others int
		roles  []string
		err    error
	}{
		"One":  {1, []string{"admin", "customer", "role-1"}, nil},
		"Two":  {2, []string{"admin", "customer", "role-1", "role-2"}, nil},
		"Many": {100, []string{"customer", "role-1", "role-2", "role-3"}, auth.ErrChanged},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newServer(t, nil)
			u := h.register(email)
			staff := auth.NewAdministrator(&overtaking{Store: h.users, times: tc.others})
			if _, err := staff.Grant(t.Context(), u.ID, "admin"); !errors.Is(err, tc.err) {
				t.Errorf("got %v, want %v", err, tc.err)
			}
			got, err := h.users.User(t.Context(), u.ID)
			must(t, err)
			if diff := cmp.Diff(tc.roles, got.Roles); diff != "" {
				t.Errorf("roles (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGrantAddsARole(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	u := h.register(email)
	staff := auth.NewAdministrator(h.users)
	for range 2 {
		got, err := staff.Grant(t.Context(), u.ID, "admin")
		if err != nil || !cmp.Equal(got.Roles, []string{"admin", "customer"}) || got.AuthzVersion != 2 {
			t.Errorf("Grant: %+v, %v", got, err)
		}
	}
}

func TestLogoutUser(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	u := h.register(email)
	h.register("other@shop.example")
	one, two, other := h.login(email), h.login(email), h.login("other@shop.example")
	h.pass(time.Second)
	for range 2 {
		h.do(h.as("admin"), http.MethodPost, "/v1/users/"+u.ID+"/logout", "").want(http.StatusNoContent)
	}
	for _, pair := range []tokens{one, two} {
		h.wantAccepted(pair.Access, false)
		h.refresh(pair.Refresh).wantProblem(http.StatusBadRequest, "invalid_grant")
	}
	h.wantAccepted(other.Access, true)
	ended := slices.DeleteFunc(slices.Clone(h.events), func(e session.Event) bool { return e.Kind != session.AllRevoked })
	once := session.Event{Kind: session.AllRevoked, Subject: u.ID, Reason: session.Admin}
	if diff := cmp.Diff([]session.Event{once, once}, ended); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestUnlockUser(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	u := h.register(email)
	pair := h.login(email)
	change := func(current string) answer {
		return h.do(pair.Access, http.MethodPost, "/v1/auth/password", text(map[string]string{"current_password": current, "new_password": secondPW}))
	}
	for range auth.FreeAttempts {
		h.post("/v1/auth/login", credentials(email, wrongPW)).want(http.StatusUnauthorized)
		change(wrongPW).want(http.StatusUnprocessableEntity)
	}
	h.post("/v1/auth/login", credentials(email, rightPW)).want(http.StatusTooManyRequests)
	change(rightPW).want(http.StatusTooManyRequests)
	h.do(h.as("admin"), http.MethodPost, "/v1/users/"+u.ID+"/unlock", "").want(http.StatusNoContent)
	h.login(email)
	change(rightPW).want(http.StatusOK)
}
