package suite

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func (c *Caller) testAuth(t *testing.T) {
	t.Run("WholeFlow", func(t *testing.T) {
		t.Parallel()
		p := c.Register(t)
		first := c.Login(t, p)
		c.wantAccepted(t, first.Access)
		c.Do(t, Request{Method: http.MethodGet, Path: "/v1/products?limit=1", Token: first.Access}).want(t, http.StatusOK)

		second := c.refresh(t, first.Refresh)
		c.wantAccepted(t, second.Access)
		if again := c.refresh(t, first.Refresh); again.Refresh != second.Refresh {
			t.Error("a refresh that is repeated at once gives another successor")
		}
		third := c.refresh(t, second.Refresh)
		c.wantNoGrant(t, first.Refresh) // a replay: the session is over
		c.wantNoGrant(t, third.Refresh)
		c.wantRevoked(t, third.Access)

		fourth := c.Login(t, p)
		c.Do(t, Request{Method: http.MethodPost, Path: "/v1/auth/logout", Token: fourth.Access}).want(t, http.StatusNoContent)
		c.wantRevoked(t, fourth.Access)
		c.wantNoGrant(t, fourth.Refresh)
	})
	t.Run("PublicRoutesIgnoreARevokedToken", func(t *testing.T) {
		t.Parallel()
		pair := c.Login(t, c.Register(t))
		c.Do(t, Request{Method: http.MethodPost, Path: "/v1/auth/logout", Token: pair.Access}).want(t, http.StatusNoContent)
		c.Do(t, Request{Method: http.MethodGet, Path: "/v1/products?limit=1", Token: pair.Access}).want(t, http.StatusOK)
	})
	t.Run("LogoutOfAMachine", func(t *testing.T) {
		t.Parallel()
		token := c.token(t, time.Now(), unique(), roleCatalog)
		c.wantAccepted(t, token)
		c.Do(t, Request{Method: http.MethodPost, Path: "/v1/auth/logout", Token: token}).want(t, http.StatusNoContent)
		c.wantRevoked(t, token)
	})
	t.Run("LogoutOfOneLeavesTheOthers", func(t *testing.T) {
		t.Parallel()
		p := c.Register(t)
		one, other := c.Login(t, p), c.Login(t, p)
		c.Do(t, Request{Method: http.MethodPost, Path: "/v1/auth/logout", Token: one.Access}).want(t, http.StatusNoContent)
		c.wantRevoked(t, one.Access)
		c.wantAccepted(t, other.Access)
	})
	t.Run("LogoutAll", func(t *testing.T) {
		t.Parallel()
		p, stranger := c.Register(t), c.Register(t)
		one, other, theirs := c.Login(t, p), c.Login(t, p), c.Login(t, stranger)
		c.Do(t, Request{Method: http.MethodPost, Path: "/v1/auth/logout-all", Token: one.Access}).want(t, http.StatusNoContent)
		for _, pair := range []Pair{one, other} {
			c.wantRevoked(t, pair.Access)
			c.wantNoGrant(t, pair.Refresh)
		}
		c.wantAccepted(t, theirs.Access)
		c.wantAccepted(t, c.Login(t, p).Access)
	})
	t.Run("ChangePassword", func(t *testing.T) {
		t.Parallel()
		p := c.Register(t)
		mine, other := c.Login(t, p), c.Login(t, p)
		body := Document{"current_password": p.password, "new_password": "another " + p.password}
		change := post("/v1/auth/password", body)
		change.Token = mine.Access

		wrong := change
		wrong.Body = body.With(Document{"current_password": "not " + p.password}).String()
		c.Do(t, wrong).wantProblem(t, refused(http.StatusUnprocessableEntity, "wrong_password", "/current_password"))
		wrong.Body = body.With(Document{"new_password": "password"}).String()
		c.Do(t, wrong).wantProblem(t, invalid("/new_password"))
		local, _, _ := strings.Cut(p.Email, "@")
		for _, known := range []string{p.Email, local, p.Name} {
			wrong.Body = body.With(Document{"new_password": known}).String()
			c.Do(t, wrong).wantProblem(t, invalid("/new_password"))
		}

		next := c.Do(t, change).want(t, http.StatusOK).pair(t)
		c.wantAccepted(t, next.Access)
		for _, pair := range []Pair{mine, other} {
			c.wantRevoked(t, pair.Access)
			c.wantNoGrant(t, pair.Refresh)
		}
		c.Do(t, post("/v1/auth/login", p.credentials())).wantProblem(t, refused(http.StatusUnauthorized, "invalid_credentials"))
		p.password = "another " + p.password
		c.Login(t, p)
	})
	t.Run("Sessions", func(t *testing.T) {
		t.Parallel()
		c.testSessions(t)
	})
	t.Run("TokensAreLookedAt", func(t *testing.T) {
		t.Parallel()
		c.testTokenForms(t)
	})
	t.Run("PublicKeys", func(t *testing.T) {
		t.Parallel()
		a := c.Do(t, Request{Method: http.MethodGet, Path: "/.well-known/jwks.json"}).want(t, http.StatusOK)
		a.wantMembers(t, "keys")
		a.wantHeader(t, headerCacheControl, "public, max-age=300")
	})
}

