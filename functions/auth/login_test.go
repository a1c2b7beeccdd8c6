package auth_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/bcrypt"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/functions/auth/authtest"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/password"
	"github.com/tienda-dev/tienda/shared/session"
)

func TestLogin(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	u := h.register(email)
	a := h.post("/v1/auth/login", credentials(" "+strings.ToUpper(email), rightPW)).want(http.StatusOK)
	got := decode[tokens](a)
	want := tokens{Access: got.Access, Type: "Bearer", ExpiresIn: 900, Refresh: got.Refresh, RefreshExpires: 7 * 24 * 3600}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tokens (-want +got):\n%s", diff)
	}
	for name, value := range map[string]string{"Cache-Control": "no-store", "Pragma": "no-cache"} {
		if a.Header.Get(name) != value {
			t.Errorf("%s: %q, want %q", name, a.Header.Get(name), value)
		}
	}
	id, err := h.verifier.Verify(got.Access)
	must(t, err)
	if id.Subject != u.ID || !cmp.Equal(id.Roles, []string{"customer"}) || id.AuthzVersion != 1 || !cmp.Equal(id.AMR, []string{"pwd"}) ||
		id.AuthTime.Unix() != h.clock().Unix() {
		t.Errorf("the token has %+v", id)
	}
	h.wantAccepted(got.Access, true)
}

// An unknown name and a wrong password get the same response: status, headers, body and work. The work is
// counted in calls, because times vary on a busy machine.
func TestLoginDoesNotRevealWhetherAnAccountExists(t *testing.T) {
	t.Parallel()
	var calls *callCounter
	h := newServer(t, func(s auth.Store) auth.Store {
		calls = &callCounter{Store: s}
		return calls
	})
	h.register(email)
	type seen struct {
		Status           int
		Body             string
		Header           http.Header
		Hashed, Verified int
		Calls            map[string]int
	}
	look := func(email, pw string) seen {
		h.hashes.counts()
		calls.reset()
		a := h.post("/v1/auth/login", credentials(email, pw))
		id := a.Header.Get("X-Request-Id")
		a.Header.Del("X-Request-Id")
		s := seen{Status: a.Status, Body: strings.ReplaceAll(a.Body, id, ""), Header: a.Header, Calls: calls.reset()}
		s.Hashed, s.Verified = h.hashes.counts()
		return s
	}
	// From the first attempt into the lockout.
	for n := range auth.FreeAttempts + 2 {
		known, unknown := look(email, wrongPW), look("nobody@shop.example", wrongPW)
		if diff := cmp.Diff(known, unknown); diff != "" {
			t.Errorf("attempt %d (-known +unknown):\n%s", n+1, diff)
		}
		wantStatus, wantVerified := http.StatusUnauthorized, 1
		if n >= auth.FreeAttempts {
			wantStatus, wantVerified = http.StatusTooManyRequests, 0
		}
		if known.Status != wantStatus || known.Verified != wantVerified || known.Hashed != 0 {
			t.Errorf("attempt %d: %+v", n+1, known)
		}
	}
	if diff := cmp.Diff(look("no address at all", wrongPW), look("nobody2@shop.example", wrongPW)); diff != "" {
		t.Errorf("a text that is not an address gets a different response:\n%s", diff)
	}
}

func TestLoginRefuses(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	for name, tc := range map[string]struct {
		body     string
		pointers []string
	}{
		"Empty":         {`{}`, []string{"/email", "/password"}},
		"UnknownMember": {`{"email":"a","password":"b","grant_type":"password"}`, []string{"/grant_type"}},
		"WrongTypes":    {`{"email":1,"password":2}`, []string{"/email", "/password"}},
		"BlankDevice":   {`{"email":"a","password":"b","device_name":"\u3164"}`, []string{"/device_name"}},
		"DeviceName":    {`{"email":"a","password":"b","device_name":"` + strings.Repeat("d", 101) + `"}`, []string{"/device_name"}},
	} {
		h.post("/v1/auth/login", tc.body).wantProblem(http.StatusUnprocessableEntity, "validation_failed", tc.pointers...)
		if _, verified := h.hashes.counts(); verified != 0 {
			t.Errorf("%s: a password was checked", name)
		}
	}
	h.post("/v1/auth/login", credentials(email, rightPW)+strings.Repeat(" ", int(auth.LoginRoute.MaxBody))).wantProblem(http.StatusRequestEntityTooLarge, "body_too_large")
	h.post("/v1/auth/login", "email=a&password=b").wantProblem(http.StatusUnsupportedMediaType, "unsupported_media_type", "Content-Type")
}

