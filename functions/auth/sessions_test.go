package auth_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/internal/apitest"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/session"
)

func TestWholeFlow(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	h.register(email)
	first := h.login(email)
	h.wantAccepted(first.Access, true)

	h.pass(time.Minute)
	a := h.refresh(first.Refresh).want(http.StatusOK)
	if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Pragma") != "no-cache" {
		t.Errorf("tokens may be cached: %v", a.Header)
	}
	second := decode[tokens](a)
	if second.Refresh == first.Refresh || second.Access == first.Access {
		t.Error("a refresh gives the same tokens")
	}
	// A client that lost the response gets the identical successor, although the database was away for 20 s.
	h.pass(20 * time.Second)
	if again := decode[tokens](h.refresh(first.Refresh).want(http.StatusOK)); again.Refresh != second.Refresh {
		t.Error("a repeated refresh gives another successor")
	}

	// Once the successor was used, this is a replay.
	next := decode[tokens](h.refresh(second.Refresh).want(http.StatusOK))
	h.refresh(first.Refresh).wantProblem(http.StatusBadRequest, "invalid_grant")
	h.refresh(next.Refresh).wantProblem(http.StatusBadRequest, "invalid_grant")
	h.wantAccepted(next.Access, false)
	if !slices.ContainsFunc(h.events, func(e session.Event) bool { return e.Kind == session.Reused }) {
		t.Errorf("no event reports the replay: %v", h.events)
	}

	third := h.login(email)
	h.do(third.Access, http.MethodPost, "/v1/auth/logout", "").want(http.StatusNoContent)
	h.wantAccepted(third.Access, false)
	h.refresh(third.Refresh).wantProblem(http.StatusBadRequest, "invalid_grant")
	h.do(third.Access, http.MethodPost, "/v1/auth/logout", "").wantProblem(http.StatusUnauthorized, "token_revoked")
}

func TestRefreshRefuses(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	h.register(email)
	pair := h.login(email)
	for name, token := range map[string]string{
		"AccessToken": pair.Access, "Garbage": "x", "Altered": pair.Refresh[:len(pair.Refresh)-1] + "_", "Twice": pair.Refresh + pair.Refresh,
	} {
		t.Run(name, func(t *testing.T) {
			a := h.refresh(token)
			a.Answer = a.In(t)
			a.wantProblem(http.StatusBadRequest, "invalid_grant")
		})
	}
	h.post("/v1/auth/refresh", `{}`).wantProblem(http.StatusUnprocessableEntity, "validation_failed", "/refresh_token")
	h.refresh(strings.Repeat("x", int(auth.RefreshTokenRoute.MaxBody))).wantProblem(http.StatusRequestEntityTooLarge, "body_too_large")
	h.refresh(pair.Refresh).want(http.StatusOK)
}

func TestRefreshOfAUserWhoIsGone(t *testing.T) {
	t.Parallel()
	h, f := newFailingServer(t)
	h.register(email)
	pair := h.login(email)
	f.fails("User", auth.ErrUserNotFound)
	h.refresh(pair.Refresh).wantProblem(http.StatusBadRequest, "invalid_grant")
}

func TestLogoutEndsOneSession(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	h.register(email)
	one, other := h.login(email), h.login(email)
	h.do(one.Access, http.MethodPost, "/v1/auth/logout", "").want(http.StatusNoContent)
	h.wantAccepted(one.Access, false)
	h.wantAccepted(other.Access, true)
	h.refresh(other.Refresh).want(http.StatusOK)

	machine := h.as("catalog") // has no session: the token itself is revoked
	h.wantAccepted(machine, true)
	h.do(machine, http.MethodPost, "/v1/auth/logout", "").want(http.StatusNoContent)
	h.wantAccepted(machine, false)
	h.do("", http.MethodPost, "/v1/auth/logout", "").wantProblem(http.StatusUnauthorized, "missing_token")
}

func TestLogoutAllEndsEverySession(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	h.register(email)
	h.register("other@shop.example")
	one, two, stranger := h.login(email), h.login(email), h.login("other@shop.example")
	h.pass(time.Second)
	h.do(one.Access, http.MethodPost, "/v1/auth/logout-all", "").want(http.StatusNoContent)
	for _, pair := range []tokens{one, two} {
		h.wantAccepted(pair.Access, false)
		h.refresh(pair.Refresh).wantProblem(http.StatusBadRequest, "invalid_grant")
	}
	h.wantAccepted(stranger.Access, true)
	h.pass(time.Millisecond)
	h.wantAccepted(h.login(email).Access, true)
}

