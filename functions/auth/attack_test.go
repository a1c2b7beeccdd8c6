package auth_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/problem"
	"github.com/tienda-dev/tienda/shared/ratelimit"
	"github.com/tienda-dev/tienda/shared/session"
)

const (
	attacker = "198.51.100.66:1"
	// guessesADay is what docs/users.md promises for one account and all unknown addresses.
	guessesADay = 100
)

// loginFrom logs in from the address and returns the status.
func (h *server) loginFrom(address, email, pw string) answer {
	h.t.Helper()
	return h.do("", http.MethodPost, "/v1/auth/login", credentials(email, pw), from(address))
}

func TestAttackerFromOneAddressKeepsNobodyOut(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	h.register(email)
	answered := 0
	for range 24 * 60 { // a guess each minute, always before the owner
		if h.loginFrom(attacker, email, wrongPW).Status == http.StatusUnauthorized {
			answered++
		}
		h.pass(time.Minute)
		h.login(email) // the owner, from 203.0.113.7
	}
	if answered == 0 || answered > guessesADay {
		t.Errorf("%d guesses were answered in a day, want 1 to %d", answered, guessesADay)
	}
	// When the address need not wait any more, it has one unit of the account again at most.
	h.pass(auth.Quiet)
	h.loginFrom(attacker, email, wrongPW)
	h.wantLimited(h.loginFrom(attacker, email, wrongPW), "login-account-address")
	h.login(email)
}

// wantLimited reports an answer that is not a refusal by the policy.
func (h *server) wantLimited(a answer, policy string) {
	h.t.Helper()
	a.wantProblem(http.StatusTooManyRequests, "rate_limited")
	if !strings.Contains(a.Body, `"violated-policies":["`+policy+`"]`) {
		h.t.Errorf("another limit refuses: %s", a.Body)
	}
}

func TestIPv6NetworkIsOneAddress(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	h.register(email)
	for i := range auth.FreeAttempts {
		h.loginFrom(fmt.Sprintf("[2001:db8:1:2::%d]:1", i+1), email, wrongPW).want(http.StatusUnauthorized)
	}
	h.loginFrom("[2001:db8:1:2:ffff::1]:1", email, rightPW).wantProblem(http.StatusTooManyRequests, "too_many_attempts")
	h.loginFrom("[2001:db8:1:3::1]:1", email, rightPW).want(http.StatusOK)
}

// The answers for an address of nobody are those for a user's.
func TestGuessesFromManyAddressesAreBounded(t *testing.T) {
	t.Parallel()
	for _, target := range []string{email, "nobody@example.com"} {
		h := newServer(t, nil)
		h.register(email)
		h.login(email) // makes the owner's address known
		const addresses, rounds = 1000, 4
		answered := 0
		for range rounds {
			for i := range addresses {
				a := h.loginFrom(fmt.Sprintf("198.18.%d.%d:1", i/250, i%250), target, wrongPW)
				switch a.Status {
				case http.StatusUnauthorized:
					answered++
				case http.StatusTooManyRequests:
					a.wantProblem(http.StatusTooManyRequests, "rate_limited")
					if strings.Contains(a.Header.Get("RateLimit"), "login-account") {
						t.Fatal("the answer shows how much of the account's limit is left")
					}
				default:
					t.Fatalf("status %d", a.Status)
				}
			}
			h.pass(24 * time.Hour / rounds)
		}
		if answered < guessesADay/2 || answered > guessesADay {
			t.Errorf("%s: %d guesses were answered in a day, want %d to %d", target, answered, guessesADay/2, guessesADay)
		}
		h.login(email) // from the known address
	}
}

func TestUnknownAddressAfterAnAttackGetsInWhenAnAdminUnlocks(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	u := h.register(email)
	const owner = "192.0.2.44:1"
	for i := range 60 {
		h.loginFrom(fmt.Sprintf("198.18.0.%d:1", i), email, wrongPW)
	}
	h.loginFrom(owner, email, rightPW).wantProblem(http.StatusTooManyRequests, "rate_limited")
	h.do(h.as("admin"), http.MethodPost, "/v1/users/"+u.ID+"/unlock", "").want(http.StatusNoContent)
	h.loginFrom(owner, email, rightPW).want(http.StatusOK)
}

