//go:build integration

package integration_test

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/local/stack"
	"github.com/tienda-dev/tienda/tests/suite"
)

// body writes members and values in turn as JSON.
func body(t *testing.T, pairs ...string) string {
	t.Helper()
	object := map[string]string{}
	for pair := range slices.Chunk(pairs, 2) {
		object[pair[0]] = pair[1]
	}
	text, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func refresh(t *testing.T, token string) suite.Request {
	t.Helper()
	return suite.Request{Method: http.MethodPost, Path: "/v1/auth/refresh", Body: body(t, "refresh_token", token)}
}

// pairOf reads the tokens of an answer.
func pairOf(t *testing.T, a suite.Answer) suite.Pair {
	t.Helper()
	var p suite.Pair
	if err := json.Unmarshal(a.Body, &p); err != nil || a.Status != http.StatusOK {
		t.Fatalf("got %d %s, %v; want tokens", a.Status, a.Body, err)
	}
	return p
}

// TestIdentityWhoseAnswersAreLost loses DynamoDB's first answer to every write of every request. A write
// that is done twice would lock somebody out, take a refresh for a replay, or refuse what has happened.
func TestIdentityWhoseAnswersAreLost(t *testing.T) {
	t.Parallel()
	db, endpoint := newLossy(t, shared.Endpoint, "TransactWriteItems", "UpdateItem", "PutItem")
	c := suite.New(target(t, start(t, func(o *stack.Options) { o.DynamoDBEndpoint = endpoint })))
	lose := func(n int64) {
		t.Helper()
		if left := db.lose.Swap(n); left > 0 {
			t.Errorf("%d answers were not lost", left)
		}
	}
	do := func(status int, r suite.Request) suite.Answer {
		t.Helper()
		a := c.Do(t, r)
		if a.Status != status {
			t.Fatalf("%s %s: got %d %s, want %d", r.Method, r.Path, a.Status, a.Body, status)
		}
		return a
	}

	lose(1)
	p := c.Register(t)
	var pair suite.Pair
	for range 7 { // more often than one may fail
		lose(3) // the attempt, the session, and that the attempts are forgotten
		pair = c.Login(t, p)
	}
	for range 3 {
		lose(1)
		next := pairOf(t, c.Do(t, refresh(t, pair.Refresh)))
		if next.Refresh == pair.Refresh {
			t.Error("the refresh token is not replaced")
		}
		pair = next
	}

	lose(1)
	do(http.StatusOK, suite.Request{
		Method: http.MethodPut, Path: "/v1/users/" + p.ID + "/roles", Token: c.As(t, "admin"), Body: `{"roles":["customer","support"]}`,
	})
	pair = pairOf(t, c.Do(t, refresh(t, pair.Refresh)))
	lose(1)
	do(http.StatusOK, suite.Request{
		Method: http.MethodPatch, Path: "/v1/customers/me", Token: pair.Access, Body: `{"name":"Other"}`, Header: map[string]string{"If-Match": `"1"`},
	})
	lose(1)
	do(http.StatusOK, suite.Request{
		Method: http.MethodPost, Path: "/v1/auth/revoke", Body: url.Values{"token": {pair.Access}}.Encode(),
		Header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"},
	})
	pair = pairOf(t, c.Do(t, refresh(t, pair.Refresh)))
	for _, path := range []string{"/v1/auth/logout", "/v1/auth/logout-all"} {
		lose(1)
		do(http.StatusNoContent, suite.Request{Method: http.MethodPost, Path: path, Token: pair.Access})
		lose(0)
		if a := c.Do(t, refresh(t, pair.Refresh)); a.Code() != "invalid_grant" {
			t.Errorf("after %s: got %d %s", path, a.Status, a.Body)
		}
		pair = c.Login(t, p)
	}
	lose(0)
}

// TestSecretsStayOutOfTheLogs looks for what must not be there in all that the gateway and the functions
// write, at the level that writes most.
func TestSecretsStayOutOfTheLogs(t *testing.T) {
	t.Parallel()
	const password, address, name = "canary-Passw0rd-4711", "canary-address", "Canary Person"
	var log buffer
	s := start(t, func(o *stack.Options) {
		o.Out = &log
		o.Parameters["LogLevel"] = "DEBUG"
	})
	c := suite.New(target(t, s))
	post := func(path, token, body string) suite.Answer {
		return c.Do(t, suite.Request{Method: http.MethodPost, Path: path, Token: token, Body: body})
	}
	email := address + "-" + strings.ToLower(rand.Text()) + "@shop.example"
	post("/v1/auth/register", "", body(t, "email", email, "password", password, "name", name))
	post("/v1/auth/register", "", body(t, "email", email, "password", password, "name", name)) // is taken
	post("/v1/auth/register", "", body(t, "email", address, "password", password, "name", name))
	post("/v1/auth/login", "", body(t, "email", email, "password", password+"x"))
	first := pairOf(t, post("/v1/auth/login", "", body(t, "email", email, "password", password)))
	second := pairOf(t, c.Do(t, refresh(t, first.Refresh)))
	third := pairOf(t, c.Do(t, refresh(t, second.Refresh)))
	c.Do(t, suite.Request{Method: http.MethodGet, Path: "/v1/customers/me", Token: third.Access})
	c.Do(t, refresh(t, first.Refresh)) // a replay
	c.Do(t, suite.Request{Method: http.MethodGet, Path: "/v1/customers/me", Token: third.Access})
	fourth := pairOf(t, post("/v1/auth/login", "", body(t, "email", email, "password", password)))
	fifth := pairOf(t, post("/v1/auth/password", fourth.Access, body(t, "current_password", password, "new_password", password+"y")))
	post("/v1/auth/password", fifth.Access, body(t, "current_password", password, "new_password", "password"))

	await(t, func() bool { return len(log.lines(" POST /v1/auth/password ")) == 2 })
	if len(log.lines("security event", "session_refresh_reused")) != 1 {
		t.Errorf("the replay is not in the log:\n%s", log.Bytes())
	}
	text := string(log.Bytes())
	secrets := []string{password, "Passw0rd-4711", address, name, "argon2id", "Bearer "}
	for _, pair := range []suite.Pair{first, second, third, fourth, fifth} {
		for _, token := range []string{pair.Access, pair.Refresh} {
			secrets = append(secrets, token, token[strings.LastIndexByte(token, '.')+1:])
		}
	}
	for _, secret := range secrets {
		if i := strings.Index(text, secret); i >= 0 {
			t.Errorf("the log has %q: …%s", secret, text[max(0, i-200):min(len(text), i+100)])
		}
	}
}
