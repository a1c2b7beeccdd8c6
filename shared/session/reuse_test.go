package session_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/shared/session"
	"github.com/tienda-dev/tienda/shared/session/sessiontest"
)

// A reuse is reported even when the write fails: if the store's response is lost, a repeated request finds
// the session ended and reports nothing.
func TestReuseIsReportedWhenTheWriteFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		store func(*sessiontest.Memory) session.Store
		want  int // events after the second presentation
	}{
		"Answered": {func(m *sessiontest.Memory) session.Store { return m }, 1},
		"Lost":     {func(m *sessiontest.Memory) session.Store { return losingStore{m, true} }, 1},
		"Refused":  {func(m *sessiontest.Memory) session.Store { return losingStore{m, false} }, 2}, // the session lives
	} {
		t.Run(name, func(t *testing.T) {
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
			var events []session.Event
			cfg := session.Config{OnEvent: func(_ context.Context, e session.Event) { events = append(events, e) }}
			m, err := session.New(cfg, c.store(w.store), w.tokens.Keys, func() time.Time { return w.now })
			if err != nil {
				t.Fatal(err)
			}

			want := session.ErrUnavailable
			if name == "Answered" {
				want = session.ErrInvalidGrant
			}
			if _, err := m.Refresh(t.Context(), first.RefreshToken, lookup); !errors.Is(err, want) {
				t.Errorf("got %v, want %v", err, want)
			}
			if len(events) != 1 || events[0].Kind != session.Reused || events[0].Reason != session.Reuse || events[0].Current != 2 {
				t.Errorf("events %+v", events)
			}
			if _, err := m.Refresh(t.Context(), first.RefreshToken, lookup); err == nil {
				t.Error("a replaced token was accepted")
			}
			if len(events) != c.want {
				t.Errorf("presented twice: events %+v", events)
			}
		})
	}
}

// A client whose answer was lost may repeat its refresh for a minute, however often. After that it loses the
// session, but nobody reports a theft: its successor was never used.
func TestLateRetryIsNotATheft(t *testing.T) {
	t.Parallel()
	w := newWorld(t, session.Config{})
	first := w.start(t, alice())
	second, err := w.Refresh(t.Context(), first.RefreshToken, lookup)
	if err != nil {
		t.Fatal(err)
	}
	for _, passed := range []time.Duration{20 * time.Second, 20 * time.Second, 20 * time.Second} {
		w.now = w.now.Add(passed)
		if again, err := w.Refresh(t.Context(), first.RefreshToken, lookup); err != nil || again.RefreshToken != second.RefreshToken {
			t.Errorf("%v after the refresh: %v, want the same successor", w.now.Sub(sessiontest.Time(0)), err)
		}
	}
	w.now = w.now.Add(time.Millisecond)
	w.events = nil
	for range 2 {
		if _, err := w.Refresh(t.Context(), first.RefreshToken, lookup); !errors.Is(err, session.ErrInvalidGrant) {
			t.Errorf("after a minute: %v, want %v", err, session.ErrInvalidGrant)
		}
	}
	if len(w.events) != 1 || w.events[0].Kind != session.Late || w.events[0].Reason != session.LateRetry || w.events[0].Kind.Security() {
		t.Errorf("events %+v", w.events)
	}
	if _, err := w.Refresh(t.Context(), second.RefreshToken, lookup); !errors.Is(err, session.ErrInvalidGrant) {
		t.Errorf("the successor after that: %v, want %v", err, session.ErrInvalidGrant)
	}
}

// Within the window a token whose successor was used is stolen, or its successor is.
func TestReuseWithinTheRetryWindowEndsTheSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t, session.Config{})
	first := w.start(t, alice())
	second, err := w.Refresh(t.Context(), first.RefreshToken, lookup)
	if err != nil {
		t.Fatal(err)
	}
	third, err := w.Refresh(t.Context(), second.RefreshToken, lookup)
	if err != nil {
		t.Fatal(err)
	}
	w.events = nil
	for _, token := range []string{first.RefreshToken, third.RefreshToken} {
		if _, err := w.Refresh(t.Context(), token, lookup); !errors.Is(err, session.ErrInvalidGrant) {
			t.Errorf("got %v, want %v", err, session.ErrInvalidGrant)
		}
	}
	if len(w.events) != 1 || w.events[0].Kind != session.Reused || !w.events[0].Kind.Security() {
		t.Errorf("events %+v", w.events)
	}
}

// losingStore loses the response of every Revoke, or the request.
type losingStore struct {
	*sessiontest.Memory

	commits bool
}

func (b losingStore) Revoke(ctx context.Context, r session.Ending) (bool, error) {
	if b.commits {
		if _, err := b.Memory.Revoke(ctx, r); err != nil {
			return false, err
		}
	}
	return false, session.ErrUnavailable
}
