package sessiontest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/session"
)

// crowd is how many callers do the same thing in parallel.
const crowd = 64

// together runs f once per caller of a crowd, in parallel.
func together(members int, f func(i int)) {
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	ready.Add(members)
	for i := range members {
		done.Go(func() {
			ready.Done()
			<-start
			f(i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
}

func testParallelRotations(t *testing.T, newStore func(t *testing.T) session.Store) {
	store := newStore(t)
	s := NewSession()
	create(t, store, s)
	var winners atomic.Int32
	results := make([]session.Session, crowd)
	together(crowd, func(i int) {
		got, done, err := store.Rotate(t.Context(), rotation(s, Time(1)))
		if err != nil {
			t.Error(err)
		}
		if done {
			winners.Add(1)
		}
		results[i] = got
	})
	if winners.Load() != 1 {
		t.Errorf("%d callers started the next generation, want 1", winners.Load())
	}
	for _, got := range results {
		want(t, "what a caller sees", results[0], got)
	}
	if results[0].Generation != 1 {
		t.Errorf("generation %d, want 1", results[0].Generation)
	}
}

// Once Revoke has returned, no rotation succeeds.
func testRotateAgainstRevoke(t *testing.T, newStore func(t *testing.T) session.Store) {
	store := newStore(t)
	for range 5 {
		s := NewSession()
		create(t, store, s)
		var revoked atomic.Bool
		together(8, func(i int) {
			if i == 0 {
				if found, err := store.Revoke(t.Context(), session.Ending{SessionID: s.ID, Reason: session.Logout, At: Time(1)}); !found || err != nil {
					t.Errorf("revoke: found %t, %v", found, err)
				}
				revoked.Store(true)
				return
			}
			over := revoked.Load()
			_, done, err := store.Rotate(t.Context(), rotation(s, Time(1)))
			if err != nil || done && over {
				t.Errorf("rotated after it was revoked: %t, %v", done && over, err)
			}
		})
		for generation := range int64(2) {
			s.Generation = generation
			if _, done, err := store.Rotate(t.Context(), rotation(s, Time(2))); done || err != nil {
				t.Errorf("generation %d after the revocation: rotated %t, %v", generation, done, err)
			}
		}
	}
}

// newManager returns a manager with a stopped clock, and its tokens.
func newManager(t *testing.T, store session.Store, cfg session.Config) (*session.Manager, Tokens) {
	t.Helper()
	clock := func() time.Time { return Time(0) }
	tokens := NewTokens(t, clock)
	manager, err := session.New(cfg, store, tokens.Keys, clock)
	must(t, err)
	return manager, tokens
}

func lookup(_ context.Context, subject string) (session.User, error) {
	return session.User{Subject: subject, Roles: []string{"customer"}}, nil
}

func start(t *testing.T, manager *session.Manager, subject string) session.Tokens {
	t.Helper()
	got, err := manager.Start(t.Context(), session.User{Subject: subject, Roles: []string{"customer"}}, session.Device{})
	must(t, err)
	return got
}

// Parallel refreshes with one token all return the same successor, and it works.
func testParallelRefreshes(t *testing.T, newStore func(t *testing.T) session.Store) {
	var refreshed, retried atomic.Int32
	manager, _ := newManager(t, newStore(t), session.Config{OnEvent: func(_ context.Context, e session.Event) {
		switch e.Kind {
		case session.Refreshed:
			refreshed.Add(1)
		case session.Retried:
			retried.Add(1)
		case session.Started:
		default:
			t.Errorf("event %v", e)
		}
	}})
	first := start(t, manager, "alice")
	got := make([]session.Tokens, crowd)
	together(crowd, func(i int) {
		var err error
		if got[i], err = manager.Refresh(t.Context(), first.RefreshToken, lookup); err != nil {
			t.Error(err)
		}
	})
	for _, tokens := range got {
		if tokens.RefreshToken != got[0].RefreshToken || tokens.RefreshToken == first.RefreshToken {
			t.Fatal("one refresh token has several successors, or is its own")
		}
	}
	if refreshed.Load() != 1 || retried.Load() != crowd-1 {
		t.Errorf("%d refreshed and %d retried, want 1 and %d", refreshed.Load(), retried.Load(), crowd-1)
	}
	if _, err := manager.Refresh(t.Context(), got[0].RefreshToken, lookup); err != nil {
		t.Errorf("the successor: %v", err)
	}
}

// Tokens of refreshes that run in parallel with a logout are invalid once the logout has returned.
func testRefreshAgainstLogout(t *testing.T, newStore func(t *testing.T) session.Store) {
	store := newStore(t)
	manager, tokens := newManager(t, store, session.Config{})
	checker, err := session.NewChecker(session.CheckConfig{}, store, func() time.Time { return Time(0) })
	must(t, err)
	for name, logout := range map[string]func(subject, sessionID, refresh string) error{
		"one": func(subject, sessionID, _ string) error { return manager.RevokeOwn(t.Context(), subject, sessionID) },
		"everywhere": func(subject, _, _ string) error {
			_, err := manager.RevokeAll(t.Context(), subject, session.Logout)
			return err
		},
		"given back": func(_, _, refresh string) error { return manager.RevokeRefreshToken(t.Context(), refresh) },
	} {
		for range 3 {
			subject := NewSession().Subject
			first := start(t, manager, subject)
			id, err := tokens.Refresh.Verify(first.RefreshToken)
			must(t, err)
			out := make([]session.Tokens, 8)
			together(len(out), func(i int) {
				if i == 0 {
					if err := logout(subject, id.SessionID, first.RefreshToken); err != nil {
						t.Error(err)
					}
					out[i] = first
					return
				}
				got, err := manager.Refresh(t.Context(), first.RefreshToken, lookup)
				if err != nil && !errors.Is(err, session.ErrInvalidGrant) {
					t.Error(err)
				}
				out[i] = got
			})
			for _, got := range out {
				if got.AccessToken == "" {
					continue
				}
				if _, err := manager.Refresh(t.Context(), got.RefreshToken, lookup); !errors.Is(err, session.ErrInvalidGrant) {
					t.Errorf("logout %s: a refresh token is valid: %v", name, err)
				}
				caller, err := tokens.Access.Verify(got.AccessToken)
				must(t, err)
				if err := checker.Check(t.Context(), caller, identity.Strict); !errors.Is(err, session.ErrRevoked) {
					t.Errorf("logout %s: an access token is valid: %v", name, err)
				}
			}
		}
	}
}
