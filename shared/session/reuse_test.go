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
			if _, err := w.Refresh(t.Context(), first.RefreshToken, lookup); err != nil {
				t.Fatal(err)
			}
			var events []session.Event
			cfg := session.Config{OnEvent: func(_ context.Context, e session.Event) { events = append(events, e) }}
			m, err := session.New(cfg, c.store(w.store), w.tokens.Keys, func() time.Time { return w.now })
			if err != nil {
				t.Fatal(err)
			}

			w.now = w.now.Add(session.DefaultRetryWindow + time.Millisecond)
			want := session.ErrUnavailable
			if name == "Answered" {
				want = session.ErrInvalidGrant
			}
			if _, err := m.Refresh(t.Context(), first.RefreshToken, lookup); !errors.Is(err, want) {
				t.Errorf("got %v, want %v", err, want)
			}
			if len(events) != 1 || events[0].Kind != session.Reused || events[0].Reason != session.Reuse || events[0].Current != 1 {
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
