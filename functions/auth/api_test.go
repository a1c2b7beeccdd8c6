package auth_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/functions/auth/authtest"
	"github.com/tienda-dev/tienda/internal/apitest"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/jwt"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/middleware"
	"github.com/tienda-dev/tienda/shared/password"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/ratelimit/ratelimitmem"
	"github.com/tienda-dev/tienda/shared/session"
	"github.com/tienda-dev/tienda/shared/session/sessiontest"
)

// server serves every route of the resource with its real chain, tokens and sessions, on stores in
// memory. Its clock moves only when the test moves it.
type server struct {
	limits   auth.LoginLimits
	t        *testing.T
	users    *authtest.Memory
	sessions *sessiontest.Memory
	line     *line // to the sessions
	manager  *session.Manager
	hashes   *countingHasher
	api      *apitest.API
	signer   *jwt.Signer
	verifier *jwt.Verifier

	mu  sync.Mutex
	now time.Time
	log *bytes.Buffer
	// events of the sessions, in order.
	events []session.Event
}

// countingHasher counts its calls.
type countingHasher struct {
	*password.Hasher

	mu               sync.Mutex
	hashed, verified int
	// held, unless nil, holds checks up until it is closed.
	held chan struct{}
}

func (h *countingHasher) Hash(ctx context.Context, pw string) (string, error) {
	h.mu.Lock()
	h.hashed++
	h.mu.Unlock()
	return h.Hasher.Hash(ctx, pw)
}

func (h *countingHasher) Verify(ctx context.Context, encoded, pw string) (password.Result, error) {
	h.mu.Lock()
	h.verified++
	held := h.held
	h.mu.Unlock()
	if held != nil {
		<-held
	}
	return h.Hasher.Verify(ctx, encoded, pw)
}

// counts returns how many hashes were made and checked since the last call.
func (h *countingHasher) counts() (hashed, verified int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	hashed, verified = h.hashed, h.verified
	h.hashed, h.verified = 0, 0
	return hashed, verified
}

// raising moves the version that checks of tokens compare, as the one item that both share does.
type raising struct {
	auth.Store

	sessions *sessiontest.Memory
}

func (r raising) ReplaceRoles(ctx context.Context, before, after auth.User) error {
	if err := r.Store.ReplaceRoles(ctx, before, after); err != nil {
		return err
	}
	return r.sessions.RaiseAuthz(ctx, after.ID, after.AuthzVersion)
}

// lockedBuffer is a log of many goroutines.
type lockedBuffer struct {
	mu  *sync.Mutex
	out *bytes.Buffer
}

func (b lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.out.Write(p)
}

func key(context.Context) []byte { return []byte(strings.Repeat("i", auth.MinIdentifierKey)) }

// newServer returns a server. If wrap is not nil, the server uses the store of users that wrap returns.
func newServer(t *testing.T, wrap func(auth.Store) auth.Store) *server {
	t.Helper()
	h := &server{t: t, users: authtest.NewMemory(), sessions: sessiontest.NewMemory(), now: authtest.Time(0), log: &bytes.Buffer{}}
	hasher, err := password.New(password.Config{Params: password.Params{MemoryKiB: 64, Passes: 1}})
	must(t, err)
	h.hashes = &countingHasher{Hasher: hasher}
	tokens := sessiontest.NewTokens(t, h.clock)
	h.verifier, h.signer = tokens.Access, tokens.Keys.Access(t.Context())
	onEvent := func(_ context.Context, e session.Event) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.events = append(h.events, e)
	}
	h.line = &line{Store: h.sessions}
	h.manager, err = session.New(session.Config{OnEvent: onEvent}, h.line, tokens.Keys, h.clock)
	must(t, err)

	store := auth.Store(raising{Store: h.users, sessions: h.sessions})
	if wrap != nil {
		store = wrap(store)
	}
	h.limits = auth.LoginLimits{
		Account: newLimiter(t, policy.LoginAccount(), h.clock),
		Pair:    newLimiter(t, policy.LoginAccountAddress(), h.clock),
		Address: newLimiter(t, policy.LoginAddress(), h.clock),
	}
	users := auth.NewPasswordLogin(store, h.hashes, h.manager, h.limits, key, h.clock)
	staff := auth.NewAdministrator(store)
	verify := func(_ context.Context, token string) (identity.Identity, error) { return tokens.Access.Verify(token) }
	readRefresh := func(_ context.Context, token string) (jwt.Refresh, error) { return tokens.Refresh.Verify(token) }
	h.serve(map[string]api.Handler{
		"register-user":    auth.RegisterUser(auth.NewRegistrar(store, h.hashes, newLimiter(t, policy.RegisterAccount(), h.clock), key, h.clock)),
		"login":            auth.Login(users),
		"refresh-token":    auth.RefreshToken(h.manager, auth.Lookup(store), h.manager.ReadRefresh, newLimiter(t, policy.RefreshSession(), h.clock)),
		"logout":           auth.Logout(h.manager),
		"logout-all":       auth.LogoutAll(h.manager),
		"change-password":  auth.ChangePassword(users),
		"list-sessions":    auth.ListSessions(h.manager),
		"revoke-session":   auth.RevokeSession(h.manager),
		"introspect-token": auth.IntrospectToken(verify, h.manager),
		"revoke-token":     auth.RevokeToken(verify, readRefresh, h.manager),
		"get-jwks":         auth.GetJwks(func(context.Context) jwt.JWKS { return jwt.JWKS{Keys: []jwt.JWK{}} }),
		"set-user-roles":   auth.SetUserRoles(staff),
		"logout-user":      auth.LogoutUser(staff, h.manager),
		"unlock-user":      auth.UnlockUser(auth.NewUnlocker(store, h.limits.Account, h.limits.Pair)),
	})
	return h
}

