package sessiontest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/session"
)

// testModel runs random sequences of calls against the store and against a model of the contract, and
// compares the results. The connection to the store loses calls and responses.
func testModel(t *testing.T, newStore func(t *testing.T) session.Store) {
	store := newStore(t)
	rapid.Check(t, func(rt *rapid.T) {
		m := newMachine(t, rt, store)
		rt.Repeat(map[string]func(*rapid.T){
			"login":     m.login,
			"refresh":   m.refresh,
			"newest":    m.refreshNewest,
			"logout":    m.logout,
			"logoutAll": m.logoutAll,
			"revoke":    m.revokeToken,
			"roles":     m.changeRoles,
			"time":      m.passTime,
			"check":     m.check,
			"list":      m.list,
		})
	})
}

const (
	modelWindow = session.DefaultRetryWindow
	modelIdle   = 2 * time.Hour
	modelEnd    = 5 * time.Hour
)

// machine is the system under test and the model of its contract.
type machine struct {
	store   *flaky
	manager *session.Manager
	checker *session.Checker // another process, which learns of changes only from the store
	tokens  Tokens
	now     time.Time
	events  []session.Event

	users  []*modelUser
	logins []*modelLogin
}

type modelUser struct {
	subject string
	epoch   time.Time
	version int64
}

// modelLogin is a session.
type modelLogin struct {
	user       *modelUser
	id         string
	created    time.Time
	generation int64
	rotated    time.Time
	idle       time.Time
	revoked    time.Time
	refresh    map[int64]string // the tokens that the client got, by generation
	access     []*modelToken
}

// modelToken is an access token.
type modelToken struct {
	login    *modelLogin
	id       identity.Identity
	outdated time.Time // when the roles of its user changed
	revoked  time.Time
}

func (l *modelLogin) end() time.Time { return earliest(l.idle, l.created.Add(modelEnd)) }

// death returns when the login ended, or when it will end if nothing else happens.
func (l *modelLogin) death() time.Time {
	died := earliest(l.end(), l.revoked)
	if !l.created.After(l.user.epoch) {
		died = earliest(died, l.user.epoch)
	}
	return died
}

func (k *modelToken) death() time.Time {
	return earliest(earliest(k.login.death(), k.revoked), k.outdated)
}

// earliest returns the earlier time. A zero time means never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func newMachine(t *testing.T, rt *rapid.T, store session.Store) *machine {
	m := &machine{store: &flaky{Store: store}, now: Time(0)}
	clock := func() time.Time { return m.now }
	m.tokens = NewTokens(t, clock)
	var err error
	m.manager, err = session.New(session.Config{
		Idle: modelIdle, Absolute: modelEnd, RetryWindow: new(modelWindow),
		OnEvent: func(_ context.Context, e session.Event) { m.events = append(m.events, e) },
	}, m.store, m.tokens.Keys, clock)
	if err != nil {
		rt.Fatal(err)
	}
	m.checker, err = session.NewChecker(session.CheckConfig{}, store, clock)
	if err != nil {
		rt.Fatal(err)
	}
	for i := range 2 {
		m.users = append(m.users, &modelUser{subject: fmt.Sprintf("user-%d-%s", i, rand.Text())})
	}
	return m
}

func (m *machine) anyUser(t *rapid.T) *modelUser { return rapid.SampledFrom(m.users).Draw(t, "user") }

// anyLogin returns a login. If there is none yet, Skip makes rapid draw another action; it does not skip
// the test.
func (m *machine) anyLogin(t *rapid.T) *modelLogin {
	if len(m.logins) == 0 {
		t.Skip("no login yet")
	}
	return rapid.SampledFrom(m.logins).Draw(t, "login")
}

// anyClient returns a login whose tokens have reached the client.
func (m *machine) anyClient(t *rapid.T) *modelLogin {
	l := m.anyLogin(t)
	if len(l.access) == 0 {
		t.Skip("the response to the login was lost")
	}
	return l
}

func (m *machine) anyToken(t *rapid.T) *modelToken {
	return rapid.SampledFrom(m.anyClient(t).access).Draw(t, "token")
}