func (c *Caller) testSessions(t *testing.T) {
	t.Helper()
	p := c.Register(t)
	began := time.Now()
	phone := c.Do(t, post("/v1/auth/login", p.credentials().With(Document{"device_name": "phone"}))).want(t, http.StatusOK).pair(t)
	laptop := c.Login(t, p)
	type session struct {
		ID          string `json:"id"`
		DeviceName  string `json:"device_name"`
		Current     bool   `json:"current"`
		CreatedAt   string `json:"created_at"`
		RefreshedAt string `json:"refreshed_at"`
		ExpiresAt   string `json:"expires_at"`
	}
	list := func() []session {
		var l struct {
			Data    []session `json:"data"`
			HasMore bool      `json:"has_more"`
		}
		c.Do(t, sessionsOf(laptop.Access)).want(t, http.StatusOK).decode(t, &l)
		return l.Data
	}
	all := list()
	if len(all) != 2 || !all[0].Current || all[0].DeviceName != "" || all[1].Current || all[1].DeviceName != "phone" {
		t.Fatalf("sessions %+v, want this one and the phone's", all)
	}
	wantTime(t, all[0].CreatedAt, began)
	end := Request{Method: http.MethodDelete, Path: "/v1/auth/sessions/" + all[1].ID, Token: laptop.Access}

	stranger := end
	stranger.Token = c.Login(t, c.Register(t)).Access
	c.Do(t, stranger).wantProblem(t, refused(http.StatusNotFound, "session_not_found"))
	c.wantAccepted(t, phone.Access)
	for range 2 {
		c.Do(t, end).want(t, http.StatusNoContent)
	}
	c.wantRevoked(t, phone.Access)
	c.wantNoGrant(t, phone.Refresh)
	if left := list(); len(left) != 1 || left[0].ID != all[0].ID {
		t.Errorf("sessions %+v, want this one", left)
	}
}

// testTokenForms introspects tokens like other services (RFC 7662), and revokes them (RFC 7009).
func (c *Caller) testTokenForms(t *testing.T) {
	t.Helper()
	p := c.Register(t)
	pair := c.Login(t, p)
	look := func(token string) string {
		r := form("/v1/auth/introspect", token)
		r.Token = c.As(t, roleService)
		a := c.Do(t, r).want(t, http.StatusOK)
		if strings.Contains(string(a.Body), `"active":true`) {
			a.wantMembers(t, "active", "token_type", "sub", "jti", "sid", "roles", "iat", "exp")
			return "active"
		}
		return strings.TrimSpace(string(a.Body))
	}
	const inactive = `{"active":false}`
	looked := map[string]string{"access": look(pair.Access), "refresh": look(pair.Refresh), "garbage": look("x")}
	if diff := cmp.Diff(map[string]string{"access": "active", "refresh": inactive, "garbage": inactive}, looked); diff != "" {
		t.Errorf("introspection (-want +got):\n%s", diff)
	}

	giveBack := func(token string) {
		if a := c.Do(t, form("/v1/auth/revoke", token)).want(t, http.StatusOK); len(a.Body) > 0 {
			t.Errorf("a revocation answers %s", a.Body)
		}
	}
	giveBack("garbage")
	giveBack(pair.Access)
	c.wantRevoked(t, pair.Access)
	if got := look(pair.Access); got != inactive {
		t.Errorf("a revoked token: %s", got)
	}
	next := c.refresh(t, pair.Refresh) // the session is still valid
	giveBack(next.Refresh)
	c.wantRevoked(t, next.Access)
	c.wantNoGrant(t, next.Refresh)
	c.Do(t, post("/v1/auth/revoke", Document{"token": next.Refresh})).wantProblem(t, unsupported())
}

