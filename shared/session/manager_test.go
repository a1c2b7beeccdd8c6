package session_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/jwt"
	"github.com/tienda-dev/tienda/shared/problem"
	"github.com/tienda-dev/tienda/shared/session"
	"github.com/tienda-dev/tienda/shared/session/sessiontest"
)

// world is a manager over a store in memory, with an adjustable clock.
type world struct {
	*session.Manager

	store  *sessiontest.Memory
	tokens sessiontest.Tokens
	now    time.Time
	events []session.Event
}

func newWorld(t *testing.T, cfg session.Config) *world {
	t.Helper()
	w := &world{store: sessiontest.NewMemory(), now: sessiontest.Time(0)}
	clock := func() time.Time { return w.now }
	w.tokens = sessiontest.NewTokens(t, clock)
	cfg.OnEvent = func(_ context.Context, e session.Event) { w.events = append(w.events, e) }
	var err error
	if w.Manager, err = session.New(cfg, w.store, w.tokens.Keys, clock); err != nil {
		t.Fatal(err)
	}
	return w
}

func alice() session.User {
	return session.User{
		Subject: "alice", ClientID: "shop", Roles: []string{"customer", "support"}, Scopes: []string{"orders:read"},
		AuthzVersion: 3, AMR: []string{"pwd"},
	}
}

func lookup(_ context.Context, subject string) (session.User, error) {
	user := alice()
	user.Subject = subject
	return user, nil
}

