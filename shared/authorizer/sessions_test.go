package authorizer_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/authorizer"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/session"
	"github.com/tienda-dev/tienda/shared/session/sessiontest"
)

// classes is a table in the form that the generator writes.
func classes() map[string]identity.Revocation {
	return map[string]identity.Revocation{
		"GET /v1/products": identity.Default, "POST /v1/orders": identity.Strict,
	}
}

// sessions returns err and records its calls.
type sessions struct {
	err   error
	asked []identity.Revocation
}

func (s *sessions) Check(_ context.Context, id identity.Identity, class identity.Revocation) error {
	if id.Subject != "alice" || id.SessionID != "s1" {
		return errors.New("asked about another subject")
	}
	s.asked = append(s.asked, class)
	return s.err
}

func TestClassFollowsFromTheRouteKey(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]identity.Revocation{
		"GET /v1/products": identity.Default,
		"POST /v1/orders":  identity.Strict,
		"GET /v1/other":    identity.Strict,
		"get /v1/products": identity.Strict,
		"$default":         identity.Strict,
		"":                 identity.Strict,
	} {
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			s := &sessions{}
			a := newAuthorizer(t, onlyToken, authorizer.Config{Sessions: s, Classes: classes()})
			req := request("Bearer " + token)
			req.RouteKey = key
			// Values from the client must not change the class.
			req.RawPath, req.Headers["x-route-key"] = "/v1/products", "GET /v1/products"
			if got := authorize(t, a, req); got.Outcome != identity.OK {
				t.Errorf("outcome %s", got.Outcome)
			}
			if diff := cmp.Diff([]identity.Revocation{want}, s.asked); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSessionsDecide(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		want identity.Outcome
	}{
		"Stands":      {nil, identity.OK},
		"Revoked":     {session.ErrRevoked, identity.TokenRevoked},
		"Unavailable": {session.ErrUnavailable, identity.Unavailable},
		"Fault":       {errors.New("no such table"), identity.Unavailable},
		"TimeOut":     {context.DeadlineExceeded, identity.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAuthorizer(t, onlyToken, authorizer.Config{Sessions: &sessions{err: c.err}})
			if got := authorize(t, a, request("Bearer "+token)); got.Outcome != c.want {
				t.Errorf("outcome %s, want %s", got.Outcome, c.want)
			}
			cached := newAuthorizer(t, onlyToken, authorizer.Config{Sessions: &sessions{err: c.err}, ResultTTLSeconds: 60})
			if _, err := cached.Authorize(t.Context(), request("Bearer "+token)); (err != nil) != (c.want == identity.Unavailable) {
				t.Errorf("with a result cache: %v", err)
			}
		})
	}
}

// An invalid token causes no call to the store.
func TestInvalidTokenCausesNoSessionCheck(t *testing.T) {
	t.Parallel()
	s := &sessions{}
	a := newAuthorizer(t, onlyToken, authorizer.Config{Sessions: s})
	for _, header := range []string{"Bearer other", "Basic x", ""} {
		authorize(t, a, request(header))
	}
	if len(s.asked) > 0 {
		t.Errorf("asked %d times", len(s.asked))
	}
}

// counting counts the round trips to a store.
type counting struct {
	session.Store

	calls atomic.Int64
}

func (c *counting) State(ctx context.Context, q session.Query) (session.State, error) {
	c.calls.Add(1)
	return c.Store.State(ctx, q)
}

// live returns an authorizer over a store in memory, and an access token of one of its sessions.
func live(t testing.TB) (a *authorizer.Authorizer, store *counting, manager *session.Manager, access string) {
	t.Helper()
	clock := func() time.Time { return sessiontest.Time(0) }
	store = &counting{Store: sessiontest.NewMemory()}
	tokens := sessiontest.NewTokens(t, clock)
	manager, err := session.New(session.Config{}, store, tokens.Keys, clock)
	if err != nil {
		t.Fatal(err)
	}
	got, err := manager.Start(t.Context(), session.User{Subject: "alice", Roles: []string{"customer"}}, session.Device{})
	if err != nil {
		t.Fatal(err)
	}
	checker, err := session.NewChecker(session.CheckConfig{}, store, clock)
	if err != nil {
		t.Fatal(err)
	}
	verify := func(_ context.Context, token string) (identity.Identity, error) { return tokens.Access.Verify(token) }
	a, err = authorizer.New(verify, authorizer.Config{Sessions: checker, Classes: classes()})
	if err != nil {
		t.Fatal(err)
	}
	return a, store, manager, got.AccessToken
}

// A revocation is remembered for every route; a valid result is not.
func TestOnlyARevocationIsRemembered(t *testing.T) {
	t.Parallel()
	a, store, manager, access := live(t)
	ask := func(key string, want identity.Outcome, calls int64) {
		t.Helper()
		req := request("Bearer " + access)
		req.RouteKey = key
		before := store.calls.Load()
		if got := authorize(t, a, req); got.Outcome != want {
			t.Errorf("%s: outcome %s, want %s", key, got.Outcome, want)
		}
		if got := store.calls.Load() - before; got != calls {
			t.Errorf("%s: %d round trips, want %d", key, got, calls)
		}
	}
	ask("GET /v1/products", identity.OK, 1)
	ask("GET /v1/products", identity.OK, 1)

	if _, err := manager.RevokeAll(t.Context(), "alice", session.Logout); err != nil {
		t.Fatal(err)
	}
	ask("POST /v1/orders", identity.TokenRevoked, 1)
	ask("POST /v1/orders", identity.TokenRevoked, 0) // remembered until the token expires, for every class
	ask("GET /v1/products", identity.TokenRevoked, 0)
}

// BenchmarkDecision measures the authorizer's own work, without the time of the counted round trips to
// DynamoDB.
func BenchmarkDecision(b *testing.B) {
	a, store, manager, access := live(b)
	run := func(name, key string) {
		b.Run(name, func(b *testing.B) {
			req := request("Bearer " + access)
			req.RouteKey = key
			before := store.calls.Load()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := a.Authorize(b.Context(), req); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(store.calls.Load()-before)/float64(b.N), "roundtrips/op")
		})
	}
	run("Default", "GET /v1/products")
	run("Strict", "POST /v1/orders")
	if _, err := manager.RevokeAll(b.Context(), "alice", session.Logout); err != nil {
		b.Fatal(err)
	}
	run("KnownToBeRevoked", "POST /v1/orders")
}

// stuck is a check that ends only with its context.
type stuck struct{}

func (stuck) Check(ctx context.Context, _ identity.Identity, _ identity.Revocation) error {
	<-ctx.Done()
	return ctx.Err()
}

// API Gateway gives up after 10 s and answers 500.
func TestDecisionEndsBeforeTheGatewayGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAuthorizer(t, onlyToken, authorizer.Config{Sessions: stuck{}})
		began := time.Now()
		if got := authorize(t, a, request("Bearer "+token)); got.Outcome != identity.Unavailable {
			t.Errorf("outcome %s", got.Outcome)
		}
		if took := time.Since(began); took >= 10*time.Second {
			t.Errorf("the decision took %v", took)
		}
	})
}