func (c *Caller) testAuthRefuses(t *testing.T) {
	t.Run("Registration", func(t *testing.T) {
		t.Parallel()
		p := c.Register(t)
		taken := registration().With(Document{"email": strings.ToUpper(p.Email)})
		c.Do(t, post("/v1/auth/register", taken)).wantProblem(t, refused(http.StatusConflict, "email_exists", "/email"))
		for pointer, change := range map[string]Document{
			"/email": {"email": "maria"}, "/name": {"name": " "}, "/password": {"password": "password1"}, "/roles": {"roles": []string{"admin"}},
		} {
			c.Do(t, post("/v1/auth/register", registration().With(change))).wantProblem(t, invalid(pointer))
		}
	})
	t.Run("UnknownAndWrongAreAlike", func(t *testing.T) {
		t.Parallel()
		p := c.Register(t)
		wrong := c.Do(t, post("/v1/auth/login", p.credentials().With(Document{"password": "not " + p.password})))
		unknown := c.Do(t, post("/v1/auth/login", Document{"email": "x" + p.Email, "password": p.password}))
		for _, a := range []Answer{wrong, unknown} {
			a.wantProblem(t, refused(http.StatusUnauthorized, "invalid_credentials"))
		}
		blank := func(a Answer) string { return strings.ReplaceAll(string(a.Body), a.Header.Get(headerRequestID), "") }
		if diff := cmp.Diff(blank(wrong), blank(unknown)); diff != "" {
			t.Errorf("bodies (-wrong +unknown):\n%s", diff)
		}
	})
	t.Run("LockoutAndUnlock", func(t *testing.T) {
		t.Parallel()
		p := c.Register(t)
		wrong := post("/v1/auth/login", p.credentials().With(Document{"password": "not " + p.password}))
		locked := func() Answer {
			for range 20 { // the wait after the fifth failure is a second, which may pass
				if a := c.Do(t, wrong); a.Status == http.StatusTooManyRequests {
					return a
				}
			}
			t.Fatal("20 failures in a row are not too many")
			return Answer{}
		}
		a := locked()
		a.wantProblem(t, refused(http.StatusTooManyRequests, "too_many_attempts"))
		if wait := a.Header.Get("Retry-After"); wait == "" || wait == "0" {
			t.Errorf("Retry-After %q", wait)
		}
		c.Do(t, Request{Method: http.MethodPost, Path: "/v1/users/" + p.ID + "/unlock", Token: c.As(t, roleAdmin)}).want(t, http.StatusNoContent)
		c.Login(t, p)
	})
	t.Run("AccessTokenDoesNotRefresh", func(t *testing.T) {
		t.Parallel()
		pair := c.Login(t, c.Register(t))
		c.wantNoGrant(t, pair.Access)
		c.wantNoGrant(t, "x")
		c.Do(t, sessionsOf(pair.Refresh)).wantProblem(t, refused(http.StatusUnauthorized, "invalid_token"))
	})
	t.Run("BodiesAreSmall", func(t *testing.T) {
		t.Parallel()
		for _, path := range []string{"/v1/auth/register", "/v1/auth/login", "/v1/auth/refresh"} {
			r := post(path, registration())
			r.Body += repeat(" ", 32<<10)
			c.Do(t, r).wantProblem(t, refused(http.StatusRequestEntityTooLarge, "body_too_large"))
		}
	})
}
