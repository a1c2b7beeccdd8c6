package session_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/clock/clocktest"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/session"
)

// A frozen environment stops the monotonic clock: the global epoch ages by the wall clock, and a clock that is
// set back makes it old as well.
func TestGlobalEpochAgesByTheWallClock(t *testing.T) {
	t.Parallel()
	for _, moved := range []time.Duration{time.Hour, -time.Hour} {
		stalled, b := clocktest.New(t), newBench(t)
		now := stalled.Now()
		b.id = identity.Identity{Subject: "alice", SessionID: "s1", TokenID: "t1", IssuedAt: now.Add(-3 * time.Hour), AuthzVersion: 3, ExpiresAt: now.Add(3 * time.Hour)}
		state := liveState()
		state.Session.CreatedAt, state.Session.IdleUntil, state.Session.EndsAt = now.Add(-3*time.Hour), now.Add(3*time.Hour), now.Add(3*time.Hour)
		b.both(state)
		checker, err := session.NewChecker(session.CheckConfig{}, &b.replica, stalled.Now)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := checker.Check(t.Context(), b.id, identity.Default); err != nil {
				t.Fatal(err)
			}
		}
		state.NotBefore = now.Add(-time.Hour) // everybody is logged out
		b.both(state)
		stalled.Move(moved)
		if err := checker.Check(t.Context(), b.id, identity.Default); !errors.Is(err, session.ErrRevoked) {
			t.Errorf("after %v: got %v, want the new epoch", moved, err)
		}
	}
}

// The memory of revoked tokens ends by the wall clock too.
func TestRevokedTokenIsForgottenByTheWallClock(t *testing.T) {
	t.Parallel()
	stalled, b := clocktest.New(t), newBench(t)
	b.id.SessionID, b.id.ExpiresAt = "", stalled.Now().Add(time.Minute)
	state := liveState()
	state.TokenRevoked = true
	b.both(state)
	checker, err := session.NewChecker(session.CheckConfig{}, &b.replica, stalled.Now)
	if err != nil {
		t.Fatal(err)
	}
	for i, wantReads := range []int{1, 1, 2} {
		if i == 2 {
			stalled.Move(time.Hour)
		}
		if err := checker.Check(t.Context(), b.id, identity.Strict); !errors.Is(err, session.ErrRevoked) || len(b.asked) != wantReads {
			t.Errorf("check %d: %v after %d reads, want %d", i, err, len(b.asked), wantReads)
		}
	}
}
