package session_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/jwt"
	"github.com/tienda-dev/tienda/shared/session"
	"github.com/tienda-dev/tienda/shared/session/sessiontest"
)

// replica returns the state that the test sets, and records the queries.
type replica struct {
	weak, strong session.State
	err          error
	delay        time.Duration
	asked        []session.Query
}

func (r *replica) State(ctx context.Context, q session.Query) (session.State, error) {
	r.asked = append(r.asked, q)
	if r.delay > 0 {
		select {
		case <-time.After(r.delay):
		case <-ctx.Done():
			return session.State{}, ctx.Err()
		}
	}
	if r.err != nil {
		return session.State{}, r.err
	}
	if q.Strong {
		return r.strong, nil
	}
	return r.weak, nil
}

func (r *replica) both(s session.State) { r.weak, r.strong = s, s }

// bench is a checker with an adjustable clock over a replica that has alice's session.
type bench struct {
	*session.Checker
	replica

	now time.Time
	id  identity.Identity
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{now: sessiontest.Time(60)}
	b.id = identity.Identity{
		Subject: "alice", SessionID: "s1", TokenID: "t1", IssuedAt: sessiontest.Time(30), AuthzVersion: 3, ExpiresAt: sessiontest.Time(930),
	}
	b.both(liveState())
	var err error
	if b.Checker, err = session.NewChecker(session.CheckConfig{}, &b.replica, func() time.Time { return b.now }); err != nil {
		t.Fatal(err)
	}
	return b
}

