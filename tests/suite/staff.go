package suite

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func roles(p Person, token string, names ...string) Request {
	return Request{
		Method: http.MethodPut, Path: "/v1/users/" + p.ID + "/roles", Token: token,
		Body: Document{"roles": append([]string{}, names...)}.String(),
	}
}

func (c *Caller) testStaff(t *testing.T) {
	t.Run("RolesDecideWhatATokenMayDo", func(t *testing.T) {
		t.Parallel()
		p := c.Register(t)
		pair := c.Login(t, p)
		creation := Request{Method: http.MethodPost, Path: "/v1/products", Token: pair.Access, Body: NewProduct().String()}
		c.Do(t, creation).wantProblem(t, forbidden())

		var changed struct {
			ID        string   `json:"id"`
			Roles     []string `json:"roles"`
			CreatedAt string   `json:"created_at"`
		}
		c.Do(t, roles(p, c.As(t, roleAdmin), roleCustomer, roleCatalog)).want(t, http.StatusOK).decode(t, &changed)
		if diff := cmp.Diff([]string{roleCatalog, roleCustomer}, changed.Roles); diff != "" || changed.ID != p.ID {
			t.Errorf("user %+v (-want +got):\n%s", changed, diff)
		}
		c.wantRevoked(t, pair.Access) // its roles are outdated
		pair = c.refresh(t, pair.Refresh)
		creation.Token = pair.Access
		c.Do(t, creation).want(t, http.StatusCreated)

		c.Do(t, roles(p, c.As(t, roleAdmin), roleCustomer)).want(t, http.StatusOK)
		creation.Body = NewProduct().String()
		c.Do(t, creation).wantProblem(t, refused(http.StatusUnauthorized, "token_revoked"))
		creation.Token = c.refresh(t, pair.Refresh).Access
		c.Do(t, creation).wantProblem(t, forbidden())
	})
	t.Run("AnAdminByLogin", func(t *testing.T) {
		t.Parallel()
		admin, p := c.Register(t), c.Register(t)
		c.Do(t, roles(admin, c.As(t, roleAdmin), roleAdmin)).want(t, http.StatusOK)
		token := c.Login(t, admin).Access
		c.Do(t, roles(p, token, roleSupport)).want(t, http.StatusOK)
		c.Do(t, roles(p, token, "root")).wantProblem(t, invalid("/roles/0"))
	})
	t.Run("LogoutOfAUser", func(t *testing.T) {
		t.Parallel()
		p := c.Register(t)
		pair := c.Login(t, p)
		logout := Request{Method: http.MethodPost, Path: "/v1/users/" + p.ID + "/logout", Token: c.As(t, roleAdmin)}
		for range 2 {
			c.Do(t, logout).want(t, http.StatusNoContent)
		}
		c.wantRevoked(t, pair.Access)
		c.wantNoGrant(t, pair.Refresh)
	})
	t.Run("RecentLogin", func(t *testing.T) {
		t.Parallel()
		p := c.Register(t)
		const stale = `Bearer error="insufficient_user_authentication", error_description="A more recent login is needed", max_age="900"`
		for route, r := range map[string]Request{
			"change-password": post("/v1/auth/password", Document{"current_password": "not " + p.password, "new_password": "another " + p.password}),
			"set-user-roles":  roles(p, "", roleCustomer),
			"logout-user":     {Method: http.MethodPost, Path: "/v1/users/" + p.ID + "/logout"},
		} {
			r.Token = c.token(t, time.Now().Add(-16*time.Minute), "user-admin", roleAdmin)
			a := c.Do(t, r)
			if a.Status != http.StatusUnauthorized {
				t.Errorf("%s with a login of 16 minutes ago: got %d %s, want 401", route, a.Status, a.Body)
				continue
			}
			a.wantProblem(t, refused(http.StatusUnauthorized, "insufficient_user_authentication"))
			a.wantHeader(t, headerChallenge, stale)
			r.Token = c.token(t, time.Now().Add(-13*time.Minute), "user-admin", roleAdmin)
			if a := c.Do(t, r); a.Status == http.StatusUnauthorized {
				t.Errorf("%s with a login of 13 minutes ago: got %d %s", route, a.Status, a.Body)
			}
		}
	})
	t.Run("NobodyIsNotFound", func(t *testing.T) {
		t.Parallel()
		admin, missing := c.As(t, roleAdmin), refused(http.StatusNotFound, "user_not_found")
		for _, id := range []string{nobodysID, "x"} {
			c.Do(t, roles(Person{ID: id}, admin)).wantProblem(t, missing)
			for _, operation := range []string{"logout", "unlock"} {
				c.Do(t, Request{Method: http.MethodPost, Path: "/v1/users/" + id + "/" + operation, Token: admin}).wantProblem(t, missing)
			}
		}
	})
	t.Run("Protected", func(t *testing.T) {
		t.Parallel()
		p := c.Register(t)
		pair := c.Login(t, p)
		for route, tc := range map[string]struct {
			request Request
			roles   []string
		}{
			"set-user-roles":    {roles(p, "", roleAdmin), []string{roleAdmin}},
			"logout-user":       {Request{Method: http.MethodPost, Path: "/v1/users/" + p.ID + "/logout"}, []string{roleAdmin}},
			"unlock-user":       {Request{Method: http.MethodPost, Path: "/v1/users/" + p.ID + "/unlock"}, []string{roleAdmin}},
			"introspect-token":  {form("/v1/auth/introspect", pair.Access), []string{roleService}},
			"logout":            {Request{Method: http.MethodPost, Path: "/v1/auth/logout"}, nil},
			"logout-all":        {Request{Method: http.MethodPost, Path: "/v1/auth/logout-all"}, nil},
			"change-password":   {post("/v1/auth/password", Document{"current_password": "a", "new_password": "b"}), nil},
			"list-sessions":     {sessionsOf(""), nil},
			"revoke-session":    {Request{Method: http.MethodDelete, Path: "/v1/auth/sessions/" + nobodysID}, nil},
			"get-my-profile":    {profile(""), nil},
			"update-my-profile": {renaming("", 1, "Other"), nil},
		} {
			t.Run(route, func(t *testing.T) {
				t.Parallel()
				c.testProtected(t, tc.request, tc.roles)
			})
		}
		t.Run("NothingHappened", func(t *testing.T) { c.wantAccepted(t, pair.Access) })
	})
}

