package accounts_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"example.com/notes/accounts"
	"example.com/notes/notes"
	"github.com/aws/aws-lambda-go/events"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/jwt"
	"github.com/tienda-dev/tienda/shared/middleware"
	"github.com/tienda-dev/tienda/shared/session"
	"github.com/tienda-dev/tienda/shared/session/sessiontest"
)

func config() accounts.Config {
	return accounts.Config{
		Access:  jwt.Config{Issuer: "https://auth.notes.example", Audience: "notes"},
		Refresh: jwt.RefreshConfig{Issuer: "https://auth.notes.example", Audience: "https://auth.notes.example/v1/refresh"},
	}
}

// secret is a new set of one key.
func secret(kid string) []byte {
	return []byte(`{"kid":"` + kid + `","alg":"HS256","status":"active","key":"` + rand.Text() + rand.Text() + `"}`)
}

func open(t *testing.T, store session.Store) *accounts.Accounts {
	t.Helper()
	a, err := accounts.Open(config(), store, secret("a1"), secret("r1"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// user is the user after a login with the right password.
func user() session.User {
	return session.User{Subject: "u1", Roles: []string{"editor"}, AMR: []string{"pwd"}}
}

// lookup reads the user for a refresh.
func lookup(context.Context, string) (session.User, error) { return user(), nil }

// server serves the routes as behind a Function URL, each with an authenticator of its own.
func server(t *testing.T, a *accounts.Accounts) http.Handler {
	t.Helper()
	mux, err := middleware.Mux(middleware.Config{},
		middleware.Endpoint{
			Route: notes.CreateNoteRoute, Handler: notes.CreateNote(notes.NewTable(10)), Authenticator: a.Authenticator(notes.CreateNoteRoute),
		},
		middleware.Endpoint{
			Route: accounts.LogoutRoute, Handler: accounts.Logout(a), Authenticator: a.Authenticator(accounts.LogoutRoute),
		})
	if err != nil {
		t.Fatal(err)
	}
	return mux
}

// send posts with an access token and returns the status and the code of the problem.
func send(t *testing.T, h http.Handler, path, token string) (int, string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(`{"text":"Buy milk"}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	_, code, _ := strings.Cut(rec.Body.String(), `"code":"`)
	code, _, _ = strings.Cut(code, `"`)
	return rec.Code, code
}

const boards = "/v1/boards/kitchen/notes"

func TestLogoutBites(t *testing.T) {
	t.Parallel()
	a := open(t, sessiontest.NewMemory())
	h := server(t, a)

	// Log in, after the password was right.
	tokens, err := a.Start(t.Context(), user(), session.Device{Name: "My laptop"})
	if err != nil {
		t.Fatal(err)
	}
	if status, code := send(t, h, boards, tokens.AccessToken); status != http.StatusCreated {
		t.Errorf("after the login: %d %s, want 201", status, code)
	}

	// The next pair. Both access tokens belong to the one session.
	next, err := a.Refresh(t.Context(), tokens.RefreshToken, lookup)
	if err != nil {
		t.Fatal(err)
	}
	if status, code := send(t, h, boards, next.AccessToken); status != http.StatusCreated {
		t.Errorf("after the refresh: %d %s, want 201", status, code)
	}

	if status, code := send(t, h, "/v1/logout", next.AccessToken); status != http.StatusNoContent {
		t.Fatalf("logout: %d %s, want 204", status, code)
	}
	for name, token := range map[string]string{"first": tokens.AccessToken, "second": next.AccessToken} {
		if status, code := send(t, h, boards, token); status != http.StatusUnauthorized || code != "token_revoked" {
			t.Errorf("%s access token after the logout: %d %s, want 401 token_revoked", name, status, code)
		}
	}
	if _, err := a.Refresh(t.Context(), next.RefreshToken, lookup); !errors.Is(err, session.ErrInvalidGrant) {
		t.Errorf("refresh after the logout: %v, want ErrInvalidGrant", err)
	}
}

func TestLogoutEverywhereEndsOtherDevices(t *testing.T) {
	t.Parallel()
	a := open(t, sessiontest.NewMemory())
	h := server(t, a)
	laptop, err := a.Start(t.Context(), user(), session.Device{Name: "My laptop"})
	if err != nil {
		t.Fatal(err)
	}
	epoch, err := a.RevokeAll(t.Context(), "u1", session.Logout)
	if err != nil {
		t.Fatal(err)
	}
	again := user()
	again.NotBefore = epoch // a login that follows at once
	phone, err := a.Start(t.Context(), again, session.Device{Name: "My phone"})
	if err != nil {
		t.Fatal(err)
	}
	if status, code := send(t, h, boards, laptop.AccessToken); status != http.StatusUnauthorized || code != "token_revoked" {
		t.Errorf("laptop: %d %s, want 401 token_revoked", status, code)
	}
	if status, code := send(t, h, boards, phone.AccessToken); status != http.StatusCreated {
		t.Errorf("phone: %d %s, want 201", status, code)
	}
}

// silent is a store that does not answer the reads of a session check.
type silent struct{ *sessiontest.Memory }

func (silent) State(context.Context, session.Query) (session.State, error) {
	return session.State{}, session.ErrUnavailable
}

func TestStoreThatDoesNotAnswerIs503(t *testing.T) {
	t.Parallel()
	a := open(t, silent{sessiontest.NewMemory()})
	tokens, err := a.Start(t.Context(), user(), session.Device{})
	if err != nil {
		t.Fatal(err)
	}
	if status, code := send(t, server(t, a), boards, tokens.AccessToken); status != http.StatusServiceUnavailable || code != "auth_unavailable" {
		t.Errorf("got %d %s, want 503 auth_unavailable", status, code)
	}
}

func TestOneKeyForBothKindsIsRefused(t *testing.T) {
	t.Parallel()
	same := secret("k1")
	if _, err := accounts.Open(config(), sessiontest.NewMemory(), same, same, time.Now); err == nil {
		t.Error("opened with one key for access and refresh tokens")
	}
}

func TestAuthorizer(t *testing.T) {
	t.Parallel()
	a := open(t, sessiontest.NewMemory())
	decides, err := a.Authorizer(notes.CreateNoteRoute, accounts.LogoutRoute)
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := a.Start(t.Context(), user(), session.Device{})
	if err != nil {
		t.Fatal(err)
	}
	ask := func() string {
		answer, err := decides.Authorize(t.Context(), events.APIGatewayV2CustomAuthorizerV2Request{
			RouteKey: notes.CreateNoteRoute.Key(),
			Headers:  map[string]string{"authorization": "Bearer " + tokens.AccessToken},
		})
		if err != nil || !answer.IsAuthorized {
			t.Fatalf("authorized %t, %v: it annotates and never denies", answer.IsAuthorized, err)
		}
		outcome, _ := answer.Context["auth"].(string)
		return outcome
	}
	if got := ask(); got != string(identity.OK) {
		t.Errorf("before the logout: %s, want ok", got)
	}
	if _, err := a.RevokeAll(t.Context(), "u1", session.Logout); err != nil {
		t.Fatal(err)
	}
	if got := ask(); got != string(identity.TokenRevoked) {
		t.Errorf("after it: %s, want token_revoked", got)
	}
}