func liveState() session.State {
	return session.State{
		HasSession: true,
		Session:    session.Session{ID: "s1", Subject: "alice", CreatedAt: sessiontest.Time(0), IdleUntil: sessiontest.Time(3600), EndsAt: sessiontest.Time(7200)},
		Account:    session.Account{AuthzVersion: 3},
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	const known, unknown = true, false
	for name, c := range map[string]struct {
		state  func(*session.State)
		id     func(*identity.Identity)
		at     int
		want   error
		keeps  bool // the next check reads nothing
		second bool // a second, strong read is made
	}{
		"Stands":             {},
		"Revoked":            {state: func(s *session.State) { s.Session.RevokedAt = sessiontest.Time(50) }, want: session.ErrRevoked, keeps: known},
		"RevokedInTheFuture": {state: func(s *session.State) { s.Session.RevokedAt = sessiontest.Time(5000) }, want: session.ErrRevoked, keeps: known},
		"TokenRevoked":       {state: func(s *session.State) { s.TokenRevoked = true }, want: session.ErrRevoked, keeps: known},
		"NoSession":          {state: func(s *session.State) { s.HasSession, s.Session = false, session.Session{} }, want: session.ErrRevoked, keeps: unknown, second: true},
		"OtherSubject":       {state: func(s *session.State) { s.Session.Subject = "bob" }, want: session.ErrRevoked, keeps: known},
		"LastMomentOfIdle":   {at: 3599},
		"Idle":               {at: 3600, want: session.ErrRevoked, keeps: unknown, second: true},
		"AtItsEnd":           {state: func(s *session.State) { s.Session.EndsAt = sessiontest.Time(60) }, want: session.ErrRevoked, keeps: known},
		"EpochBefore":        {state: func(s *session.State) { s.Account.NotBefore = sessiontest.Time(0).Add(-time.Millisecond) }},
		"EpochAtTheLogin":    {state: func(s *session.State) { s.Account.NotBefore = sessiontest.Time(0) }, want: session.ErrRevoked, keeps: known},
		"EpochAfterTheLogin": {state: func(s *session.State) { s.Account.NotBefore = sessiontest.Time(1) }, want: session.ErrRevoked, keeps: known},
		"GlobalEpoch":        {state: func(s *session.State) { s.NotBefore = sessiontest.Time(1) }, want: session.ErrRevoked, keeps: known},
		"GlobalEpochIsLater": {state: func(s *session.State) {
			s.NotBefore, s.Account.NotBefore = sessiontest.Time(1), sessiontest.Time(-1)
		}, want: session.ErrRevoked, keeps: known},
		"UsersEpochIsLater": {state: func(s *session.State) {
			s.NotBefore, s.Account.NotBefore = sessiontest.Time(-1), sessiontest.Time(1)
		}, want: session.ErrRevoked, keeps: known},
		"OlderRoles":      {state: func(s *session.State) { s.Account.AuthzVersion = 4 }, want: session.ErrRevoked, keeps: known},
		"NewerThanStored": {state: func(s *session.State) { s.Account.AuthzVersion = 2 }}, // a replica is behind
		"Machine":         {id: machine},
		"MachineEpochBefore": {id: machine, state: func(s *session.State) {
			s.Account.NotBefore = sessiontest.Time(30).Add(-time.Millisecond)
		}},
		"MachineEpochAtIssue": {id: machine, state: func(s *session.State) { s.Account.NotBefore = sessiontest.Time(30) }, want: session.ErrRevoked, keeps: known},
		"MachineUndated": {id: func(id *identity.Identity) { machine(id); id.IssuedAt = time.Time{} }, state: func(s *session.State) {
			s.Account.NotBefore = sessiontest.Time(-1000)
		}, want: session.ErrRevoked, keeps: known},
	} {
		for _, class := range []identity.Revocation{identity.Default, identity.Strict} {
			t.Run(name+class.String(), func(t *testing.T) {
				t.Parallel()
				b := newBench(t)
				state := liveState()
				if c.state != nil {
					c.state(&state)
				}
				b.both(state)
				if c.id != nil {
					c.id(&b.id)
				}
				if c.at > 0 {
					b.now = sessiontest.Time(c.at)
				}
				if err := b.Check(t.Context(), b.id, class); !errors.Is(err, c.want) {
					t.Fatalf("got %v, want %v", err, c.want)
				}
				wantReads := 1
				if c.second && class != identity.Strict {
					wantReads = 2
				}
				if len(b.asked) != wantReads || b.asked[wantReads-1].Strong != (c.second || class == identity.Strict) {
					t.Errorf("asked %+v", b.asked)
				}
				b.asked = nil
				if err := b.Check(t.Context(), b.id, class); !errors.Is(err, c.want) {
					t.Errorf("again: got %v, want %v", err, c.want)
				}
				if (len(b.asked) == 0) != c.keeps {
					t.Errorf("again: asked %d times, known %t", len(b.asked), c.keeps)
				}
			})
		}
	}
}

// machine makes a token without a session.
func machine(id *identity.Identity) { id.SessionID = "" }

func TestCheckQueries(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for range 2 {
		if err := b.Check(t.Context(), b.id, identity.Default); err != nil {
			t.Fatal(err)
		}
	}
	b.now = b.now.Add(session.GlobalEpochAge - time.Millisecond)
	if err := b.Check(t.Context(), b.id, identity.Strict); err != nil {
		t.Fatal(err)
	}
	b.now = b.now.Add(time.Millisecond)
	if err := b.Check(t.Context(), b.id, identity.Default); err != nil {
		t.Fatal(err)
	}
	b.now = b.now.Add(-2 * time.Minute) // the clock was set back
	if err := b.Check(t.Context(), b.id, identity.Default); err != nil {
		t.Fatal(err)
	}
	query := session.Query{SessionID: "s1", Subject: "alice", TokenID: "t1"}
	with, strong := query, query
	with.Everybody, strong.Strong = true, true
	if diff := cmp.Diff([]session.Query{with, query, strong, with, with}, b.asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

// A replica that does not have a new session yet must not end it.
func TestLaggingReplica(t *testing.T) {
	t.Parallel()
	for name, weak := range map[string]func(*session.State){
		"NoSessionYet": func(s *session.State) { *s = session.State{} },
		"NoRefreshYet": func(s *session.State) { s.Session.IdleUntil = sessiontest.Time(59) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			weak(&b.weak)
			for range 2 {
				if err := b.Check(t.Context(), b.id, identity.Default); err != nil {
					t.Errorf("got %v", err)
				}
			}
			if len(b.asked) != 4 {
				t.Errorf("asked %d times, want each time twice", len(b.asked))
			}
		})
	}
}

func TestGlobalEpochIsRemembered(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.weak.NotBefore = sessiontest.Time(-5)
	if err := b.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := (session.Query{Everybody: true}); b.asked[0] != want {
		t.Errorf("warmed with %+v", b.asked[0])
	}
	// A later read from a replica that is behind must not lower it.
	b.now = b.now.Add(session.GlobalEpochAge)
	b.weak.NotBefore = time.Time{}
	old := b.id
	old.SessionID, old.TokenID, old.IssuedAt = "", "older", sessiontest.Time(-6)
	if err := b.Check(t.Context(), old, identity.Default); !errors.Is(err, session.ErrRevoked) {
		t.Errorf("got %v", err)
	}
	if err := b.Check(t.Context(), b.id, identity.Default); err != nil {
		t.Errorf("got %v", err)
	}
}

// A token that is valid now may be revoked the next moment, so every check reads.
func TestValidTokenIsReadEveryTime(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, class := range []identity.Revocation{identity.Default, identity.Strict, identity.Default, identity.Strict} {
		if err := b.Check(t.Context(), b.id, class); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.asked) != 4 {
		t.Errorf("asked %d times, want 4", len(b.asked))
	}
}

// A revoked session is remembered for all of its tokens, a revoked token only for itself.
func TestRememberedRevocationScope(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	state := liveState()
	state.TokenRevoked = true
	b.both(state)
	if err := b.Check(t.Context(), b.id, identity.Default); !errors.Is(err, session.ErrRevoked) {
		t.Fatal(err)
	}
	b.both(liveState())
	sibling := b.id
	sibling.TokenID = "t2"
	if err := b.Check(t.Context(), sibling, identity.Default); err != nil {
		t.Errorf("the session's other token: %v", err)
	}
	state = liveState()
	state.Session.RevokedAt = b.now
	b.both(state)
	if err := b.Check(t.Context(), sibling, identity.Default); !errors.Is(err, session.ErrRevoked) {
		t.Fatal(err)
	}
	b.asked = nil
	third := b.id
	third.TokenID = "t3"
	for _, class := range []identity.Revocation{identity.Default, identity.Strict} {
		if err := b.Check(t.Context(), third, class); !errors.Is(err, session.ErrRevoked) || len(b.asked) > 0 {
			t.Errorf("a third token of the session: %v, asked %d times", err, len(b.asked))
		}
	}
	// A revoked session is remembered longer than any of its tokens lives.
	b.now = third.ExpiresAt
	if err := b.Check(t.Context(), third, identity.Default); !errors.Is(err, session.ErrRevoked) || len(b.asked) > 0 {
		t.Errorf("at the end of its life: %v, asked %d times", err, len(b.asked))
	}
}

// The last token of a session was signed at the latest when the session ended, by a clock that may be ahead
// by the leeway of a verifier. It must be refused until it expires.
func TestRevokedSessionIsRememberedUntilItsLastTokenExpires(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	state := liveState()
	state.Session.RevokedAt = b.now
	b.both(state)
	if err := b.Check(t.Context(), b.id, identity.Default); !errors.Is(err, session.ErrRevoked) {
		t.Fatal(err)
	}
	b.asked = nil
	last := b.id
	last.TokenID, last.ExpiresAt = "last", b.now.Add(jwt.Leeway+jwt.MaxTTL)
	b.now = last.ExpiresAt.Add(-time.Millisecond)
	if err := b.Check(t.Context(), last, identity.Default); !errors.Is(err, session.ErrRevoked) || len(b.asked) > 0 {
		t.Errorf("got %v after %d reads, want ErrRevoked after none", err, len(b.asked))
	}
}

// The revocation of one token, with or without a session, is remembered until the token expires.
func TestRevokedTokenIsRememberedUntilItExpires(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*identity.Identity){"OfASession": func(*identity.Identity) {}, "OfAMachine": machine} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			change(&b.id)
			state := liveState()
			state.TokenRevoked = true
			b.both(state)
			if err := b.Check(t.Context(), b.id, identity.Default); !errors.Is(err, session.ErrRevoked) {
				t.Fatal(err)
			}
			b.asked = nil
			b.both(liveState())
			b.now = b.id.ExpiresAt.Add(-time.Millisecond)
			for _, class := range []identity.Revocation{identity.Default, identity.Strict} {
				if err := b.Check(t.Context(), b.id, class); !errors.Is(err, session.ErrRevoked) || len(b.asked) > 0 {
					t.Errorf("%s, in its last moment: %v, asked %d times", class, err, len(b.asked))
				}
			}
		})
	}
}