func TestKnownAddressIsForgotten(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	h.register(email)
	h.login(email)
	h.pass(auth.KnownFor)
	for i := range 60 {
		h.loginFrom(fmt.Sprintf("198.18.0.%d:1", i), email, wrongPW)
	}
	h.post("/v1/auth/login", credentials(email, rightPW)).wantProblem(http.StatusTooManyRequests, "rate_limited")
}

// An attacker who had the password, and logged in with it, loses what a known address has.
func TestChangeOfThePasswordForgetsAddresses(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	h.register(email)
	h.loginFrom(attacker, email, rightPW).want(http.StatusOK)
	token := h.login(email).Access
	next := decode[tokens](h.do(token, http.MethodPost, "/v1/auth/password",
		text(map[string]string{"current_password": rightPW, "new_password": secondPW}), from("192.0.2.44:1")).want(http.StatusOK))
	h.wantAccepted(next.Access, true)
	for i := range 60 {
		h.loginFrom(fmt.Sprintf("198.18.0.%d:1", i), email, wrongPW)
	}
	for _, address := range []string{attacker, "203.0.113.7:1"} {
		h.wantLimited(h.loginFrom(address, email, secondPW), "login-account")
	}
	h.loginFrom("192.0.2.44:1", email, secondPW).want(http.StatusOK) // where the password was changed
}

// exhaust sends wrong passwords from the address until its own limit of the account is used up.
func (h *server) exhaust(address string) {
	h.t.Helper()
	for range 200 {
		a := h.loginFrom(address, email, wrongPW)
		if a.Status == http.StatusTooManyRequests && strings.Contains(a.Body, "login-account") {
			return
		}
		h.pass(time.Minute)
		if a.Status == http.StatusTooManyRequests {
			h.pass(auth.MaxLock)
		}
	}
	h.t.Fatal("the limit was not used up")
}

func TestUnlockResetsKnownAddresses(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	u := h.register(email)
	h.login(email)
	h.exhaust("203.0.113.7:1")
	h.wantLimited(h.post("/v1/auth/login", credentials(email, rightPW)), "login-account")
	h.do(h.as("admin"), http.MethodPost, "/v1/users/"+u.ID+"/unlock", "").want(http.StatusNoContent)
	h.login(email)
}

func TestSprayingFromOneAddress(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	h.register(email)
	answered := 0
	for i := range 200 {
		if h.loginFrom(attacker, fmt.Sprintf("user-%d@example.com", i), wrongPW).Status == http.StatusUnauthorized {
			answered++
		}
	}
	if want := int(policy.LoginAddress()[0].Capacity()); answered != want {
		t.Errorf("%d guesses were answered, want %d", answered, want)
	}
	h.login(email) // from another address
}

func TestOfficeLogsInBehindOneAddress(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	for i := range 40 {
		user := fmt.Sprintf("user-%d@example.com", i)
		h.register(user)
		for range 3 {
			h.login(user)
		}
	}
	for range 60 { // one account's successes use up nothing either
		h.login("user-1@example.com")
	}
}

// down is a limiter that fails as a Guard's store does.
type down struct{ ratelimit.Limiter }

var errDown = errors.New("the store of the limits is down")

func (down) Take(context.Context, ratelimit.Subject, int64) (ratelimit.Decision, error) {
	return ratelimit.Decision{}, errDown
}

func TestLimitsThatFailAreClosedAndCountNothing(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Account", "Pair", "Address"} {
		h := newServer(t, nil)
		h.register(email)
		guard := h.guarded()
		limits := h.limits
		switch name {
		case "Account":
			limits.Account = guard
		case "Pair":
			limits.Pair = guard
		default:
			limits.Address = guard
		}
		users := auth.NewPasswordLogin(h.users, h.hashes, h.manager, limits, key, h.clock)
		for _, pw := range []string{rightPW, wrongPW} {
			for range 2 * auth.FreeAttempts {
				_, err := users.Login(t.Context(), email, pw, session.Device{IP: "203.0.113.7"})
				if p, ok := problem.As(err); !ok || p.Code != "rate_limit_unavailable" {
					t.Fatalf("%s: %v", name, err)
				}
			}
		}
		if _, verified := h.hashes.counts(); verified != 0 {
			t.Errorf("%s: %d passwords were checked", name, verified)
		}
		for range auth.FreeAttempts - 1 {
			h.post("/v1/auth/login", credentials(email, wrongPW)).want(http.StatusUnauthorized)
		}
		h.login(email)
	}
}

