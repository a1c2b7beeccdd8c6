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

	"golang.org/x/crypto/bcrypt"

	"github.com/tienda-dev/tienda/functions/auth/authddb"
	"github.com/tienda-dev/tienda/local/stack"
	"github.com/tienda-dev/tienda/shared/awsclient"
	"github.com/tienda-dev/tienda/shared/ddb"
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

// TestIdentityWithLostResponses loses DynamoDB's first response to every write of every request. A write
// that takes effect twice would lock a user out, take a refresh for a replay, or refuse a change as made.
func TestIdentityWithLostResponses(t *testing.T) {
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
		lose(3) // the attempt, the session, and the end of the attempt
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
	post := func(path, token string) suite.Request {
		return suite.Request{Method: http.MethodPost, Path: path, Token: token}
	}
	revoke := func(token string) suite.Request {
		r := post("/v1/auth/revoke", "")
		r.Body, r.Header = url.Values{"token": {token}}.Encode(), map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
		return r
	}
	lose(1)
	do(http.StatusOK, revoke(pair.Access))
	pair = pairOf(t, c.Do(t, refresh(t, pair.Refresh))) // its session lives
	ends := func(status int, r suite.Request) {
		t.Helper()
		lose(1)
		do(status, r)
		lose(0)
		if a := c.Do(t, refresh(t, pair.Refresh)); a.Code() != "invalid_grant" {
			t.Errorf("after %s %s: got %d %s", r.Method, r.Path, a.Status, a.Body)
		}
		pair = c.Login(t, p)
	}
	ends(http.StatusNoContent, post("/v1/auth/logout", pair.Access))
	ends(http.StatusNoContent, post("/v1/auth/logout-all", pair.Access))
	ends(http.StatusOK, revoke(pair.Refresh))
	ends(http.StatusNoContent, post("/v1/users/"+p.ID+"/logout", c.As(t, "admin")))
	ends(http.StatusNoContent, suite.Request{Method: http.MethodDelete, Path: "/v1/auth/sessions/" + currentSession(t, c, pair.Access), Token: pair.Access})
}

// TestPasswordWithLostResponses is the same test for changes of passwords and for the lockout.
func TestPasswordWithLostResponses(t *testing.T) {
	t.Parallel()
	db, endpoint := newLossy(t, shared.Endpoint, "TransactWriteItems", "UpdateItem", "PutItem")
	c := suite.New(target(t, start(t, func(o *stack.Options) { o.DynamoDBEndpoint = endpoint })))
	post := func(path, token string, pairs ...string) suite.Request {
		return suite.Request{Method: http.MethodPost, Path: path, Token: token, Body: body(t, pairs...)}
	}
	losing := func(n int64, r suite.Request) suite.Answer {
		t.Helper()
		db.lose.Store(n)
		a := c.Do(t, r)
		if left := db.lose.Swap(0); left > 0 {
			t.Errorf("%s: %d answers were not lost", r.Path, left)
		}
		return a
	}
	email, first, second := "maria."+strings.ToLower(rand.Text())+"@shop.example", rand.Text(), rand.Text()
	var user struct{ ID string }
	a := losing(1, post("/v1/auth/register", "", "email", email, "password", first, "name", "María"))
	if err := json.Unmarshal(a.Body, &user); err != nil || a.Status != http.StatusCreated {
		t.Fatalf("got %d %s, %v", a.Status, a.Body, err)
	}
	login := func(password string) suite.Request {
		return post("/v1/auth/login", "", "email", email, "password", password)
	}
	old := pairOf(t, losing(3, login(first)))

	// The attempt, the password, the end of all sessions, the new session, the end of the attempt.
	pair := pairOf(t, losing(5, post("/v1/auth/password", old.Access, "current_password", first, "new_password", second)))
	if a := c.Do(t, refresh(t, old.Refresh)); a.Code() != "invalid_grant" {
		t.Errorf("a session of before the change: got %d %s", a.Status, a.Body)
	}
	pairOf(t, c.Do(t, refresh(t, pair.Refresh)))

	for range 5 {
		if a := losing(2, login(first)); a.Status != http.StatusUnauthorized {
			t.Errorf("the password of before the change: got %d %s", a.Status, a.Body)
		}
	}
	if a := c.Do(t, login(second)); a.Status != http.StatusTooManyRequests {
		t.Errorf("after five failures: got %d %s", a.Status, a.Body)
	}
	// The attempts of logins, and those of changes of the password.
	if a := losing(2, suite.Request{Method: http.MethodPost, Path: "/v1/users/" + user.ID + "/unlock", Token: c.As(t, "admin")}); a.Status != http.StatusNoContent {
		t.Errorf("unlock: got %d %s", a.Status, a.Body)
	}
	pairOf(t, c.Do(t, login(second)))
}