func profile(token string) Request {
	return Request{Method: http.MethodGet, Path: "/v1/customers/me", Token: token}
}

func renaming(token string, version int, name string) Request {
	return Request{
		Method: http.MethodPatch, Path: "/v1/customers/me", Token: token, Body: Document{"name": name}.String(),
		Header: map[string]string{headerIfMatch: fmt.Sprintf(`"%d"`, version)},
	}
}

func (c *Caller) testProfile(t *testing.T) {
	type customer struct {
		ID        string `json:"id"`
		Email     string `json:"email"`
		Name      string `json:"name"`
		Version   int64  `json:"version"`
		CreatedAt string `json:"created_at"`
		UpdatedAt string `json:"updated_at"`
	}
	p := c.Register(t)
	token := c.Login(t, p).Access
	read := func(a Answer, version int64, name string) {
		t.Helper()
		var got customer
		a.want(t, http.StatusOK).decode(t, &got)
		want := customer{p.ID, p.Email, name, version, got.CreatedAt, got.UpdatedAt}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("profile (-want +got):\n%s", diff)
		}
		a.wantHeader(t, headerETag, fmt.Sprintf(`"%d"`, version))
	}
	read(c.Do(t, profile(token)), 1, p.Name)
	read(c.Do(t, renaming(token, 1, "Другое имя")), 2, "Другое имя")
	read(c.Do(t, profile(token)), 2, "Другое имя")

	c.Do(t, renaming(token, 1, "Late")).wantProblem(t, stale())
	blind := renaming(token, 2, "Blind")
	blind.Header = nil
	c.Do(t, blind).wantProblem(t, refused(http.StatusPreconditionRequired, "precondition_required", headerIfMatch))
	for pointer, body := range map[string]Document{"/name": {"name": nil}, "/email": {"email": "other@shop.example"}, "/id": {"id": nobodysID}} {
		r := renaming(token, 2, "")
		r.Body = body.String()
		c.Do(t, r).wantProblem(t, invalid(pointer))
	}
	read(c.Do(t, profile(token)), 2, "Другое имя")
	c.Do(t, profile(c.As(t, roleCustomer))).wantProblem(t, refused(http.StatusNotFound, "customer_not_found"))
}
