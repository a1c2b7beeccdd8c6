package session_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/shared/session"
	"github.com/tienda-dev/tienda/shared/session/sessiontest"
	"github.com/tienda-dev/tienda/tests/metricstest"
)

// TestRevocationsAreCounted counts each revocation once, with its reason, and none that the store has refused.
func TestRevocationsAreCounted(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		revoke func(ctx context.Context, t *testing.T, w *world, m *session.Manager, tokens session.Tokens) error
		reason session.Reason
	}{
		"Revoke": {func(ctx context.Context, t *testing.T, w *world, m *session.Manager, tokens session.Tokens) error {
			t.Helper()
			access, _ := w.verify(t, tokens)
			return m.Revoke(ctx, access.SessionID, session.Logout)
		}, session.Logout},
		"RevokeOwn": {func(ctx context.Context, t *testing.T, w *world, m *session.Manager, tokens session.Tokens) error {
			t.Helper()
			access, _ := w.verify(t, tokens)
			return m.RevokeOwn(ctx, "alice", access.SessionID)
		}, session.Logout},
		"RevokeRefreshToken": {func(ctx context.Context, _ *testing.T, _ *world, m *session.Manager, tokens session.Tokens) error {
			return m.RevokeRefreshToken(ctx, tokens.RefreshToken)
		}, session.Client},
		"RevokeAll": {func(ctx context.Context, _ *testing.T, _ *world, m *session.Manager, _ session.Tokens) error {
			_, err := m.RevokeAll(ctx, "alice", session.Admin)
			return err
		}, session.Admin},
		"RevokeEverybody": {func(ctx context.Context, _ *testing.T, _ *world, m *session.Manager, _ session.Tokens) error {
			return m.RevokeEverybody(ctx, session.Admin)
		}, session.Admin},
		"RevokeToken": {func(ctx context.Context, t *testing.T, w *world, m *session.Manager, tokens session.Tokens) error {
			t.Helper()
			access, _ := w.verify(t, tokens)
			return m.RevokeToken(ctx, access.TokenID, access.ExpiresAt, session.Client)
		}, session.Client},
		"RaiseAuthz": {func(ctx context.Context, _ *testing.T, _ *world, m *session.Manager, _ session.Tokens) error {
			return m.RaiseAuthz(ctx, "alice", 4)
		}, session.Roles},
		"Reuse": {func(ctx context.Context, t *testing.T, w *world, m *session.Manager, tokens session.Tokens) error {
			t.Helper()
			second, err := w.Refresh(ctx, tokens.RefreshToken, lookup)
			if err == nil {
				_, err = w.Refresh(ctx, second.RefreshToken, lookup)
			}
			if err != nil {
				t.Fatal(err)
			}
			return notAccepted(m.Refresh(ctx, tokens.RefreshToken, lookup))
		}, session.Reuse},
		"LateRetry": {func(ctx context.Context, t *testing.T, w *world, m *session.Manager, tokens session.Tokens) error {
			t.Helper()
			if _, err := w.Refresh(ctx, tokens.RefreshToken, lookup); err != nil {
				t.Fatal(err)
			}
			w.now = w.now.Add(time.Hour)
			return notAccepted(m.Refresh(ctx, tokens.RefreshToken, lookup))
		}, session.LateRetry},
	} {
		for _, works := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/%t", name, works), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, session.Config{})
				ctx, recorded := metricstest.New(t)
				tokens := w.start(t, alice())
				m, want := w.Manager, map[string]float64{metrics.AuthTokenRevoked + " " + string(tt.reason): 1}
				if !works {
					var err error
					if m, err = session.New(session.Config{}, refusingStore{w.store}, w.tokens.Keys, func() time.Time { return w.now }); err != nil {
						t.Fatal(err)
					}
					want = map[string]float64{}
				}
				if err := tt.revoke(ctx, t, w, m, tokens); (err == nil) != works {
					t.Errorf("got %v", err)
				}
				if diff := cmp.Diff(want, recorded.Series(t, metrics.AuthTokenRevoked)); diff != "" {
					t.Errorf("series (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// notAccepted returns the error of a refresh whose token must not be accepted, and nil if that is the error.
func notAccepted(_ session.Tokens, err error) error {
	if errors.Is(err, session.ErrInvalidGrant) {
		return nil
	}
	return err
}

// TestCheckMeasuresWhatItRemembers checks more revoked tokens than a Checker remembers.
func TestCheckMeasuresWhatItRemembers(t *testing.T) {
	t.Parallel()
	const (
		half = 5000 // one half of the memory
		all  = 2*half + 1
	)
	ctx, recorded := metricstest.New(t)
	b := newBench(t)
	if err := b.Check(ctx, b.id, identity.Default); err != nil {
		t.Fatal(err)
	}
	revoked := liveState()
	revoked.TokenRevoked = true
	b.both(revoked)
	for i := range all {
		b.id.TokenID = fmt.Sprint("t", i)
		if err := b.Check(ctx, b.id, identity.Default); !errors.Is(err, session.ErrRevoked) {
			t.Fatalf("token %d: %v", i, err)
		}
	}
	if err := b.Check(ctx, b.id, identity.Default); !errors.Is(err, session.ErrRevoked) { // remembered
		t.Fatal(err)
	}
	b.err, b.id.TokenID = session.ErrUnavailable, "new"
	if err := b.Check(ctx, b.id, identity.Default); !errors.Is(err, session.ErrUnavailable) {
		t.Fatal(err)
	}
	want := map[string]float64{
		metrics.CacheRequests + " revocations hit":           1,
		metrics.CacheRequests + " revocations miss":          all + 1,
		metrics.CacheRequests + " revocations error":         1,
		metrics.CacheEntries + " revocations":                half + 1,
		metrics.CacheEvictions + " revocations":              half,
		metrics.CacheLoadDuration + " revocations":           all + 1,
		metrics.CacheLoadDuration + " revocations load":      1,
		metrics.AuthBlacklistLookupDuration + " valid":       1,
		metrics.AuthBlacklistLookupDuration + " revoked":     all + 1,
		metrics.AuthBlacklistLookupDuration + " unavailable": 1,
	}
	got := recorded.Series(t, metrics.CacheRequests, metrics.CacheEntries, metrics.CacheEvictions, metrics.CacheLoadDuration, metrics.AuthBlacklistLookupDuration)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("series (-want +got):\n%s", diff)
	}
}

// refusingStore refuses to revoke.
type refusingStore struct{ *sessiontest.Memory }

func (refusingStore) Revoke(context.Context, session.Ending) (bool, error) {
	return false, session.ErrUnavailable
}

func (refusingStore) RevokeSubject(context.Context, string, time.Time) error {
	return session.ErrUnavailable
}

func (refusingStore) RevokeEverybody(context.Context, time.Time) error {
	return session.ErrUnavailable
}

func (refusingStore) RevokeToken(context.Context, session.TokenRevocation) error {
	return session.ErrUnavailable
}

func (refusingStore) RaiseAuthz(context.Context, string, int64) error { return session.ErrUnavailable }