// guarded returns a closed limiter whose store is down.
func (h *server) guarded() ratelimit.Limiter {
	h.t.Helper()
	guard, err := ratelimit.NewGuard(down{h.limits.Account}, ratelimit.GuardConfig{OnError: ratelimit.Closed, Now: h.clock})
	must(h.t, err)
	return guard
}

func wantClosed(t *testing.T, err error) {
	t.Helper()
	if p, ok := problem.As(err); !ok || p.Kind != problem.Unavailable || p.Code != "rate_limit_unavailable" {
		t.Fatalf("got %v, want rate_limit_unavailable", err)
	}
}

func TestRegistrationWithoutItsLimitDoesNothing(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	_, err := auth.NewRegistrar(h.users, h.hashes, h.guarded(), key, h.clock).Register(t.Context(), email, rightPW, "María")
	wantClosed(t, err)
	if hashed, _ := h.hashes.counts(); hashed != 0 {
		t.Errorf("%d passwords were hashed", hashed)
	}
	if _, err := h.users.Find(t.Context(), auth.Identifier(key(t.Context()), email)); !errors.Is(err, auth.ErrUserNotFound) {
		t.Errorf("the user is registered: %v", err)
	}
	h.register(email)
}

func TestRefreshWithoutItsLimitDoesNothing(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	h.register(email)
	refresh := h.login(email).Refresh
	handler := auth.RefreshToken(h.manager, auth.Lookup(h.users), h.manager.ReadRefresh, h.guarded())
	for range 2 {
		r := httptest.NewRequest(http.MethodPost, "/v1/auth/refresh", strings.NewReader(text(map[string]string{"refresh_token": refresh})))
		r.Header.Set("Content-Type", api.ContentTypeJSON)
		w := httptest.NewRecorder()
		wantClosed(t, handler(w, r))
		if w.Body.Len() != 0 {
			t.Errorf("the answer has %s", w.Body)
		}
	}
	next := decode[tokens](h.refresh(refresh).want(http.StatusOK)) // it was not used up, or this would end the session
	h.refresh(next.Refresh).want(http.StatusOK)
}

func TestLimitsAreOAuthErrors(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	h.register(email)
	refresh := h.login(email).Refresh
	for range policy.LoginAddress()[0].Capacity() {
		h.loginFrom(attacker, "nobody"+rand.Text()+"@example.com", wrongPW).want(http.StatusUnauthorized)
	}
	for range policy.RefreshSession()[0].Limit {
		refresh = decode[tokens](h.refresh(refresh).want(http.StatusOK)).Refresh
	}
	for name, a := range map[string]answer{"login": h.loginFrom(attacker, email, rightPW), "refresh": h.refresh(refresh)} {
		var got struct {
			Error string `json:"error"`
		}
		must(t, json.Unmarshal([]byte(a.Body), &got))
		if a.Status != http.StatusTooManyRequests || got.Error != problem.OAuthTemporarilyUnavailable {
			t.Errorf("%s: got %d %s", name, a.Status, a.Body)
		}
	}
}

func TestRegistrationsOfOneAddressAreLimited(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	h.register(email)
	for range policy.RegisterAccount()[0].Limit - 1 {
		h.post("/v1/auth/register", registration(email)).wantProblem(http.StatusConflict, "email_exists")
	}
	h.post("/v1/auth/register", registration(email)).wantProblem(http.StatusTooManyRequests, "rate_limited")
	h.register("another@example.com")
}

// A refused refresh does not use up its token.
func TestRefreshesOfOneSessionAreLimited(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	h.register(email)
	refresh := h.login(email).Refresh
	for range policy.RefreshSession()[0].Limit {
		refresh = decode[tokens](h.refresh(refresh).want(http.StatusOK)).Refresh
	}
	h.refresh(refresh).wantProblem(http.StatusTooManyRequests, "rate_limited")
	h.pass(time.Minute)
	h.refresh(refresh).want(http.StatusOK)
}

// A token of a session that has ended is valid by itself, and must not use up those of its user's other sessions.
func TestEndedSessionUsesUpNoRefreshes(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	h.register(email)
	stolen, own := h.login(email), h.login(email)
	h.do(stolen.Access, http.MethodPost, "/v1/auth/logout", "").want(http.StatusNoContent)
	for range policy.RefreshSession()[0].Limit {
		h.refresh(stolen.Refresh).want(http.StatusBadRequest)
	}
	h.refresh(own.Refresh).want(http.StatusOK)
}