// store replaces the user's hash.
func (h *server) store(id, hash string) {
	h.t.Helper()
	c, err := h.users.Credentials(h.t.Context(), id)
	must(h.t, err)
	after := c
	after.PasswordHash = hash
	must(h.t, h.users.ReplacePassword(h.t.Context(), c, after))
}

func TestOutdatedHashesAreReplacedAtLogin(t *testing.T) {
	t.Parallel()
	imported, err := bcrypt.GenerateFromPassword([]byte(rightPW), bcrypt.MinCost)
	must(t, err)
	older, err := password.New(password.Config{Params: password.Params{MemoryKiB: 32, Passes: 1}})
	must(t, err)
	weaker, err := older.Hash(t.Context(), rightPW)
	must(t, err)
	for name, hash := range map[string]string{"Bcrypt": string(imported), "OtherParameters": weaker} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newServer(t, nil)
			u := h.register(email)
			h.store(u.ID, hash)
			h.post("/v1/auth/login", credentials(email, wrongPW)).want(http.StatusUnauthorized)
			if c, err := h.users.Credentials(t.Context(), u.ID); err != nil || c.PasswordHash != hash {
				t.Errorf("a wrong password has replaced the hash: %v", err)
			}
			h.pass(time.Hour)
			h.login(email)
			c, err := h.users.Credentials(t.Context(), u.ID)
			must(t, err)
			if !strings.HasPrefix(c.PasswordHash, "$argon2id$v=19$m=64,") || !c.PasswordChangedAt.Equal(authtest.Time(0)) {
				t.Errorf("after the login: %+v", c)
			}
			h.hashes.counts()
			h.login(email)
			if hashed, verified := h.hashes.counts(); hashed != 0 || verified != 1 {
				t.Errorf("the second login made %d hashes and checked %d", hashed, verified)
			}
		})
	}
}

// A store that does not answer is a 503, never "wrong password", and never a login that was not counted.
func TestStoreThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	h, f := newFailingServer(t)
	u := h.register(email)
	for _, call := range []string{"Find", "Credentials", "Attempt"} {
		f.fails(call, ddb.ErrUnavailable)
		h.post("/v1/auth/login", credentials(email, rightPW)).wantProblem(http.StatusServiceUnavailable, "unavailable")
	}
	f.fails("User", ddb.ErrUnavailable)
	pair := h.login(email)
	a := h.refresh(pair.Refresh)
	a.wantProblem(http.StatusServiceUnavailable, "unavailable")
	if a.Header.Get("Retry-After") == "" {
		t.Error("503 without Retry-After")
	}
	f.fails("", nil)
	h.refresh(pair.Refresh).want(http.StatusOK) // nothing was lost

	// A failed cleanup must not undo a login.
	f.fails("EndAttempt", ddb.ErrUnavailable)
	h.login(email)
	f.fails("ReplacePassword", ddb.ErrUnavailable)
	imported, err := bcrypt.GenerateFromPassword([]byte(rightPW), bcrypt.MinCost)
	must(t, err)
	h.store(u.ID, string(imported))
	h.login(email)
	if log := h.logged(); !strings.Contains(log, "attempt not ended") || !strings.Contains(log, "password not rehashed") {
		t.Errorf("the failure is not in the log:\n%s", log)
	}
}

func TestUnreadableStoredHashIsAFailure(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	u := h.register(email)
	h.store(u.ID, "plain text")
	a := h.post("/v1/auth/login", credentials(email, "plain text"))
	a.wantProblem(http.StatusInternalServerError, "internal")
	if strings.Contains(h.logged(), "plain text") {
		t.Error("the log contains the stored hash")
	}
}

func TestPasswordChangeEndsALoginThatRunsInParallel(t *testing.T) {
	t.Parallel()
	between := &changing{}
	h := newServer(t, func(s auth.Store) auth.Store {
		between.Store = s
		return between
	})
	u := h.register(email)
	between.change = func(before auth.Credentials) {
		h.pass(5 * time.Millisecond)
		after := before
		after.PasswordHash = "another"
		must(t, h.users.ReplacePassword(t.Context(), before, after))
		_, err := h.manager.RevokeAll(t.Context(), u.ID, session.Password)
		must(t, err)
		h.pass(5 * time.Millisecond)
	}
	a := h.post("/v1/auth/login", credentials(email, rightPW))
	if a.Status != http.StatusOK {
		return // an immediate refusal is fine too
	}
	got := decode[tokens](a)
	h.wantAccepted(got.Access, false)
	h.refresh(got.Refresh).wantProblem(http.StatusBadRequest, "invalid_grant")
}