// withOutcomes runs f with a drawn outcome for each kind of call.
func (m *machine) withOutcomes(t *rapid.T, f func()) {
	outcomes := rapid.SampledFrom([]outcome{answered, answered, answered, lost, refused})
	m.store.rotate = outcomes.Draw(t, "rotate")
	m.store.revoke = outcomes.Draw(t, "revoke")
	m.store.write = outcomes.Draw(t, "write")
	m.store.state = rapid.SampledFrom([]outcome{answered, answered, answered, refused}).Draw(t, "state")
	defer func() {
		m.store.rotate, m.store.revoke, m.store.state, m.store.write = answered, answered, answered, answered
	}()
	f()
}

// write does one write and returns whether the store has done it. The caller must get no error exactly
// when the response was not lost.
func (m *machine) write(t *rapid.T, f func() error) (done bool) {
	m.withOutcomes(t, func() {
		err := f()
		if (err == nil) != (m.store.write == answered) || err != nil && !errors.Is(err, session.ErrUnavailable) {
			t.Fatalf("a write with outcome %d: %v", m.store.write, err)
		}
		done = m.store.write != refused
	})
	return done
}

func (m *machine) login(t *rapid.T) {
	user := m.anyUser(t)
	var got session.Tokens
	done := m.write(t, func() (err error) {
		got, err = m.manager.Start(t.Context(), session.User{
			Subject: user.subject, Roles: []string{"customer"}, AuthzVersion: user.version, NotBefore: user.epoch,
		}, session.Device{})
		return err
	})
	if !done {
		return
	}
	l := &modelLogin{user: user, id: m.store.created, created: m.now, refresh: map[int64]string{}}
	if !l.created.After(user.epoch) { // in the same millisecond as a logout everywhere
		l.created = user.epoch.Add(time.Millisecond)
	}
	l.rotated, l.idle = l.created, l.created.Add(modelIdle)
	m.logins = append(m.logins, l)
	if got.RefreshToken != "" {
		m.took(t, l, got)
	}
}

// took records the tokens of the login's current generation.
func (m *machine) took(t *rapid.T, l *modelLogin, got session.Tokens) {
	token, err := m.tokens.Refresh.Verify(got.RefreshToken)
	if err != nil || token.SessionID != l.id || token.Generation != l.generation || token.Subject != l.user.subject {
		t.Fatalf("refresh token %+v, %v; want generation %d of %s", token, err, l.generation, l.id)
	}
	if before, ok := l.refresh[l.generation]; ok && before != got.RefreshToken {
		t.Fatalf("generation %d has two refresh tokens:\n%s\n%s", l.generation, before, got.RefreshToken)
	}
	l.refresh[l.generation] = got.RefreshToken

	id, err := m.tokens.Access.Verify(got.AccessToken)
	if err != nil {
		t.Fatal(err)
	}
	if id.Subject != l.user.subject || id.SessionID != l.id || id.AuthzVersion != l.user.version || !id.AuthTime.Equal(l.created.Truncate(time.Second)) {
		t.Fatalf("access token of %+v", id)
	}
	l.access = append(l.access, &modelToken{login: l, id: id})
}

func (m *machine) refresh(t *rapid.T) {
	l := m.anyClient(t)
	var held []int64
	for generation := range l.generation + 1 {
		if _, ok := l.refresh[generation]; ok {
			held = append(held, generation)
		}
	}
	m.present(t, l, rapid.SampledFrom(held).Draw(t, "generation"))
}

// refreshNewest refreshes with the newest token, like an honest client.
func (m *machine) refreshNewest(t *rapid.T) {
	l := m.anyClient(t)
	newest := l.generation
	for ; l.refresh[newest] == ""; newest-- {
	}
	m.present(t, l, newest)
}