func (w *world) start(t *testing.T, user session.User) session.Tokens {
	t.Helper()
	got, err := w.Start(t.Context(), user, session.Device{})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func (w *world) verify(t *testing.T, tokens session.Tokens) (identity.Identity, jwt.Refresh) {
	t.Helper()
	access, err := w.tokens.Access.Verify(tokens.AccessToken)
	if err != nil {
		t.Fatal(err)
	}
	refresh, err := w.tokens.Refresh.Verify(tokens.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	return access, refresh
}

func TestStartAndRefresh(t *testing.T) {
	t.Parallel()
	w := newWorld(t, session.Config{})
	first := w.start(t, alice())
	access, refresh := w.verify(t, first)
	want := identity.Identity{
		Subject: "alice", SessionID: refresh.SessionID, ClientID: "shop", Roles: []string{"customer", "support"}, Scopes: []string{"orders:read"},
		AuthTime: w.now, AMR: []string{"pwd"}, IssuedAt: w.now, AuthzVersion: 3, ExpiresAt: w.now.Add(jwt.DefaultTTL), KeyID: "test",
	}
	ignore := cmpopts.IgnoreFields(identity.Identity{}, "TokenID")
	if diff := cmp.Diff(want, access, ignore); diff != "" {
		t.Errorf("access token (-want +got):\n%s", diff)
	}
	if refresh.Generation != 0 || !refresh.ExpiresAt.Equal(w.now.Add(session.DefaultIdle)) {
		t.Errorf("refresh token %+v", refresh)
	}
	shown := first
	shown.AccessToken, shown.RefreshToken = "a", "r"
	got, err := json.Marshal(shown)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"access_token":"a","token_type":"Bearer","expires_in":900,"refresh_token":"r","refresh_expires_in":604800}`; string(got) != want {
		t.Errorf("answer %s, want %s", got, want)
	}

	// The roles are the newest; the time and method of the login, and the granted scopes, stay.
	w.now = w.now.Add(time.Hour)
	second, err := w.Refresh(t.Context(), first.RefreshToken, func(context.Context, string) (session.User, error) {
		return session.User{Subject: "alice", Roles: []string{"admin"}, AuthzVersion: 4, Scopes: []string{"everything"}, ClientID: "other"}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	access, refresh = w.verify(t, second)
	want.Roles, want.AuthzVersion, want.IssuedAt, want.ExpiresAt = []string{"admin"}, 4, w.now, w.now.Add(jwt.DefaultTTL)
	if diff := cmp.Diff(want, access, ignore); diff != "" {
		t.Errorf("access token (-want +got):\n%s", diff)
	}
	if refresh.Generation != 1 || !refresh.ExpiresAt.Equal(w.now.Add(session.DefaultIdle)) {
		t.Errorf("refresh token %+v", refresh)
	}
}

// A refresh extends the idle limit, not the absolute limit.
func TestAbsoluteEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, session.Config{Idle: time.Hour, Absolute: 150 * time.Minute})
	tokens := w.start(t, alice())
	for i, want := range []time.Duration{time.Hour, time.Hour, 50 * time.Minute} {
		if i > 0 {
			w.now = w.now.Add(50 * time.Minute)
			var err error
			if tokens, err = w.Refresh(t.Context(), tokens.RefreshToken, lookup); err != nil {
				t.Fatal(err)
			}
		}
		if _, refresh := w.verify(t, tokens); refresh.ExpiresAt.Sub(w.now) != want || tokens.RefreshExpiresIn != int64(want/time.Second) {
			t.Errorf("refresh token %d lives %v and says %d s, want %v", i, refresh.ExpiresAt.Sub(w.now), tokens.RefreshExpiresIn, want)
		}
	}
	w.now = sessiontest.Time(150 * 60)
	if _, err := w.Refresh(t.Context(), tokens.RefreshToken, lookup); !errors.Is(err, session.ErrInvalidGrant) {
		t.Errorf("after the end: %v", err)
	}
}

func TestRetryWindow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		window *time.Duration
		after  time.Duration
		same   bool
	}{
		"AtOnce":           {nil, 0, true},
		"AtTheEdge":        {nil, session.DefaultRetryWindow, true},
		"BehindTheEdge":    {nil, session.DefaultRetryWindow + time.Millisecond, false},
		"Longest":          {new(session.MaxRetryWindow), session.MaxRetryWindow, true},
		"BehindTheLongest": {new(session.MaxRetryWindow), session.MaxRetryWindow + time.Millisecond, false},
		"NoneAtOnce":       {new(time.Duration(0)), 0, true}, // in the same millisecond, owner and thief look the same
		"NoneALittleLater": {new(time.Duration(0)), time.Millisecond, false},
		"ClocksDiffer":     {nil, -jwt.Leeway, true},
		"ClockIsSetBack":   {nil, -jwt.Leeway - time.Millisecond, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, session.Config{RetryWindow: c.window})
			first := w.start(t, alice())
			w.now = w.now.Add(time.Hour)
			second, err := w.Refresh(t.Context(), first.RefreshToken, lookup)
			if err != nil {
				t.Fatal(err)
			}
			access, _ := w.verify(t, second)
			w.now = w.now.Add(c.after)
			again, err := w.Refresh(t.Context(), first.RefreshToken, lookup)
			last := w.events[len(w.events)-1].Kind
			if c.same {
				if err != nil || again.RefreshToken != second.RefreshToken || last != session.Retried {
					t.Errorf("%v, event %s; want the same refresh token", err, last)
				}
				return
			}
			if !errors.Is(err, session.ErrInvalidGrant) || last != session.Late {
				t.Errorf("%v, event %s; want %s", err, last, session.Late)
			}
			// A thief and the owner would both be logged out.
			if _, err := w.Refresh(t.Context(), second.RefreshToken, lookup); !errors.Is(err, session.ErrInvalidGrant) {
				t.Errorf("the successor: %v", err)
			}
			if err := w.Check(t.Context(), access, identity.Default); !errors.Is(err, session.ErrRevoked) {
				t.Errorf("the access token: %v", err)
			}
		})
	}
}

// A successor that was already used is never returned again, even at once.
func TestUsedSuccessorIsNotReturnedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, session.Config{})
	first := w.start(t, alice())
	second, err := w.Refresh(t.Context(), first.RefreshToken, lookup)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Refresh(t.Context(), second.RefreshToken, lookup); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Refresh(t.Context(), first.RefreshToken, lookup); !errors.Is(err, session.ErrInvalidGrant) {
		t.Errorf("got %v", err)
	}
	if last := w.events[len(w.events)-1]; last.Kind != session.Reused || last.Presented != 0 || last.Current != 2 || !last.Kind.Security() {
		t.Errorf("event %+v", last)
	}
}

func TestRefreshRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*testing.T, *world, *session.Tokens)
		token  func(jwt.Refresh) jwt.Refresh
		lookup session.UserLookup
		want   error
		event  session.EventKind
	}{
		"NoSession":        {token: func(r jwt.Refresh) jwt.Refresh { r.SessionID = "none"; return r }, want: session.ErrInvalidGrant},
		"GenerationToCome": {token: func(r jwt.Refresh) jwt.Refresh { r.Generation = 9; return r }, want: session.ErrInvalidGrant, event: session.Forged},
		"OtherSubject":     {token: func(r jwt.Refresh) jwt.Refresh { r.Subject = "bob"; return r }, want: session.ErrInvalidGrant, event: session.Forged},
		"Altered":          {change: func(_ *testing.T, _ *world, s *session.Tokens) { s.RefreshToken += "x" }, want: session.ErrInvalidGrant},
		"AccessToken":      {change: func(_ *testing.T, _ *world, s *session.Tokens) { s.RefreshToken = s.AccessToken }, want: session.ErrInvalidGrant},
		"Empty":            {change: func(_ *testing.T, _ *world, s *session.Tokens) { s.RefreshToken = "" }, want: session.ErrInvalidGrant},
		"Huge":             {change: func(_ *testing.T, _ *world, s *session.Tokens) { s.RefreshToken = strings.Repeat("a", 1<<20) }, want: session.ErrInvalidGrant},
		"LoggedOutEverybody": {change: func(t *testing.T, w *world, _ *session.Tokens) {
			t.Helper()
			if err := w.RevokeEverybody(t.Context(), session.Admin); err != nil {
				t.Error(err)
			}
		}, want: session.ErrInvalidGrant, event: session.AllRevoked},
		"UserIsGone": {lookup: func(context.Context, string) (session.User, error) { return session.User{}, session.ErrInvalidGrant }, want: session.ErrInvalidGrant},
		"UserUnread": {lookup: func(context.Context, string) (session.User, error) { return session.User{}, session.ErrUnavailable }, want: session.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, session.Config{})
			tokens := w.start(t, alice())
			_, refresh := w.verify(t, tokens)
			if c.token != nil {
				var err error
				if tokens.RefreshToken, err = w.tokens.Keys.Refresh(t.Context()).Sign(c.token(refresh)); err != nil {
					t.Fatal(err)
				}
			}
			if c.change != nil {
				c.change(t, w, &tokens)
			}
			if c.lookup == nil {
				c.lookup = lookup
			}
			_, err := w.Refresh(t.Context(), tokens.RefreshToken, c.lookup)
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if len(tokens.RefreshToken) > 0 && strings.Contains(fmt.Sprint(err), tokens.RefreshToken) {
				t.Error("the error contains the token")
			}
			last := w.events[len(w.events)-1].Kind
			if c.event == "" && last != session.Started || c.event != "" && last != c.event {
				t.Errorf("event %s, want %q", last, c.event)
			}
		})
	}
}

// A refresh that could not read the user can be repeated.
func TestRefreshAfterAFailedLookup(t *testing.T) {
	t.Parallel()
	w := newWorld(t, session.Config{})
	first := w.start(t, alice())
	failing := func(context.Context, string) (session.User, error) { return session.User{}, session.ErrUnavailable }
	if _, err := w.Refresh(t.Context(), first.RefreshToken, failing); !errors.Is(err, session.ErrUnavailable) {
		t.Fatal(err)
	}
	second, err := w.Refresh(t.Context(), first.RefreshToken, lookup)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Refresh(t.Context(), second.RefreshToken, lookup); err != nil {
		t.Error(err)
	}
}

// A logout everywhere between reading the password and creating the session ends that login. A login after
// the logout is valid.
func TestLoginDuringLogoutEverywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, session.Config{})
	user := alice()
	user.AuthTime = w.now
	w.now = w.now.Add(50 * time.Millisecond)
	epoch, err := w.RevokeAll(t.Context(), "alice", session.Password)
	if err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(50 * time.Millisecond)
	overtaken, _ := w.verify(t, w.start(t, user))
	if err := w.Check(t.Context(), overtaken, identity.Strict); !errors.Is(err, session.ErrRevoked) {
		t.Errorf("a login with the old password: %v", err)
	}

	w.now = epoch
	follows := alice()
	follows.NotBefore = epoch
	tokens := w.start(t, follows)
	id, _ := w.verify(t, tokens)
	if err := w.Check(t.Context(), id, identity.Strict); err != nil {
		t.Errorf("a login in the millisecond of the logout: %v", err)
	}
	// The token must not look older than the session to a verifier without a session check.
	if want := epoch.Add(time.Millisecond); !id.IssuedAt.Equal(want) {
		t.Errorf("its token was issued at %v, want %v", id.IssuedAt, want)
	}
	if _, err := w.Refresh(t.Context(), tokens.RefreshToken, lookup); err != nil {
		t.Errorf("its refresh: %v", err)
	}
	if list, more, err := w.List(t.Context(), "alice"); err != nil || more || len(list) != 1 || list[0].ID != id.SessionID {
		t.Errorf("sessions %+v, more %t, %v", list, more, err)
	}
}

func TestRevokeRefreshToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, session.Config{})
	first := w.start(t, alice())
	second, err := w.Refresh(t.Context(), first.RefreshToken, lookup)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.RevokeRefreshToken(t.Context(), "garbage"); err != nil {
		t.Errorf("garbage: %v", err)
	}
	if err := w.RevokeRefreshToken(t.Context(), second.AccessToken); err != nil {
		t.Errorf("an access token: %v", err)
	}
	id, _ := w.verify(t, second)
	if err := w.Check(t.Context(), id, identity.Strict); err != nil {
		t.Errorf("refresh before it was revoked: %v", err)
	}
	// An older refresh token revokes the session too.
	if err := w.RevokeRefreshToken(t.Context(), first.RefreshToken); err != nil {
		t.Fatal(err)
	}
	if err := w.Check(t.Context(), id, identity.Strict); !errors.Is(err, session.ErrRevoked) {
		t.Errorf("after it was revoked: %v", err)
	}
	if last := w.events[len(w.events)-1]; last.Kind != session.Revoked || last.Reason != session.Client {
		t.Errorf("event %+v", last)
	}
}

func second[T any](_ T, err error) error { return err }

func TestRefusesEmptyNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t, session.Config{})
	for name, err := range map[string]error{
		"Start":       second(w.Start(t.Context(), session.User{}, session.Device{})),
		"RevokeAll":   second(w.RevokeAll(t.Context(), "", session.Logout)),
		"RevokeOwn":   w.RevokeOwn(t.Context(), "", "s"),
		"RevokeToken": w.RevokeToken(t.Context(), "", sessiontest.Time(1), session.Client),
		"RaiseAuthz":  w.RaiseAuthz(t.Context(), "", 1),
		"Refresh":     second(w.Refresh(t.Context(), "x", nil)),
	} {
		if err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if err := w.RevokeOwn(t.Context(), "alice", ""); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("RevokeOwn of no session: %v", err)
	}
	if err := w.Revoke(t.Context(), "", session.Logout); err != nil {
		t.Errorf("Revoke of no session: %v", err)
	}
}

func TestStatusOfErrors(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]int{session.ErrInvalidGrant: 400, session.ErrNotFound: 404, session.ErrUnavailable: 503} {
		if e, ok := problem.As(err); !ok || e.Kind.Status() != want {
			t.Errorf("%v: status %d, want %d", err, e.Kind.Status(), want)
		}
	}
	var refused interface{ Outcome() identity.Outcome }
	if !errors.As(fmt.Errorf("check: %w", session.ErrRevoked), &refused) || refused.Outcome() != identity.TokenRevoked {
		t.Error("the outcome of ErrRevoked is not token_revoked")
	}
}
