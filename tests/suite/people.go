package suite

import (
	"net/http"
	"net/url"
)

// Person is a registered user.
type Person struct {
	ID       string `json:"id"`
	Email    string `json:"email"`
	Name     string `json:"name"`
	password string
}

// Pair has the tokens of a login.
type Pair struct {
	Access         string `json:"access_token"`
	Type           string `json:"token_type"`
	ExpiresIn      int64  `json:"expires_in"`
	Refresh        string `json:"refresh_token"`
	RefreshExpires int64  `json:"refresh_expires_in"`
}

// Password returns the password that the user registered with.
func (p Person) Password() string { return p.password }

// LoggingIn returns the request of Login.
func (c *Caller) LoggingIn(p Person) Request { return post("/v1/auth/login", p.credentials()) }

// typeForm is the media type of introspection and revocation.
const typeForm = "application/x-www-form-urlencoded"

// registration is a request body that registers a new user.
func registration() Document {
	name := unique()
	return Document{"email": "Maria.`{|}~" + name + "@shop.example", "password": "battery staple " + name, "name": "María " + name}
}

// post is a request with a JSON body and without a token.
func post(path string, body Document) Request {
	return Request{Method: http.MethodPost, Path: path, Body: body.String()}
}

// form is a request with a token in a form.
func form(path, token string) Request {
	return Request{
		Method: http.MethodPost, Path: path, Body: url.Values{"token": {token}}.Encode(),
		Header: map[string]string{headerContentType: typeForm},
	}
}

// Register registers a new user.
func (c *Caller) Register(t TB) Person {
	t.Helper()
	body := registration()
	var p struct {
		Person

		Roles     []string `json:"roles"`
		CreatedAt string   `json:"created_at"`
	}
	c.Do(t, post("/v1/auth/register", body)).want(t, http.StatusCreated).decode(t, &p)
	p.password = body["password"].(string)
	return p.Person
}

func (p Person) credentials() Document {
	return Document{"email": p.Email, "password": p.password}
}

// Login logs the person in.
func (c *Caller) Login(t TB, p Person) Pair {
	t.Helper()
	return c.Do(t, c.LoggingIn(p)).want(t, http.StatusOK).pair(t)
}

// pair reads tokens, which no cache may keep.
func (a Answer) pair(t TB) Pair {
	t.Helper()
	var p Pair
	a.decode(t, &p)
	if p.Access == "" || p.Refresh == "" || p.Type != "Bearer" || p.ExpiresIn < 60 || p.RefreshExpires <= p.ExpiresIn {
		t.Errorf("got %s, want a pair of tokens", a.Body)
	}
	a.wantHeader(t, headerCacheControl, "no-store")
	a.wantHeader(t, "Pragma", "no-cache")
	return p
}

func refreshing(token string) Request {
	return post("/v1/auth/refresh", Document{"refresh_token": token})
}

// refresh exchanges the refresh token.
func (c *Caller) refresh(t TB, token string) Pair {
	t.Helper()
	return c.Do(t, refreshing(token)).want(t, http.StatusOK).pair(t)
}

// sessionsOf is a request that every access token allows.
func sessionsOf(token string) Request {
	return Request{Method: http.MethodGet, Path: "/v1/auth/sessions", Token: token}
}

// wantAccepted reports an access token that the next request refuses.
func (c *Caller) wantAccepted(t TB, token string) {
	t.Helper()
	if a := c.Do(t, sessionsOf(token)); a.Status != http.StatusOK {
		t.Errorf("an accepted token: got %d %s", a.Status, a.Body)
	}
}

// wantRevoked reports an access token that the next request accepts.
func (c *Caller) wantRevoked(t TB, token string) {
	t.Helper()
	a := c.Do(t, sessionsOf(token))
	a.wantProblem(t, refused(http.StatusUnauthorized, "token_revoked"))
	a.wantHeader(t, headerChallenge, `Bearer error="invalid_token"`)
}

// wantNoGrant reports a refresh token that is accepted.
func (c *Caller) wantNoGrant(t TB, token string) {
	t.Helper()
	c.Do(t, refreshing(token)).wantProblem(t, refused(http.StatusBadRequest, "invalid_grant"))
}
