package session_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tienda-dev/tienda/shared/session"
	"github.com/tienda-dev/tienda/shared/session/sessiontest"
)

// stalled rotates at once and returns only when the caller gives up.
type stalled struct {
	*sessiontest.Memory

	stall bool
}

func (s *stalled) Rotate(ctx context.Context, r session.Rotation) (session.Session, bool, error) {
	got, done, err := s.Memory.Rotate(ctx, r)
	if s.stall {
		<-ctx.Done()
		return session.Session{}, false, ctx.Err()
	}
	return got, done, err
}

// A client that gets an error must be able to repeat the refresh within the retry window, however slow
// the store was.
func TestRefreshTimeoutLeavesTimeForARetry(t *testing.T) {
	t.Parallel()
	for name, window := range map[string]time.Duration{"Default": session.DefaultRetryWindow, "Short": 2 * time.Second, "Longest": session.MaxRetryWindow} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store := &stalled{Memory: sessiontest.NewMemory()}
				tokens := sessiontest.NewTokens(t, time.Now)
				m, err := session.New(session.Config{RetryWindow: &window}, store, tokens.Keys, time.Now)
				if err != nil {
					t.Fatal(err)
				}
				first, err := m.Start(t.Context(), alice(), session.Device{})
				if err != nil {
					t.Fatal(err)
				}

				store.stall = true
				began := time.Now()
				if _, err := m.Refresh(t.Context(), first.RefreshToken, lookup); !errors.Is(err, session.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v, want ErrUnavailable and not the end of the request's time", err)
				}
				took := time.Since(began)
				if want := min(window/2, 5*time.Second); took != want {
					t.Errorf("the answer took %v, want %v", took, want)
				}

				store.stall = false
				time.Sleep(window - took)
				again, err := m.Refresh(t.Context(), first.RefreshToken, lookup)
				if err != nil {
					t.Fatalf("repeated within the window: %v", err)
				}
				if got, err := tokens.Refresh.Verify(again.RefreshToken); err != nil || got.Generation != 1 {
					t.Errorf("got generation %d, %v", got.Generation, err)
				}
			})
		})
	}
}

// Only the end of the time limit is returned as such. Any other result is returned as it is, however late.
func TestLateRefreshReturnsItsResult(t *testing.T) {
	t.Parallel()
	fault := errors.New("no such table")
	const limit = 5 * time.Second // of Refresh
	for name, c := range map[string]struct {
		reuse  bool
		lookup session.UserLookup
		limit  time.Duration // of the request; 0 is none
		want   error
	}{
		"AFaultOfTheLookup": {lookup: func(ctx context.Context, _ string) (session.User, error) {
			<-ctx.Done()
			return session.User{}, fault
		}, want: fault},
		"TheLookupsEnd": {lookup: func(ctx context.Context, _ string) (session.User, error) {
			<-ctx.Done()
			return session.User{}, fmt.Errorf("read: %w", ctx.Err())
		}, want: session.ErrUnavailable},
		"AReuse": {reuse: true, lookup: func(ctx context.Context, _ string) (session.User, error) {
			<-ctx.Done()
			return session.User{}, ctx.Err()
		}, want: session.ErrInvalidGrant},
		"TheCallersOwnEnd": {limit: limit / 2, lookup: func(ctx context.Context, _ string) (session.User, error) {
			<-ctx.Done()
			return session.User{}, ctx.Err()
		}, want: context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tokens := sessiontest.NewTokens(t, time.Now)
				m, err := session.New(session.Config{}, unhurried{sessiontest.NewMemory()}, tokens.Keys, time.Now)
				if err != nil {
					t.Fatal(err)
				}
				first, err := m.Start(t.Context(), alice(), session.Device{})
				if err != nil {
					t.Fatal(err)
				}
				if c.reuse {
					if _, err := m.Refresh(t.Context(), first.RefreshToken, lookup); err != nil {
						t.Fatal(err)
					}
					time.Sleep(session.DefaultRetryWindow + time.Millisecond)
				}
				ctx := t.Context()
				if c.limit > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, c.limit)
					defer cancel()
				}

				_, err = m.Refresh(ctx, first.RefreshToken, c.lookup)

				if !errors.Is(err, c.want) {
					t.Errorf("got %v, want %v", err, c.want)
				}
				if !errors.Is(c.want, context.DeadlineExceeded) && errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v looks like the end of the request's time", err)
				}
			})
		})
	}
}

// unhurried ends a session even if the context has ended.
type unhurried struct{ *sessiontest.Memory }

func (u unhurried) Revoke(ctx context.Context, r session.Ending) (bool, error) {
	return u.Memory.Revoke(context.WithoutCancel(ctx), r)
}

// Without a retry window, only the deadline of the request limits a refresh.
func TestRefreshWithoutRetryWindowUsesTheRequestsDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &stalled{Memory: sessiontest.NewMemory(), stall: true}
		m, err := session.New(session.Config{RetryWindow: new(time.Duration(0))}, store, sessiontest.NewTokens(t, time.Now).Keys, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		first, err := m.Start(t.Context(), alice(), session.Device{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
		defer cancel()
		if _, err := m.Refresh(ctx, first.RefreshToken, lookup); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the end of the request's time", err)
		}
	})
}
