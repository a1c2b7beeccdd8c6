// Package sessiontest tests implementations of session.Store: it has a suite, a model test of the state
// machine of refreshing, and a store in memory that passes both.
package sessiontest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/oklog/ulid/v2"

	"github.com/tienda-dev/tienda/shared/session"
)

// Run runs the suite. newStore returns an empty store that no other test uses.
//
// The suite reads lists right after a change. A store with eventually consistent lists passes only if they
// are up to date at once, as in DynamoDB Local.
func Run(t *testing.T, newStore func(t *testing.T) session.Store) {
	t.Helper()
	for _, part := range []struct {
		name string
		test func(t *testing.T, newStore func(t *testing.T) session.Store)
	}{
		{"Create", testCreate},
		{"Rotate", testRotate},
		{"RotateTwice", testRotateTwice},
		{"Revoke", testRevoke},
		{"OnlyForward", testOnlyForward},
		{"State", testState},
		{"List", testList},
		{"Context", testContext},
		{"ParallelRotations", testParallelRotations},
		{"RotateAgainstRevoke", testRotateAgainstRevoke},
		{"ParallelRefreshes", testParallelRefreshes},
		{"RefreshAgainstLogout", testRefreshAgainstLogout},
		{"Model", testModel},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			part.test(t, newStore)
		})
	}
}

// Time returns a fixed time, n seconds after the first one.
func Time(n int) time.Time {
	return time.Date(2026, time.November, 24, 12, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Second)
}

// NewSession returns a session that has just begun, as the manager passes one to a store.
func NewSession(change ...func(*session.Session)) session.Session {
	at := Time(0)
	s := session.Session{
		ID:         ulid.MustNew(ulid.Timestamp(at), rand.Reader).String(),
		Subject:    "user-" + rand.Text(),
		ClientID:   "shop",
		Scopes:     []string{"orders:read", "orders:write"},
		AMR:        []string{"pwd", "otp"},
		Device:     session.Device{Name: "Firefox on Linux", UserAgent: "hash", IP: "192.0.2.0/24"},
		CreatedAt:  at,
		RotatedAt:  at,
		RotationID: rand.Text(),
		IdleUntil:  at.Add(session.DefaultIdle),
		EndsAt:     at.Add(session.DefaultAbsolute),
	}
	for _, f := range change {
		f(&s)
	}
	return s
}

// rotation returns the refresh of s with its current token at that time.
func rotation(s session.Session, at time.Time) session.Rotation {
	return session.Rotation{
		SessionID: s.ID, Subject: s.Subject, Presented: s.Generation,
		ID: rand.Text(), At: at, IdleUntil: at.Add(session.DefaultIdle),
	}
}