func TestChangePassword(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	u := h.register(email)
	mine, other := h.login(email), h.login(email)
	h.pass(time.Minute)
	body := text(map[string]string{"current_password": rightPW, "new_password": secondPW, "device_name": "laptop"})
	a := h.do(mine.Access, http.MethodPost, "/v1/auth/password", body).want(http.StatusOK)
	next := decode[tokens](a)
	h.wantAccepted(next.Access, true) // in the same millisecond as the end of the others
	for _, pair := range []tokens{mine, other} {
		h.wantAccepted(pair.Access, false)
		h.refresh(pair.Refresh).wantProblem(http.StatusBadRequest, "invalid_grant")
	}
	h.refresh(next.Refresh).want(http.StatusOK)
	h.post("/v1/auth/login", credentials(email, rightPW)).wantProblem(http.StatusUnauthorized, "invalid_credentials")
	h.post("/v1/auth/login", credentials(email, secondPW)).want(http.StatusOK)
	if c, err := h.users.Credentials(t.Context(), u.ID); err != nil || !c.PasswordChangedAt.Equal(h.clock()) {
		t.Errorf("credentials %+v, %v", c, err)
	}
}

func TestChangePasswordRefuses(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	h.register(email)
	pair := h.login(email)
	change := func(token, current, next string) answer {
		h.t.Helper()
		return h.do(token, http.MethodPost, "/v1/auth/password", text(map[string]string{"current_password": current, "new_password": next}))
	}
	change("", rightPW, secondPW).wantProblem(http.StatusUnauthorized, "missing_token")
	for name, tc := range map[string]struct {
		current, next string
		pointers      []string
	}{
		"NoCurrent": {"", secondPW, []string{"/current_password"}},
		"NoNew":     {rightPW, "", []string{"/new_password"}},
		"Neither":   {"", "", []string{"/current_password", "/new_password"}},
		"Short":     {rightPW, "1234567", []string{"/new_password"}},
		"Common":    {rightPW, "password123", []string{"/new_password"}},
		"TheSame":   {rightPW, rightPW, []string{"/new_password"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := change(pair.Access, tc.current, tc.next)
			a.Answer = a.In(t)
			a.wantProblem(http.StatusUnprocessableEntity, "validation_failed", tc.pointers...)
		})
	}
	for range auth.FreeAttempts {
		change(pair.Access, wrongPW, secondPW).wantProblem(http.StatusUnprocessableEntity, "wrong_password", "/current_password")
	}
	a := change(pair.Access, rightPW, secondPW)
	a.wantProblem(http.StatusTooManyRequests, "too_many_attempts")
	if a.Header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After %q", a.Header.Get("Retry-After"))
	}
	h.login(email) // a thief with a token cannot lock the owner out
	change(pair.Access, rightPW, secondPW).wantProblem(http.StatusTooManyRequests, "too_many_attempts")
	h.wantAccepted(pair.Access, true)
	change(h.as("customer"), rightPW, secondPW).wantProblem(http.StatusNotFound, "user_not_found")
}

// A change that failed halfway can be repeated unchanged, and then ends the sessions.
func TestChangePasswordThatFailedHalfwayIsRepeatable(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	u := h.register(email)
	mine, other := h.login(email), h.login(email)
	h.pass(time.Second)
	h.choose(u.ID, secondPW) // the password has changed, the sessions are still valid
	h.pass(time.Second)
	body := text(map[string]string{"current_password": rightPW, "new_password": secondPW})
	next := decode[tokens](h.do(mine.Access, http.MethodPost, "/v1/auth/password", body).want(http.StatusOK))
	h.wantAccepted(next.Access, true)
	h.wantAccepted(other.Access, false)
}

func TestParallelPasswordChanges(t *testing.T) {
	t.Parallel()
	h, f := newFailingServer(t)
	h.register(email)
	pair := h.login(email)
	body := text(map[string]string{"current_password": rightPW, "new_password": secondPW})
	f.fails("ReplacePassword", auth.ErrChanged)
	h.do(pair.Access, http.MethodPost, "/v1/auth/password", body).wantProblem(http.StatusConflict, "user_changed")
	f.fails("ReplacePassword", ddb.ErrUnavailable)
	h.do(pair.Access, http.MethodPost, "/v1/auth/password", body).wantProblem(http.StatusServiceUnavailable, "unavailable")
	h.wantAccepted(pair.Access, true)
}

// sessionItem is one of the list of sessions.
type sessionItem struct {
	ID          string    `json:"id"`
	DeviceName  string    `json:"device_name"`
	Current     bool      `json:"current"`
	CreatedAt   time.Time `json:"created_at"`
	RefreshedAt time.Time `json:"refreshed_at"`
	ExpiresAt   time.Time `json:"expires_at"`
}

type sessionList struct {
	Data    []sessionItem `json:"data"`
	HasMore bool          `json:"has_more"`
}