// present refreshes with the login's token of that generation.
func (m *machine) present(t *rapid.T, l *modelLogin, generation int64) {
	before := len(m.events)
	m.withOutcomes(t, func() {
		_, err := m.tokens.Refresh.Verify(l.refresh[generation])
		var wantErr error = session.ErrInvalidGrant
		var kind session.EventKind
		if err == nil {
			kind, wantErr = m.expect(l, generation)
		}
		got, err := m.manager.Refresh(t.Context(), l.refresh[generation], func(_ context.Context, subject string) (session.User, error) {
			return session.User{Subject: subject, Roles: []string{"customer"}, AuthzVersion: l.user.version}, nil
		})
		if wantErr == nil {
			if err != nil {
				t.Fatalf("refresh with generation %d of %d: %v", generation, l.generation, err)
			}
			m.took(t, l, got)
		} else if !errors.Is(err, wantErr) {
			t.Fatalf("refresh with generation %d of %d: %v, want %v", generation, l.generation, err, wantErr)
		}
		var events []session.EventKind
		for _, e := range m.events[before:] {
			events = append(events, e.Kind)
		}
		if (kind == "") != (len(events) == 0) || kind != "" && (len(events) != 1 || events[0] != kind) {
			t.Fatalf("events %v, want %q", events, kind)
		}
	})
}

// expect applies a refresh to the model and returns the expected event and error.
func (m *machine) expect(l *modelLogin, presented int64) (events session.EventKind, wantErr error) {
	if m.store.rotate == refused {
		return "", session.ErrUnavailable
	}
	over := !l.revoked.IsZero() || !m.now.Before(l.end())
	events = session.Retried
	current := presented == l.generation && !over
	if current {
		l.generation++
		l.rotated, l.idle = m.now, m.now.Add(modelIdle)
		events = session.Refreshed
	}
	switch {
	case m.store.rotate == lost:
		return "", session.ErrUnavailable
	case over:
		return "", session.ErrInvalidGrant
	case !current && (presented < l.generation-1 || m.now.Sub(l.rotated) > modelWindow):
		ended := session.Reused
		if presented == l.generation-1 {
			ended = session.Late
		}
		if m.store.revoke == refused {
			return ended, session.ErrUnavailable
		}
		l.revoked = m.now
		if m.store.revoke == lost {
			return ended, session.ErrUnavailable
		}
		return ended, session.ErrInvalidGrant
	case m.store.state == refused:
		return "", session.ErrUnavailable
	case !l.created.After(l.user.epoch):
		return "", session.ErrInvalidGrant
	case !l.end().Truncate(time.Second).After(l.rotated.Truncate(time.Second)):
		return "", session.ErrInvalidGrant // less than a second is left
	}
	return events, nil
}

func (m *machine) passTime(t *rapid.T) {
	m.now = m.now.Add(rapid.SampledFrom([]time.Duration{
		time.Millisecond, 999 * time.Millisecond, modelWindow - time.Millisecond, modelWindow, modelWindow + time.Millisecond,
		30 * time.Second, 14 * time.Minute, modelIdle - time.Second, modelIdle, modelIdle + time.Millisecond, modelEnd,
	}).Draw(t, "time"))
}

// check asks another process about a token whose signature and expiry are good.
func (m *machine) check(t *rapid.T) {
	token := m.anyToken(t)
	if !m.now.Before(token.id.ExpiresAt) {
		t.Skip("expired")
	}
	death := token.death()
	valid := m.now.Before(death)
	class := rapid.SampledFrom([]identity.Revocation{identity.Default, identity.Strict}).Draw(t, "class")
	err := m.checker.Check(t.Context(), token.id, class)
	switch {
	case err != nil && !errors.Is(err, session.ErrRevoked):
		t.Fatal(err)
	case valid && err != nil:
		t.Fatalf("%v refuses a valid token: %v", class, err)
	case !valid && err == nil:
		t.Fatalf("%v accepts a token that is invalid since %v, now %v", class, death, m.now)
	}
}

func (m *machine) list(t *rapid.T) {
	user := m.anyUser(t)
	got, _, err := m.manager.List(t.Context(), user.subject)
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for i, s := range got {
		listed[s.ID] = true
		if i > 0 && s.CreatedAt.After(got[i-1].CreatedAt) {
			t.Fatalf("not newest first: %v after %v", s.CreatedAt, got[i-1].CreatedAt)
		}
	}
	for _, l := range m.logins {
		if lives := l.user == user && m.now.Before(l.death()); lives != listed[l.id] {
			t.Fatalf("session %s lives: %t, listed: %t", l.id, lives, listed[l.id])
		}
	}
}
