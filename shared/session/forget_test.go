package session_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/session"
	"github.com/tienda-dev/tienda/shared/session/sessiontest"
)

// witness records the queries, and calls read once before a read returns.
type witness struct {
	session.Store

	asked []session.Query
	read  func()
}

func (w *witness) State(ctx context.Context, q session.Query) (session.State, error) {
	w.asked = append(w.asked, q)
	state, err := w.Store.State(ctx, q)
	if read := w.read; read != nil {
		w.read = nil
		read()
	}
	return state, err
}

// newWitnessed returns a world with a witness around its store.
func newWitnessed(t *testing.T) (*world, *witness) {
	t.Helper()
	w := newWorld(t, session.Config{})
	watched := &witness{Store: w.store}
	var err error
	w.Manager, err = session.New(session.Config{}, watched, w.tokens.Keys, func() time.Time { return w.now })
	if err != nil {
		t.Fatal(err)
	}
	return w, watched
}

// A process refuses the tokens that it revoked itself at once, even if it read older state before.
func TestProcessAppliesItsOwnRevocationsAtOnce(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(context.Context, *world, session.Tokens) error{
		"Revoke": func(ctx context.Context, w *world, tokens session.Tokens) error {
			id, err := w.tokens.Access.Verify(tokens.AccessToken)
			return errors.Join(err, w.Revoke(ctx, id.SessionID, session.Admin))
		},
		"RevokeOwn": func(ctx context.Context, w *world, tokens session.Tokens) error {
			id, err := w.tokens.Access.Verify(tokens.AccessToken)
			return errors.Join(err, w.RevokeOwn(ctx, id.Subject, id.SessionID))
		},
		"RevokeRefreshToken": func(ctx context.Context, w *world, tokens session.Tokens) error {
			return w.RevokeRefreshToken(ctx, tokens.RefreshToken)
		},
		"RevokeAll": func(ctx context.Context, w *world, _ session.Tokens) error {
			return second(w.RevokeAll(ctx, "alice", session.Logout))
		},
		"RevokeEverybody": func(ctx context.Context, w *world, _ session.Tokens) error {
			return w.RevokeEverybody(ctx, session.Admin)
		},
		"RevokeToken": func(ctx context.Context, w *world, tokens session.Tokens) error {
			id, err := w.tokens.Access.Verify(tokens.AccessToken)
			return errors.Join(err, w.RevokeToken(ctx, id.TokenID, id.ExpiresAt, session.Client))
		},
		"RaiseAuthz": func(ctx context.Context, w *world, _ session.Tokens) error {
			return w.RaiseAuthz(ctx, "alice", alice().AuthzVersion+1)
		},
		"Reuse": func(ctx context.Context, w *world, tokens session.Tokens) error {
			next, err := w.Refresh(ctx, tokens.RefreshToken, lookup)
			if err != nil {
				return err
			}
			if _, err := w.Refresh(ctx, next.RefreshToken, lookup); err != nil {
				return err
			}
			_, err = w.Refresh(ctx, tokens.RefreshToken, lookup)
			return expect(session.ErrInvalidGrant, err)
		},
		"LateRetry": func(ctx context.Context, w *world, tokens session.Tokens) error {
			if _, err := w.Refresh(ctx, tokens.RefreshToken, lookup); err != nil {
				return err
			}
			w.now = w.now.Add(session.DefaultRetryWindow + time.Millisecond)
			_, err := w.Refresh(ctx, tokens.RefreshToken, lookup)
			return expect(session.ErrInvalidGrant, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _ := newWitnessed(t)
			tokens := w.start(t, alice())
			id, _ := w.verify(t, tokens)
			if err := w.Check(t.Context(), id, identity.Default); err != nil {
				t.Fatal(err)
			}
			if err := end(t.Context(), w, tokens); err != nil {
				t.Fatal(err)
			}
			if err := w.Check(t.Context(), id, identity.Default); !errors.Is(err, session.ErrRevoked) {
				t.Errorf("after it: %v, want ErrRevoked", err)
			}
		})
	}
}

// A read that began before this process raised the global epoch and ends after it must not bring the
// old epoch back.
func TestReadDuringRevokeEverybodyKeepsTheNewEpoch(t *testing.T) {
	t.Parallel()
	for name, read := range map[string]func(context.Context, *world, identity.Identity) error{
		"Check": func(ctx context.Context, w *world, id identity.Identity) error {
			return w.Check(ctx, id, identity.Default)
		},
		"Warm": func(ctx context.Context, w *world, _ identity.Identity) error { return w.Warm(ctx) },
		"List": func(ctx context.Context, w *world, _ identity.Identity) error {
			_, _, err := w.List(ctx, "alice")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, watched := newWitnessed(t)
			id, _ := w.verify(t, w.start(t, alice()))
			watched.read = func() {
				if err := w.RevokeEverybody(t.Context(), session.Admin); err != nil {
					t.Error(err)
				}
			}
			if err := read(t.Context(), w, id); err != nil && !errors.Is(err, session.ErrRevoked) {
				t.Fatal(err)
			}
			if watched.read != nil {
				t.Fatal("nothing was read")
			}
			if err := w.Check(t.Context(), id, identity.Default); !errors.Is(err, session.ErrRevoked) {
				t.Errorf("after it: %v, want ErrRevoked", err)
			}
		})
	}
}

func expect(want, got error) error {
	if errors.Is(got, want) {
		return nil
	}
	return errors.Join(errors.New("another answer"), got)
}

// A replica that is behind must not undo a logout: the calls that sign tokens or list sessions read
// consistently. The global epoch is read once a minute.
func TestEpochsAreReadConsistently(t *testing.T) {
	t.Parallel()
	w, watched := newWitnessed(t)
	tokens := w.start(t, alice())
	if len(watched.asked) > 0 {
		t.Errorf("Start asked %+v", watched.asked)
	}
	if _, err := w.Refresh(t.Context(), tokens.RefreshToken, lookup); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.List(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	want := []session.Query{{Subject: "alice", Everybody: true, Strong: true}, {Subject: "alice", Strong: true}}
	if diff := cmp.Diff(want, watched.asked); diff != "" {
		t.Errorf("Refresh and List asked (-want +got):\n%s", diff)
	}
}

// Token times are whole seconds: a token that would expire in the second of its issue is not signed. A
// token that is verified by a clock that is behind gets this far.
func TestLastSecond(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before time.Duration // the session's end
		want   error
	}{
		"OneSecondIsLeft": {1600 * time.Millisecond, nil},
		"NoneIsLeft":      {600 * time.Millisecond, session.ErrInvalidGrant},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := sessiontest.Time(0).Add(600 * time.Millisecond)
			tokens := sessiontest.NewTokens(t, func() time.Time { return now.Add(-time.Second) })
			m, err := session.New(session.Config{Idle: time.Hour, Absolute: time.Hour}, sessiontest.NewMemory(), tokens.Keys, func() time.Time { return now })
			if err != nil {
				t.Fatal(err)
			}
			first, err := m.Start(t.Context(), alice(), session.Device{})
			if err != nil {
				t.Fatal(err)
			}
			now = now.Add(time.Hour - c.before)
			got, err := m.Refresh(t.Context(), first.RefreshToken, lookup)
			if !errors.Is(err, c.want) {
				t.Errorf("got %+v, %v; want %v", got, err, c.want)
			}
		})
	}
}