// serve builds the real chains. The authenticator is what the Lambda authorizer and the gateway's one
// are together: it verifies the token and checks the session with the class of the route.
func (h *server) serve(handlers map[string]api.Handler) {
	h.t.Helper()
	logger, err := logging.New(logging.Config{Level: "DEBUG"}, lockedBuffer{&h.mu, h.log})
	must(h.t, err)
	h.api = apitest.New(h.t, auth.Routes(), handlers, func(route api.Route) middleware.Config {
		authenticate := jwt.Authenticate(func(ctx context.Context, token string) (identity.Identity, error) {
			id, err := h.verifier.Verify(token)
			if err == nil {
				err = h.manager.Check(ctx, id, route.Revocation)
			}
			return id, err
		})
		return middleware.Config{Authenticator: authenticate, Logger: logger, Now: h.clock}
	})
}

// newLimiter returns a limiter in memory.
func newLimiter(t *testing.T, policies []ratelimit.Policy, now func() time.Time) ratelimit.Limiter {
	t.Helper()
	l, err := ratelimitmem.New(policies, ratelimitmem.Config{Now: now})
	must(t, err)
	return l
}

func (h *server) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *server) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

func (h *server) logged() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.log.String()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// answer is a response.
type answer struct{ apitest.Answer }

func (a answer) want(status int) answer { return answer{a.Want(status)} }

func (a answer) wantProblem(status int, code string, pointers ...string) {
	a.WantProblem(status, code, pointers...)
}

func decode[T any](a answer) T { return apitest.Decode[T](a.Answer) }

// do sends a request with the token, or without one. A body that begins with a brace is JSON, others
// are forms.
func (h *server) do(token, method, target, body string, options ...apitest.Option) answer {
	h.t.Helper()
	all := []apitest.Option{from("203.0.113.7:1234")}
	if body != "" && !strings.HasPrefix(body, "{") {
		all = append(all, apitest.Header("Content-Type", "application/x-www-form-urlencoded"))
	}
	if token != "" {
		all = append(all, apitest.Header("Authorization", "Bearer "+token))
	}
	return answer{h.api.Do(method, target, body, append(all, options...)...)}
}

// from sets the client's address.
func from(address string) apitest.Option {
	return func(r *http.Request) *http.Request {
		r.RemoteAddr = address
		return r
	}
}

func (h *server) post(target, body string) answer { return h.do("", http.MethodPost, target, body) }

// user is the response to a registration.
type user struct {
	ID        string    `json:"id"`
	Email     string    `json:"email"`
	Name      string    `json:"name"`
	Roles     []string  `json:"roles"`
	CreatedAt time.Time `json:"created_at"`
}

// tokens are the response to a login.
type tokens struct {
	Access         string `json:"access_token"`
	Type           string `json:"token_type"`
	ExpiresIn      int64  `json:"expires_in"`
	Refresh        string `json:"refresh_token"`
	RefreshExpires int64  `json:"refresh_expires_in"`
}

const (
	email    = "maria.lopez@shop.example"
	rightPW  = "correct horse battery staple"
	wrongPW  = "wrong horse battery staple"
	secondPW = "incorrect horse battery staple"
)

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // a fixture that is not JSON
	}
	return string(b)
}

func registration(email string) string {
	return text(map[string]string{"email": email, "password": rightPW, "name": "María"})
}

func credentials(email, pw string) string {
	return text(map[string]string{"email": email, "password": pw})
}

func form(token string) string { return url.Values{"token": {token}}.Encode() }

// register makes a user with rightPW.
func (h *server) register(email string) user {
	h.t.Helper()
	return decode[user](h.post("/v1/auth/register", registration(email)).want(http.StatusCreated))
}

// login logs a user in with rightPW.
func (h *server) login(email string) tokens {
	h.t.Helper()
	return decode[tokens](h.post("/v1/auth/login", credentials(email, rightPW)).want(http.StatusOK))
}

func (h *server) refresh(token string) answer {
	h.t.Helper()
	return h.post("/v1/auth/refresh", text(map[string]string{"refresh_token": token}))
}

// as returns an access token with the roles and without a session.
func (h *server) as(roles ...string) string {
	h.t.Helper()
	token, _, err := h.signer.Sign(identity.Identity{Subject: "machine-" + strings.Join(roles, "-"), Roles: roles, AuthTime: h.clock()})
	must(h.t, err)
	return token
}

// accepts reports whether the access token is accepted.
func (h *server) accepts(token string) bool {
	h.t.Helper()
	a := h.do(token, http.MethodGet, "/v1/auth/sessions", "")
	if a.Status != http.StatusOK && a.Status != http.StatusUnauthorized {
		h.t.Fatalf("got %d %s", a.Status, a.Body)
	}
	return a.Status == http.StatusOK
}

func (h *server) wantAccepted(token string, want bool) {
	h.t.Helper()
	if got := h.accepts(token); got != want {
		h.t.Errorf("the access token is accepted: %t, want %t", got, want)
	}
}

// session returns the id of the session that the access token names.
func (h *server) session(token string) string {
	h.t.Helper()
	id, err := h.verifier.Verify(token)
	must(h.t, err)
	if id.SessionID == "" {
		h.t.Fatal("the token names no session")
	}
	return id.SessionID
}
