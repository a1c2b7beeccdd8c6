package session_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/session"
	"github.com/tienda-dev/tienda/shared/session/sessiontest"
)

func TestCheckFails(t *testing.T) {
	t.Parallel()
	fault := errors.New("no such table")
	for name, c := range map[string]struct {
		err   error
		delay time.Duration
		want  error
	}{
		"Unavailable": {err: session.ErrUnavailable, want: session.ErrUnavailable},
		"Fault":       {err: fault, want: fault},
		"Hangs":       {delay: time.Hour, want: session.ErrUnavailable},
	} {
		for _, class := range []identity.Revocation{identity.Default, identity.Strict} {
			t.Run(name+class.String(), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					b := newBench(t)
					b.err, b.delay = c.err, c.delay
					start := time.Now()
					err := b.Check(t.Context(), b.id, class)
					if !errors.Is(err, c.want) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, session.ErrRevoked) {
						t.Errorf("got %v, want %v", err, c.want)
					}
					if took := time.Since(start); took > session.DefaultCheckTimeout {
						t.Errorf("took %v", took)
					}
					if b.err, b.delay = nil, 0; b.Check(t.Context(), b.id, class) != nil {
						t.Error("a failure was remembered")
					}
				})
			})
		}
	}

	// A second, strong read has only the rest of the first read's time.
	for delay, want := range map[time.Duration]error{
		session.DefaultCheckTimeout * 9 / 20: session.ErrRevoked, session.DefaultCheckTimeout * 19 / 20: session.ErrUnavailable,
	} {
		t.Run("TwoReadsOf"+delay.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.both(session.State{})
				b.delay = delay
				start := time.Now()
				if err := b.Check(t.Context(), b.id, identity.Default); !errors.Is(err, want) {
					t.Errorf("got %v, want %v", err, want)
				}
				if took := time.Since(start); took > session.DefaultCheckTimeout || len(b.asked) != 2 {
					t.Errorf("%d reads took %v", len(b.asked), took)
				}
			})
		})
	}

	// A fault that comes after the deadline is still a fault, not a timeout.
	t.Run("AFaultAfterTheLimit", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			late := readerFunc(func(ctx context.Context, _ session.Query) (session.State, error) {
				<-ctx.Done()
				return session.State{}, fault
			})
			checker, err := session.NewChecker(session.CheckConfig{}, late, func() time.Time { return b.now })
			if err != nil {
				t.Fatal(err)
			}
			if err := checker.Check(t.Context(), b.id, identity.Default); !errors.Is(err, fault) || errors.Is(err, session.ErrUnavailable) {
				t.Errorf("got %v, want the fault", err)
			}
		})
	})

	t.Run("TheCallersOwnEnd", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			b.delay = time.Hour
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := b.Check(ctx, b.id, identity.Default); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		})
	})
}

type readerFunc func(context.Context, session.Query) (session.State, error)

func (f readerFunc) State(ctx context.Context, q session.Query) (session.State, error) {
	return f(ctx, q)
}

// A flood of tokens causes reads but does not fill the memory.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	state := liveState()
	state.TokenRevoked = true
	b.both(state)
	const flood = 12_000
	for i := range flood {
		b.id.TokenID = strconv.Itoa(i)
		if err := b.Check(t.Context(), b.id, identity.Default); !errors.Is(err, session.ErrRevoked) {
			t.Fatal(err)
		}
	}
	b.asked = nil
	for i := range flood {
		b.id.TokenID = strconv.Itoa(flood - 1 - i)
		if err := b.Check(t.Context(), b.id, identity.Default); !errors.Is(err, session.ErrRevoked) {
			t.Fatal(err)
		}
		if len(b.asked) == 0 {
			continue // remembered
		}
		if i < 5000 || i > 10_000 {
			t.Errorf("%d of %d are remembered, want 5000 to 10000", i, flood)
		}
		return
	}
	t.Error("everything is remembered")
}

func TestCheckerRefuses(t *testing.T) {
	t.Parallel()
	store, clock := sessiontest.NewMemory(), time.Now
	for name, c := range map[string]struct {
		cfg    session.CheckConfig
		reader session.Reader
		clock  func() time.Time
		want   string
	}{
		"NegativeTimeout": {session.CheckConfig{Timeout: -1}, store, clock, "REVOCATION_TIMEOUT"},
		"NoReader":        {session.CheckConfig{}, nil, clock, "reader"},
		"NoClock":         {session.CheckConfig{}, store, nil, "clock"},
	} {
		if _, err := session.NewChecker(c.cfg, c.reader, c.clock); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRevokerRefuses(t *testing.T) {
	t.Parallel()
	if _, err := session.NewRevoker(nil, time.Now, nil); err == nil {
		t.Error("accepted without a store")
	}
	if _, err := session.NewRevoker(sessiontest.NewMemory(), nil, nil); err == nil {
		t.Error("accepted without a clock")
	}
	r, err := session.NewRevoker(sessiontest.NewMemory(), time.Now, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.RevokeAll(t.Context(), "alice", session.Admin); err != nil {
		t.Errorf("without a listener: %v", err)
	}
}