func (h *server) list(token string) sessionList {
	h.t.Helper()
	return decode[sessionList](h.do(token, http.MethodGet, "/v1/auth/sessions", "").want(http.StatusOK))
}

func TestListSessions(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	h.register(email)
	h.register("other@shop.example")
	start := h.clock()
	phone := decode[tokens](h.post("/v1/auth/login", text(map[string]string{"email": email, "password": rightPW, "device_name": "María's phone"})))
	phoneID := h.session(phone.Access)
	h.pass(time.Hour)
	laptop := h.login(email)
	laptopID := h.session(laptop.Access)
	h.login("other@shop.example")
	h.pass(time.Hour)
	h.refresh(phone.Refresh).want(http.StatusOK)
	h.pass(time.Hour)
	laptop = decode[tokens](h.refresh(laptop.Refresh).want(http.StatusOK))

	const week = 7 * 24 * time.Hour
	hours := func(n int) time.Time { return start.Add(time.Duration(n) * time.Hour) }
	want := sessionList{Data: []sessionItem{
		{ID: laptopID, Current: true, CreatedAt: hours(1), RefreshedAt: hours(3), ExpiresAt: hours(3).Add(week)},
		{ID: phoneID, DeviceName: "María's phone", CreatedAt: start, RefreshedAt: hours(2), ExpiresAt: hours(2).Add(week)},
	}}
	if diff := cmp.Diff(want, h.list(laptop.Access)); diff != "" {
		t.Errorf("sessions (-want +got):\n%s", diff)
	}
	if a := h.do(h.as("catalog"), http.MethodGet, "/v1/auth/sessions", "").want(http.StatusOK); strings.TrimSpace(a.Body) != `{"data":[],"has_more":false}` {
		t.Errorf("without sessions: %s", a.Body)
	}
}

// A session keeps the name of its device, a hash of the user agent and the network of the address.
func TestSessionKeepsItsDevice(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	u := h.register(email)
	send := func(target, token, body string) answer {
		return h.do(token, http.MethodPost, target, body, from("198.51.100.7:4711"), apitest.Header("User-Agent", "Shop/7")).want(http.StatusOK)
	}
	wantDevice := func(want session.Device) {
		t.Helper()
		list, _, err := h.sessions.List(t.Context(), u.ID, 1)
		must(t, err)
		if diff := cmp.Diff(want, list[0].Device); diff != "" {
			t.Errorf("device (-want +got):\n%s", diff)
		}
	}
	sum := sha256.Sum256([]byte("Shop/7"))
	phone := session.Device{Name: strings.Repeat("ñ", auth.MaxDeviceName), UserAgent: base64.RawURLEncoding.EncodeToString(sum[:16]), IP: "198.51.100.0/24"}
	token := decode[tokens](send("/v1/auth/login", "", text(map[string]string{"email": email, "password": rightPW, "device_name": phone.Name}))).Access
	wantDevice(phone)

	h.pass(time.Second)
	send("/v1/auth/password", token, text(map[string]string{"current_password": rightPW, "new_password": secondPW, "device_name": "laptop"}))
	laptop := phone
	laptop.Name = "laptop"
	wantDevice(laptop)
}

func TestListSessionsReportsMore(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	h.register(email)
	var token string
	for n := 1; n <= 101; n++ {
		h.pass(time.Millisecond)
		token = h.login(email).Access
		if n < 100 {
			continue
		}
		more := n > 100
		if got := h.list(token); len(got.Data) != 100 || got.HasMore != more || !got.Data[0].Current {
			t.Errorf("of %d sessions: %d, more %t, want 100, %t", n, len(got.Data), got.HasMore, more)
		}
	}
}

func TestRevokeSession(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	h.register(email)
	h.register("other@shop.example")
	mine, other, stranger := h.login(email), h.login(email), h.login("other@shop.example")
	revoke := func(token, id string) answer { return h.do(token, http.MethodDelete, "/v1/auth/sessions/"+id, "") }

	for name, id := range map[string]string{
		"SomebodyElses": h.session(stranger.Access), "Unknown": "01J00000000000000000000000", "NoID": "x", "LowerCase": strings.ToLower(h.session(other.Access)) + "x",
	} {
		t.Run(name, func(t *testing.T) {
			a := revoke(mine.Access, id)
			a.Answer = a.In(t)
			a.wantProblem(http.StatusNotFound, "session_not_found")
		})
	}
	h.wantAccepted(stranger.Access, true)
	h.wantAccepted(other.Access, true)

	for range 2 {
		revoke(mine.Access, h.session(other.Access)).want(http.StatusNoContent)
	}
	h.wantAccepted(other.Access, false)
	h.wantAccepted(mine.Access, true)
	if list := h.list(mine.Access); len(list.Data) != 1 || !list.Data[0].Current {
		t.Errorf("sessions %+v", list)
	}
}