func create(t *testing.T, store session.Store, sessions ...session.Session) {
	t.Helper()
	for _, s := range sessions {
		if err := store.Create(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
}

// list returns the subject's sessions.
func list(t *testing.T, store session.Store, subject string) []session.Session {
	t.Helper()
	got, more, err := store.List(t.Context(), subject, 100)
	if more {
		t.Errorf("%s has more than 100 sessions", subject)
	}
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// want compares. Nil and empty lists are equal.
func want[T any](t *testing.T, what string, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func testCreate(t *testing.T, newStore func(t *testing.T) session.Store) {
	store := newStore(t)
	full := NewSession()
	bare := NewSession(func(s *session.Session) {
		s.ClientID, s.Scopes, s.AMR, s.Device = "", nil, nil, session.Device{}
		s.Generation = 7
		s.CreatedAt = s.CreatedAt.Add(time.Millisecond) // stores keep milliseconds
		s.RotatedAt, s.IdleUntil, s.EndsAt = s.CreatedAt, s.IdleUntil.Add(time.Millisecond), s.EndsAt.Add(time.Millisecond)
	})
	create(t, store, full, bare, full) // a retry after a lost response looks like the third
	want(t, "sessions", []session.Session{full}, list(t, store, full.Subject))
	want(t, "sessions", []session.Session{bare}, list(t, store, bare.Subject))

	other := NewSession(func(s *session.Session) { s.ID = full.ID })
	if err := store.Create(t.Context(), other); err == nil {
		t.Error("two sessions were created with one id")
	}
	want(t, "sessions", []session.Session{full}, list(t, store, full.Subject))

	// A late repetition must not undo later changes.
	if _, done, err := store.Rotate(t.Context(), rotation(full, Time(1))); !done || err != nil {
		t.Fatalf("done %t, %v", done, err)
	}
	_ = store.Create(t.Context(), full)
	if got := list(t, store, full.Subject); len(got) != 1 || got[0].Generation != 1 {
		t.Errorf("after a late repetition: %+v", got)
	}
}

func testRotate(t *testing.T, newStore func(t *testing.T) session.Store) {
	store := newStore(t)
	end := Time(3600)
	for name, c := range map[string]struct {
		change func(*session.Session)
		call   func(*session.Rotation)
		revoke bool
		done   bool
	}{
		"Current":          {done: true},
		"LaterGeneration":  {change: func(s *session.Session) { s.Generation = 41 }, done: true},
		"Older":            {change: func(s *session.Session) { s.Generation = 41 }, call: func(r *session.Rotation) { r.Presented = 40 }},
		"Newer":            {call: func(r *session.Rotation) { r.Presented = 1 }},
		"OtherSubject":     {call: func(r *session.Rotation) { r.Subject = "somebody" }},
		"Revoked":          {revoke: true},
		"JustBeforeIdle":   {change: func(s *session.Session) { s.IdleUntil = end }, call: func(r *session.Rotation) { r.At = end.Add(-time.Millisecond) }, done: true},
		"AtIdle":           {change: func(s *session.Session) { s.IdleUntil = end }, call: func(r *session.Rotation) { r.At = end }},
		"JustBeforeTheEnd": {change: func(s *session.Session) { s.EndsAt = end }, call: func(r *session.Rotation) { r.At = end.Add(-time.Millisecond) }, done: true},
		"AtTheEnd":         {change: func(s *session.Session) { s.EndsAt = end }, call: func(r *session.Rotation) { r.At = end }},
		"LongAfterTheEnd":  {change: func(s *session.Session) { s.EndsAt = end }, call: func(r *session.Rotation) { r.At = end.Add(100 * 24 * time.Hour) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := NewSession()
			if c.change != nil {
				c.change(&before)
			}
			create(t, store, before)
			if c.revoke {
				if _, err := store.Revoke(t.Context(), session.Ending{SessionID: before.ID, Reason: session.Logout, At: Time(1)}); err != nil {
					t.Fatal(err)
				}
				before.RevokedAt, before.Reason = Time(1), session.Logout
			}
			call := rotation(before, Time(60))
			if c.call != nil {
				c.call(&call)
			}

			got, done, err := store.Rotate(t.Context(), call)
			if err != nil || done != c.done {
				t.Fatalf("done %t, %v; want %t", done, err, c.done)
			}
			after := before
			if c.done {
				after.Generation++
				after.RotatedAt, after.RotationID, after.IdleUntil = call.At, call.ID, call.IdleUntil
			}
			want(t, "what Rotate returns", after, got)
		})
	}

	t.Run("NoSession", func(t *testing.T) {
		t.Parallel()
		got, done, err := store.Rotate(t.Context(), rotation(NewSession(), Time(1)))
		if done || err != nil {
			t.Fatalf("done %t, %v", done, err)
		}
		want(t, "what Rotate returns", session.Session{}, got)
	})
}

// A call that is sent twice, because its response was lost, is one call; a second call is not.
func testRotateTwice(t *testing.T, newStore func(t *testing.T) session.Store) {
	store := newStore(t)
	s := NewSession()
	create(t, store, s)
	call, second := rotation(s, Time(60)), rotation(s, Time(60))
	first, done, err := store.Rotate(t.Context(), call)
	if !done || err != nil {
		t.Fatalf("done %t, %v", done, err)
	}
	again, done, err := store.Rotate(t.Context(), call)
	if !done || err != nil {
		t.Errorf("the same call again: done %t, %v", done, err)
	}
	want(t, "the same call again", first, again)
	other, done, err := store.Rotate(t.Context(), second)
	if done || err != nil {
		t.Errorf("another call: done %t, %v", done, err)
	}
	want(t, "another call", first, other)
}

func testRevoke(t *testing.T, newStore func(t *testing.T) session.Store) {
	store := newStore(t)
	s, neighbour := NewSession(), NewSession()
	neighbour.Subject = s.Subject
	create(t, store, s, neighbour)

	for _, c := range []struct {
		name  string
		call  session.Ending
		found bool
	}{
		{"somebody else's", session.Ending{SessionID: s.ID, Subject: "somebody", Reason: session.Admin, At: Time(1)}, false},
		{"no session", session.Ending{SessionID: "none", Reason: session.Admin, At: Time(1)}, false},
		{"no session of the subject", session.Ending{SessionID: "none", Subject: s.Subject, Reason: session.Admin, At: Time(1)}, false},
		{"the subject's own", session.Ending{SessionID: s.ID, Subject: s.Subject, Reason: session.Reuse, At: Time(2)}, true},
		{"again", session.Ending{SessionID: s.ID, Reason: session.Logout, At: Time(3)}, true},
	} {
		if found, err := store.Revoke(t.Context(), c.call); found != c.found || err != nil {
			t.Errorf("%s: found %t, %v; want %t", c.name, found, err, c.found)
		}
	}
	state, err := store.State(t.Context(), session.Query{SessionID: s.ID, Strong: true})
	if err != nil || !state.Session.RevokedAt.Equal(Time(2)) || state.Session.Reason != session.Reuse {
		t.Errorf("the first revocation was replaced: %+v, %v", state.Session, err)
	}
	want(t, "sessions", []session.Session{neighbour}, list(t, store, s.Subject))
	if state, err := store.State(t.Context(), session.Query{SessionID: "none", Strong: true}); state.HasSession || err != nil {
		t.Errorf("revoking an unknown session created one: %+v, %v", state, err)
	}
}

// Epochs and versions never go back: the later time wins, whichever write comes last.
func testOnlyForward(t *testing.T, newStore func(t *testing.T) session.Store) {
	store := newStore(t)
	read := func(subject string) session.State {
		t.Helper()
		state, err := store.State(t.Context(), session.Query{Subject: subject, Everybody: true, Strong: true})
		if err != nil {
			t.Fatal(err)
		}
		return state
	}
	want(t, "nothing kept", session.State{}, read("alice"))
	latest := 0
	for _, at := range []int{10, 30, 30, 20} {
		if err := errors.Join(
			store.RevokeSubject(t.Context(), "alice", Time(at).Add(time.Millisecond)),
			store.RevokeEverybody(t.Context(), Time(at+1)),
			store.RaiseAuthz(t.Context(), "alice", int64(at)),
		); err != nil {
			t.Fatal(err)
		}
		latest = max(latest, at)
		want(t, fmt.Sprintf("alice after %d", at), session.State{
			Account:   session.Account{NotBefore: Time(latest).Add(time.Millisecond), AuthzVersion: int64(latest)},
			NotBefore: Time(latest + 1),
		}, read("alice"))
	}
	want(t, "bob", session.State{NotBefore: Time(latest + 1)}, read("bob"))
}

func testState(t *testing.T, newStore func(t *testing.T) session.Store) {
	store := newStore(t)
	s := NewSession()
	create(t, store, s)
	revoked := session.TokenRevocation{TokenID: "token", ExpiresAt: Time(900), Reason: session.Client}
	if err := errors.Join(
		store.RaiseAuthz(t.Context(), s.Subject, 3),
		store.RevokeEverybody(t.Context(), Time(-10)),
		store.RevokeToken(t.Context(), revoked),
		store.RevokeToken(t.Context(), revoked),
	); err != nil {
		t.Fatal(err)
	}
	deciding := session.Session{ID: s.ID, Subject: s.Subject, CreatedAt: s.CreatedAt, IdleUntil: s.IdleUntil, EndsAt: s.EndsAt}
	account := session.Account{AuthzVersion: 3}

	for name, c := range map[string]struct {
		query session.Query
		want  session.State
	}{
		"Everything": {
			session.Query{SessionID: s.ID, Subject: s.Subject, TokenID: "token", Everybody: true},
			session.State{Session: deciding, HasSession: true, Account: account, TokenRevoked: true, NotBefore: Time(-10)},
		},
		"NoEpoch":      {session.Query{SessionID: s.ID, Subject: s.Subject}, session.State{Session: deciding, HasSession: true, Account: account}},
		"OtherToken":   {session.Query{SessionID: s.ID, TokenID: "other"}, session.State{Session: deciding, HasSession: true}},
		"OtherSession": {session.Query{SessionID: "other", Subject: s.Subject}, session.State{Account: account}},
		"Nothing":      {session.Query{}, session.State{}},
		"Unknown":      {session.Query{SessionID: "x", Subject: "x", TokenID: "x"}, session.State{}},
	} {
		for _, strong := range []bool{false, true} {
			c.query.Strong = strong
			got, err := store.State(t.Context(), c.query)
			if err != nil {
				t.Fatal(err)
			}
			want(t, name, c.want, got)
		}
	}
}

func testList(t *testing.T, newStore func(t *testing.T) session.Store) {
	store := newStore(t)
	var sessions []session.Session
	for i := range 5 {
		sessions = append(sessions, NewSession(func(s *session.Session) { s.Subject, s.CreatedAt = "alice", Time(i) }))
	}
	other := NewSession()
	create(t, store, sessions[3], other, sessions[0], sessions[4], sessions[1], sessions[2])
	if _, err := store.Revoke(t.Context(), session.Ending{SessionID: sessions[3].ID, Reason: session.Logout, At: Time(9)}); err != nil {
		t.Fatal(err)
	}
	rotated, done, err := store.Rotate(t.Context(), rotation(sessions[1], Time(9)))
	if !done || err != nil {
		t.Fatalf("done %t, %v", done, err)
	}

	want(t, "newest first", []session.Session{sessions[4], sessions[2], rotated, sessions[0]}, list(t, store, "alice"))
	for limit, c := range map[int]struct {
		sessions []session.Session
		more     bool
	}{
		2: {[]session.Session{sessions[4], sessions[2]}, true},
		3: {[]session.Session{sessions[4], sessions[2], rotated}, true},
		4: {[]session.Session{sessions[4], sessions[2], rotated, sessions[0]}, false},
		5: {[]session.Session{sessions[4], sessions[2], rotated, sessions[0]}, false},
	} {
		got, more, err := store.List(t.Context(), "alice", limit)
		if err != nil {
			t.Fatal(err)
		}
		want(t, fmt.Sprintf("the newest %d", limit), c.sessions, got)
		want(t, fmt.Sprintf("more than %d", limit), c.more, more)
	}
	want(t, "nobody's", nil, list(t, store, "nobody"))
}

// A call with an ended context returns its error and does nothing.
func testContext(t *testing.T, newStore func(t *testing.T) session.Store) {
	store := newStore(t)
	s := NewSession()
	create(t, store, s)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range map[string]func() error{
		"Create": func() error { return store.Create(ended, NewSession()) },
		"Rotate": func() error { _, _, err := store.Rotate(ended, rotation(s, Time(1))); return err },
		"Revoke": func() error {
			_, err := store.Revoke(ended, session.Ending{SessionID: s.ID, Reason: session.Logout, At: Time(1)})
			return err
		},
		"RevokeSubject":   func() error { return store.RevokeSubject(ended, s.Subject, Time(1)) },
		"RevokeEverybody": func() error { return store.RevokeEverybody(ended, Time(1)) },
		"RevokeToken": func() error {
			return store.RevokeToken(ended, session.TokenRevocation{TokenID: "t", ExpiresAt: Time(1)})
		},
		"RaiseAuthz": func() error { return store.RaiseAuthz(ended, s.Subject, 1) },
		"State":      func() error { _, err := store.State(ended, session.Query{SessionID: s.ID}); return err },
		"List":       func() error { _, _, err := store.List(ended, s.Subject, 10); return err },
	} {
		if err := call(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want the end of the context", name, err)
		}
	}
	want(t, "sessions", []session.Session{s}, list(t, store, s.Subject))
}