// TestRightPasswordsAtOnce is a user with many devices.
func TestRightPasswordsAtOnce(t *testing.T) {
	t.Parallel()
	c := suite.New(target(t, shared))
	p := c.Register(t)
	for _, got := range together(8, func(int) string { return outcome(c.Send(t, c.LoggingIn(p))) }) {
		if got != "200" {
			t.Errorf("got %s, want 200", got)
		}
	}
}

// TestOutageLocksNobodyOut refuses what a login reads after its attempt has a place.
func TestOutageLocksNobodyOut(t *testing.T) {
	t.Parallel()
	db, endpoint := newLossy(t, shared.Endpoint, "BatchGetItem")
	c := suite.New(target(t, start(t, func(o *stack.Options) { o.DynamoDBEndpoint = endpoint })))
	p := c.Register(t)
	db.lose.Store(1 << 20)
	for range 9 {
		if a, err := c.Send(t, c.LoggingIn(p)); err != nil || a.Status != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" {
			t.Errorf("got %d %s, Retry-After %q, %v", a.Status, a.Body, a.Header.Get("Retry-After"), err)
		}
	}
	db.lose.Store(0)
	c.Login(t, p)
}

// TestRefreshAfterAnOutage loses every response to the write of a refresh: the client repeats it until the
// database is back, and keeps its session.
func TestRefreshAfterAnOutage(t *testing.T) {
	t.Parallel()
	var log suite.Buffer
	db, endpoint := newLossy(t, shared.Endpoint, "UpdateItem")
	c := suite.New(target(t, start(t, func(o *stack.Options) { o.DynamoDBEndpoint, o.Out = endpoint, &log })))
	first := c.Login(t, c.Register(t))
	db.lose.Store(1 << 20)
	for range 3 {
		if a, err := c.Send(t, refresh(t, first.Refresh)); err != nil || a.Status != http.StatusServiceUnavailable && a.Status != http.StatusOK {
			t.Errorf("got %d %s, %v", a.Status, a.Body, err)
		}
	}
	db.lose.Store(0)
	second := pairOf(t, c.Do(t, refresh(t, first.Refresh)))
	third := pairOf(t, c.Do(t, refresh(t, second.Refresh)))
	c.Do(t, suite.Request{Method: http.MethodGet, Path: "/v1/customers/me", Token: third.Access})
	if lines := linesWith(&log, "security event"); len(lines) > 0 {
		t.Errorf("security events: %s", lines)
	}
}

// importedHash logs in with a hash of another program. It is a part of TestSuite, because no route stores such a
// hash, and the login function must be allowed to replace it.
func importedHash(t *testing.T) {
	c := suite.New(target(t, shared))
	p := c.Register(t)
	hash, err := bcrypt.GenerateFromPassword([]byte(p.Password()), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	client, err := ddb.Open(ddb.Config{
		Config:   awsclient.Config{Region: "eu-central-1", AccessKeyID: "local", SecretAccessKey: "local"},
		Endpoint: shared.Endpoint,
	})
	if err != nil {
		t.Fatal(err)
	}
	store := authddb.New(ddb.NewTable(client, shared.Tables["AuthTable"]), nil)
	before, err := store.Credentials(t.Context(), p.ID)
	if err != nil {
		t.Fatal(err)
	}
	imported := before
	imported.PasswordHash = string(hash)
	if err := store.ReplacePassword(t.Context(), before, imported); err != nil {
		t.Fatal(err)
	}
	c.Login(t, p)
	if after, err := store.Credentials(t.Context(), p.ID); err != nil || after.PasswordHash == imported.PasswordHash {
		t.Errorf("the login has not replaced the hash: %v", err)
	}
}

// currentSession returns the id of the token's session.
func currentSession(t *testing.T, c *suite.Caller, token string) string {
	t.Helper()
	a := c.Do(t, suite.Request{Method: http.MethodGet, Path: "/v1/auth/sessions", Token: token})
	var list struct {
		Data []struct {
			ID      string
			Current bool
		}
	}
	if err := json.Unmarshal(a.Body, &list); err != nil || a.Status != http.StatusOK {
		t.Fatalf("got %d %s, %v; want sessions", a.Status, a.Body, err)
	}
	for _, s := range list.Data {
		if s.Current {
			return s.ID
		}
	}
	t.Fatalf("no session of %s is the current one", a.Body)
	return ""
}

// TestSecretsStayOutOfTheLogs searches the whole output of the gateway and the functions for secrets, at the
// most verbose level.
func TestSecretsStayOutOfTheLogs(t *testing.T) {
	t.Parallel()
	const password, address, name = "canary-Passw0rd-4711", "canary-address", "Canary Person"
	var log suite.Buffer
	s := start(t, func(o *stack.Options) {
		o.Out = &log
		o.Parameters = map[string]string{"LogLevel": "DEBUG"}
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

	await(t, func() bool { return len(linesWith(&log, " POST /v1/auth/password ")) == 2 })
	if len(linesWith(&log, "security event", "session_refresh_reused")) != 1 {
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
